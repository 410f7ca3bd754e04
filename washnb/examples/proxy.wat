;; Fetches the address in the path, `/http://HOST:PORT/PATH`, and streams the answer back. Every host must be allowed;
;; what stands in the way of a request is answered as 502 and the name of the error.
;;
;;   world proxy {
;;     import wasi:http/types@0.2.0;
;;     import wasi:http/outgoing-handler@0.2.0;
;;     export wasi:http/incoming-handler@0.2.0;
;;   }
;;
;; Try it: %wash load example:proxy --allow-host example.com    %wash send /http://example.com/
(component $proxy
  ;; ---- What it asks for -------------------------------------------------------------------------------------------

  ;; wasi:io: errors, and the streams that bodies flow through.
  (import "wasi:io/error@0.2.0" (instance $errors
    (export "error" (type (sub resource)))))
  (alias export $errors "error" (type $io-error))
  (import "wasi:io/poll@0.2.0" (instance $poll
    (export "pollable" (type $pollable (sub resource)))
    (export "[method]pollable.block" (func (param "self" (borrow $pollable))))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (export "error" (type $error (eq $io-error)))
    (type $stream-error' (variant (case "last-operation-failed" (own $error)) (case "closed")))
    (export "stream-error" (type $stream-error (eq $stream-error')))
    (export "input-stream" (type $input-stream (sub resource)))
    (export "output-stream" (type $output-stream (sub resource)))
    (export "[method]output-stream.blocking-write-and-flush" (func
      (param "self" (borrow $output-stream)) (param "contents" (list u8))
      (result (result (error $stream-error)))))
    (export "[method]output-stream.blocking-splice" (func
      (param "self" (borrow $output-stream)) (param "src" (borrow $input-stream)) (param "len" u64)
      (result (result u64 (error $stream-error)))))))
  (alias export $streams "input-stream" (type $input-stream))
  (alias export $streams "output-stream" (type $output-stream))

  ;; wasi:http: requests and responses. Of the standard's functions only those that are called here.
  (import "wasi:http/types@0.2.0" (instance $http
    (export "pollable" (type $ready (eq $pollable)))
    (export "input-stream" (type $source (eq $input-stream)))
    (export "output-stream" (type $sink (eq $output-stream)))
    (export "fields" (type $fields (sub resource)))
    (export "headers" (type $headers (eq $fields)))
    (export "trailers" (type $trailers (eq $fields)))
    (export "incoming-request" (type $incoming-request (sub resource)))
    (export "outgoing-response" (type $outgoing-response (sub resource)))
    (export "outgoing-body" (type $outgoing-body (sub resource)))
    (export "response-outparam" (type $response-outparam (sub resource)))

    ;; Why a request went wrong: all the cases, in the order of the standard. A host refuses a shortened list.
    (type $dns-error' (record (field "rcode" (option string)) (field "info-code" (option u16))))
    (export "DNS-error-payload" (type $dns-error (eq $dns-error')))
    (type $tls-alert' (record (field "alert-id" (option u8)) (field "alert-message" (option string))))
    (export "TLS-alert-received-payload" (type $tls-alert (eq $tls-alert')))
    (type $field-size' (record (field "field-name" (option string)) (field "field-size" (option u32))))
    (export "field-size-payload" (type $field-size (eq $field-size')))
    (type $error-code' (variant
      (case "DNS-timeout")
      (case "DNS-error" $dns-error)
      (case "destination-not-found")
      (case "destination-unavailable")
      (case "destination-IP-prohibited")
      (case "destination-IP-unroutable")
      (case "connection-refused")
      (case "connection-terminated")
      (case "connection-timeout")
      (case "connection-read-timeout")
      (case "connection-write-timeout")
      (case "connection-limit-reached")
      (case "TLS-protocol-error")
      (case "TLS-certificate-error")
      (case "TLS-alert-received" $tls-alert)
      (case "HTTP-request-denied")
      (case "HTTP-request-length-required")
      (case "HTTP-request-body-size" (option u64))
      (case "HTTP-request-method-invalid")
      (case "HTTP-request-URI-invalid")
      (case "HTTP-request-URI-too-long")
      (case "HTTP-request-header-section-size" (option u32))
      (case "HTTP-request-header-size" (option $field-size))
      (case "HTTP-request-trailer-section-size" (option u32))
      (case "HTTP-request-trailer-size" $field-size)
      (case "HTTP-response-incomplete")
      (case "HTTP-response-header-section-size" (option u32))
      (case "HTTP-response-header-size" $field-size)
      (case "HTTP-response-body-size" (option u64))
      (case "HTTP-response-trailer-section-size" (option u32))
      (case "HTTP-response-trailer-size" $field-size)
      (case "HTTP-response-transfer-coding" (option string))
      (case "HTTP-response-content-coding" (option string))
      (case "HTTP-response-timeout")
      (case "HTTP-upgrade-failed")
      (case "HTTP-protocol-error")
      (case "loop-detected")
      (case "configuration-error")
      (case "internal-error" (option string))))
    (export "error-code" (type $error-code (eq $error-code')))

    (export "[constructor]fields" (func (result (own $fields))))
    (export "[method]incoming-request.path-with-query" (func
      (param "self" (borrow $incoming-request)) (result (option string))))
    (export "[constructor]outgoing-response" (func
      (param "headers" (own $headers)) (result (own $outgoing-response))))
    (export "[method]outgoing-response.set-status-code" (func
      (param "self" (borrow $outgoing-response)) (param "status-code" u16) (result (result))))
    (export "[method]outgoing-response.body" (func
      (param "self" (borrow $outgoing-response)) (result (result (own $outgoing-body)))))
    (export "[method]outgoing-body.write" (func
      (param "self" (borrow $outgoing-body)) (result (result (own $output-stream)))))
    (export "[static]outgoing-body.finish" (func
      (param "this" (own $outgoing-body)) (param "trailers" (option (own $trailers)))
      (result (result (error $error-code)))))
    (export "[static]response-outparam.set" (func
      (param "param" (own $response-outparam))
      (param "response" (result (own $outgoing-response) (error $error-code)))))
    ;; the requests that it sends, and what comes back
    (export "outgoing-request" (type $outgoing-request (sub resource)))
    (export "future-incoming-response" (type $future (sub resource)))
    (export "request-options" (type $request-options (sub resource)))
    (export "incoming-response" (type $incoming-response (sub resource)))
    (export "incoming-body" (type $incoming-body (sub resource)))
    (type $scheme' (variant (case "HTTP") (case "HTTPS") (case "other" string)))
    (export "scheme" (type $scheme (eq $scheme')))
    (export "[constructor]outgoing-request" (func
      (param "headers" (own $headers)) (result (own $outgoing-request))))
    (export "[method]outgoing-request.set-scheme" (func
      (param "self" (borrow $outgoing-request)) (param "scheme" (option $scheme)) (result (result))))
    (export "[method]outgoing-request.set-authority" (func
      (param "self" (borrow $outgoing-request)) (param "authority" (option string)) (result (result))))
    (export "[method]outgoing-request.set-path-with-query" (func
      (param "self" (borrow $outgoing-request)) (param "path-with-query" (option string)) (result (result))))
    (export "[method]future-incoming-response.subscribe" (func
      (param "self" (borrow $future)) (result (own $ready))))
    (export "[method]future-incoming-response.get" (func
      (param "self" (borrow $future))
      (result (option (result (result (own $incoming-response) (error $error-code)))))))
    (export "[method]incoming-response.status" (func
      (param "self" (borrow $incoming-response)) (result u16)))
    (export "[method]incoming-response.consume" (func
      (param "self" (borrow $incoming-response)) (result (result (own $incoming-body)))))
    (export "[method]incoming-body.stream" (func
      (param "self" (borrow $incoming-body)) (result (result (own $source)))))))
  (alias export $http "incoming-request" (type $incoming-request))
  (alias export $http "response-outparam" (type $response-outparam))
  (alias export $http "error-code" (type $error-code))
  (alias export $http "outgoing-body" (type $outgoing-body))
  (alias export $http "outgoing-request" (type $outgoing-request))
  (alias export $http "request-options" (type $request-options))
  (alias export $http "future-incoming-response" (type $future))
  (alias export $http "incoming-response" (type $incoming-response))
  (alias export $http "incoming-body" (type $incoming-body))

  ;; The way out. A host grants it per workload, host by host.
  (import "wasi:http/outgoing-handler@0.2.0" (instance $outgoing
    (export "outgoing-request" (type $request (eq $outgoing-request)))
    (export "request-options" (type $options (eq $request-options)))
    (export "future-incoming-response" (type $response (eq $future)))
    (export "error-code" (type $error (eq $error-code)))
    (export "handle" (func
      (param "request" (own $request)) (param "options" (option (own $options)))
      (result (result (own $response) (error $error)))))))

  ;; ---- Memory -----------------------------------------------------------------------------------------------------

  ;; Texts and results cross the border through the guest's memory. It has a module of its own, because the imports
  ;; need it first and the program, which needs the imports, comes last.
  (core module $memory-module
    (memory (export "memory") 1)
    (data (i32.const 64) "ask for /http://HOST:PORT/PATH?QUERY\n")
    (data (i32.const 112) "http://")
    (data (i32.const 128) "https://")
    (data (i32.const 144) "/")
    (data (i32.const 256)
      "DNS-timeout                         DNS-error                           destination-not-found               "
      "destination-unavailable             destination-IP-prohibited           destination-IP-unroutable           "
      "connection-refused                  connection-terminated               connection-timeout                  "
      "connection-read-timeout             connection-write-timeout            connection-limit-reached            "
      "TLS-protocol-error                  TLS-certificate-error               TLS-alert-received                  "
      "HTTP-request-denied                 HTTP-request-length-required        HTTP-request-body-size              "
      "HTTP-request-method-invalid         HTTP-request-URI-invalid            HTTP-request-URI-too-long           "
      "HTTP-request-header-section-size    HTTP-request-header-size            HTTP-request-trailer-section-size   "
      "HTTP-request-trailer-size           HTTP-response-incomplete            HTTP-response-header-section-size   "
      "HTTP-response-header-size           HTTP-response-body-size             HTTP-response-trailer-section-size  "
      "HTTP-response-trailer-size          HTTP-response-transfer-coding       HTTP-response-content-coding        "
      "HTTP-response-timeout               HTTP-upgrade-failed                 HTTP-protocol-error                 "
      "loop-detected                       configuration-error                 internal-error                      ")
    ;; The host asks here for room for what it hands in: always at the end, nothing is taken back. A fresh instance
    ;; serves each request, so there is no need to.
    (global $end (mut i32) (i32.const 4096))
    (func (export "realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $end) (i32.const 7)) (i32.const -8)))
      (global.set $end (i32.add (local.get $at) (local.get $size)))
      (if (i32.gt_u (global.get $end) (i32.shl (memory.size) (i32.const 16)))
        (then (drop (memory.grow (i32.add (i32.shr_u (local.get $size) (i32.const 16)) (i32.const 1))))))
      (local.get $at)))
  (core instance $memory (instantiate $memory-module))

  ;; ---- From components down to core wasm ---------------------------------------------------------------------------

  ;; `canon lower` makes a core function of an imported one: numbers for handles, addresses for texts and results.
  (core func $request.path (canon lower (func $http "[method]incoming-request.path-with-query")
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (core func $outgoing.new (canon lower (func $http "[constructor]outgoing-request")))
  (core func $outgoing.set-scheme (canon lower (func $http "[method]outgoing-request.set-scheme")
    (memory (core memory $memory "memory"))))
  (core func $outgoing.set-authority (canon lower (func $http "[method]outgoing-request.set-authority")
    (memory (core memory $memory "memory"))))
  (core func $outgoing.set-path (canon lower (func $http "[method]outgoing-request.set-path-with-query")
    (memory (core memory $memory "memory"))))
  (core func $fetch (canon lower (func $outgoing "handle")
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (core func $future.subscribe (canon lower (func $http "[method]future-incoming-response.subscribe")))
  (core func $pollable.block (canon lower (func $poll "[method]pollable.block")))
  (core func $pollable.drop (canon resource.drop $pollable))
  (core func $future.get (canon lower (func $http "[method]future-incoming-response.get")
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (core func $future.drop (canon resource.drop $future))
  (core func $incoming.status (canon lower (func $http "[method]incoming-response.status")))
  (core func $incoming.consume (canon lower (func $http "[method]incoming-response.consume")
    (memory (core memory $memory "memory"))))
  (core func $incoming.stream (canon lower (func $http "[method]incoming-body.stream")
    (memory (core memory $memory "memory"))))
  (core func $incoming.drop (canon resource.drop $incoming-response))
  (core func $incoming-body.drop (canon resource.drop $incoming-body))
  (core func $source.drop (canon resource.drop $input-stream))
  (core func $request.drop (canon resource.drop $incoming-request))
  (core func $fields.new (canon lower (func $http "[constructor]fields")))
  (core func $response.new (canon lower (func $http "[constructor]outgoing-response")))
  (core func $response.set-status (canon lower (func $http "[method]outgoing-response.set-status-code")))
  (core func $response.body (canon lower (func $http "[method]outgoing-response.body")
    (memory (core memory $memory "memory"))))
  (core func $body.write (canon lower (func $http "[method]outgoing-body.write")
    (memory (core memory $memory "memory"))))
  (core func $body.finish (canon lower (func $http "[static]outgoing-body.finish")
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (core func $body.drop (canon resource.drop $outgoing-body))
  (core func $outparam.set (canon lower (func $http "[static]response-outparam.set")
    (memory (core memory $memory "memory"))))
  (core func $stream.write (canon lower (func $streams "[method]output-stream.blocking-write-and-flush")
    (memory (core memory $memory "memory"))))
  (core func $stream.splice (canon lower (func $streams "[method]output-stream.blocking-splice")
    (memory (core memory $memory "memory"))))
  (core func $stream.drop (canon resource.drop $output-stream))
  (core func $error.drop (canon resource.drop $io-error))

  ;; ---- The program ------------------------------------------------------------------------------------------------

  (core module $main-module
    (import "memory" "memory" (memory 1))
    (import "wasi" "request.path" (func $request.path (param i32 i32)))
    (import "wasi" "outgoing.new" (func $outgoing.new (param i32) (result i32)))
    (import "wasi" "outgoing.set-scheme" (func $outgoing.set-scheme (param i32 i32 i32 i32 i32) (result i32)))
    (import "wasi" "outgoing.set-authority" (func $outgoing.set-authority (param i32 i32 i32 i32) (result i32)))
    (import "wasi" "outgoing.set-path" (func $outgoing.set-path (param i32 i32 i32 i32) (result i32)))
    (import "wasi" "fetch" (func $fetch (param i32 i32 i32 i32)))
    (import "wasi" "future.subscribe" (func $future.subscribe (param i32) (result i32)))
    (import "wasi" "pollable.block" (func $pollable.block (param i32)))
    (import "wasi" "pollable.drop" (func $pollable.drop (param i32)))
    (import "wasi" "future.get" (func $future.get (param i32 i32)))
    (import "wasi" "future.drop" (func $future.drop (param i32)))
    (import "wasi" "incoming.status" (func $incoming.status (param i32) (result i32)))
    (import "wasi" "incoming.consume" (func $incoming.consume (param i32 i32)))
    (import "wasi" "incoming.stream" (func $incoming.stream (param i32 i32)))
    (import "wasi" "incoming.drop" (func $incoming.drop (param i32)))
    (import "wasi" "incoming-body.drop" (func $incoming-body.drop (param i32)))
    (import "wasi" "source.drop" (func $source.drop (param i32)))
    (import "wasi" "request.drop" (func $request.drop (param i32)))
    (import "wasi" "fields.new" (func $fields.new (result i32)))
    (import "wasi" "response.new" (func $response.new (param i32) (result i32)))
    (import "wasi" "response.set-status" (func $response.set-status (param i32 i32) (result i32)))
    (import "wasi" "response.body" (func $response.body (param i32 i32)))
    (import "wasi" "body.write" (func $body.write (param i32 i32)))
    (import "wasi" "body.finish" (func $body.finish (param i32 i32 i32 i32)))
    (import "wasi" "body.drop" (func $body.drop (param i32)))
    (import "wasi" "outparam.set" (func $outparam.set (param i32 i32 i32 i32 i64 i32 i32 i32 i32)))
    (import "wasi" "stream.write" (func $stream.write (param i32 i32 i32 i32)))
    (import "wasi" "stream.splice" (func $stream.splice (param i32 i32 i64 i32)))
    (import "wasi" "stream.drop" (func $stream.drop (param i32)))
    (import "wasi" "error.drop" (func $error.drop (param i32)))

    (func $handle (export "handle") (param $request i32) (param $out i32)
      (local $future i32) (local $pollable i32) (local $response i32)
      (call $read-address (local.get $request))
      (if (i32.eqz (global.get $authority-length))
        (then (return (call $answer (local.get $out) (i32.const 400) (i32.const 64) (i32.const 37)))))

      ;; at 0 a byte, 0 for ok; at 8 the future, or the case of the error-code
      (call $fetch (call $compose) (i32.const 0) (i32.const 0) (i32.const 0))
      (if (i32.load8_u (i32.const 0))
        (then (return (call $refuse (local.get $out) (i32.load8_u (i32.const 8))))))
      (local.set $future (i32.load (i32.const 8)))

      ;; wait for the head of the response; meanwhile the host runs other guests
      (local.set $pollable (call $future.subscribe (local.get $future)))
      (call $pollable.block (local.get $pollable))
      (call $pollable.drop (local.get $pollable))

      ;; option<result<result<incoming-response, error-code>>>: it is there, and nobody took it before, so only the
      ;; inner result matters: at 16 a byte, 0 for ok; at 24 the response, or the case of the error-code
      (call $future.get (local.get $future) (i32.const 0))
      (call $future.drop (local.get $future))
      (if (i32.load8_u (i32.const 16))
        (then (return (call $refuse (local.get $out) (i32.load8_u (i32.const 24))))))
      (local.set $response (i32.load (i32.const 24)))
      (call $pass-on (local.get $response) (local.get $out))
      (call $incoming.drop (local.get $response)))

    ;; Makes the request of the parts of the address.
    (func $compose (result i32)
      (local $request i32)
      (local.set $request (call $outgoing.new (call $fields.new)))
      (drop (call $outgoing.set-scheme (local.get $request) (i32.const 1)
        (global.get $scheme) (i32.const 0) (i32.const 0)))
      (drop (call $outgoing.set-authority (local.get $request) (i32.const 1)
        (global.get $authority) (global.get $authority-length)))
      (drop (call $outgoing.set-path (local.get $request) (i32.const 1)
        (global.get $path) (global.get $path-length)))
      (local.get $request))

    ;; Answers with the status of the response and streams its body, however large: `splice` moves the bytes inside the
    ;; host, so that none of them crosses the border.
    (func $pass-on (param $response i32) (param $out i32)
      (local $source-body i32) (local $source i32) (local $body i32) (local $stream i32) (local $failed i32)
      (call $incoming.consume (local.get $response) (i32.const 0))
      (local.set $source-body (i32.load (i32.const 4)))
      (call $incoming.stream (local.get $source-body) (i32.const 0))
      (local.set $source (i32.load (i32.const 4)))
      (local.set $body (call $begin (local.get $out) (call $incoming.status (local.get $response))))
      (call $body.write (local.get $body) (i32.const 0))
      (local.set $stream (i32.load (i32.const 4)))

      (loop $more
        (call $stream.splice (local.get $stream) (local.get $source) (i64.const 65536) (i32.const 0))
        (br_if $more (i32.eqz (i32.load8_u (i32.const 0)))))
      ;; the stream-error at 8 says how it ended: 0 for last-operation-failed, with an error at 12; 1 for closed
      (local.set $failed (i32.eqz (i32.load8_u (i32.const 8))))
      (if (local.get $failed)
        (then (call $error.drop (i32.load (i32.const 12)))))

      ;; children go before their parents; a body that is dropped unfinished tells the client that something is missing
      (call $source.drop (local.get $source))
      (call $incoming-body.drop (local.get $source-body))
      (call $stream.drop (local.get $stream))
      (if (local.get $failed)
        (then (call $body.drop (local.get $body)))
        (else (call $body.finish (local.get $body) (i32.const 0) (i32.const 0) (i32.const 0)))))

    ;; Answers 502 and the name of an error-code: the names lie at 256, 36 bytes each.
    (func $refuse (param $out i32) (param $case i32)
      (local $name i32) (local $length i32)
      (local.set $name (i32.add (i32.const 256) (i32.mul (local.get $case) (i32.const 36))))
      (loop $next
        (local.set $length (i32.add (local.get $length) (i32.const 1)))
        (br_if $next (i32.ne (i32.load8_u (i32.add (local.get $name) (local.get $length))) (i32.const 32))))
      (i32.store8 (i32.add (local.get $name) (local.get $length)) (i32.const 10))
      (call $answer (local.get $out) (i32.const 502)
        (local.get $name) (i32.add (local.get $length) (i32.const 1))))

    ;; Parts the path of the request, `/http://HOST:PORT/PATH?QUERY`, into scheme (0 for http, 1 for https), authority
    ;; and path; the scheme may be left out.
    (global $scheme (mut i32) (i32.const 0))
    (global $authority (mut i32) (i32.const 0))
    (global $authority-length (mut i32) (i32.const 0))
    (global $path (mut i32) (i32.const 0))
    (global $path-length (mut i32) (i32.const 0))
    (func $read-address (param $request i32)
      (local $at i32) (local $end i32)
      (call $request.path (local.get $request) (i32.const 0))
      (call $request.drop (local.get $request))
      (if (i32.eqz (i32.load8_u (i32.const 0)))
        (then (return)))
      (local.set $end (i32.add (i32.load (i32.const 4)) (i32.load (i32.const 8))))
      (local.set $at (i32.add (i32.load (i32.const 4)) (i32.const 1)))
      (global.set $scheme (i32.const 0))
      (if (call $begins (local.get $at) (local.get $end) (i32.const 112) (i32.const 7))
        (then (local.set $at (i32.add (local.get $at) (i32.const 7))))
        (else
          (if (call $begins (local.get $at) (local.get $end) (i32.const 128) (i32.const 8))
            (then
              (global.set $scheme (i32.const 1))
              (local.set $at (i32.add (local.get $at) (i32.const 8)))))))
      (global.set $authority (local.get $at))
      (block $slash
        (loop $next
          (br_if $slash (i32.ge_u (local.get $at) (local.get $end)))
          (br_if $slash (i32.eq (i32.load8_u (local.get $at)) (i32.const 47)))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br $next)))
      (global.set $authority-length (i32.sub (local.get $at) (global.get $authority)))
      (global.set $path (local.get $at))
      (global.set $path-length (i32.sub (local.get $end) (local.get $at)))
      (if (i32.eqz (global.get $path-length))
        (then
          (global.set $path (i32.const 144))
          (global.set $path-length (i32.const 1)))))

    ;; Whether the text from $at to $end begins with another text.
    (func $begins (param $at i32) (param $end i32) (param $text i32) (param $length i32) (result i32)
      (if (i32.lt_s (i32.sub (local.get $end) (local.get $at)) (local.get $length))
        (then (return (i32.const 0))))
      (loop $next
        (if (i32.ne (i32.load8_u (local.get $at)) (i32.load8_u (local.get $text)))
          (then (return (i32.const 0))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (local.set $text (i32.add (local.get $text) (i32.const 1)))
        (local.set $length (i32.sub (local.get $length) (i32.const 1)))
        (br_if $next (local.get $length)))
      (i32.const 1))

    ;; Sends the head of a response; gives the body that is to follow.
    (func $begin (param $out i32) (param $status i32) (result i32)
      (local $response i32) (local $body i32)
      (local.set $response (call $response.new (call $fields.new)))
      (drop (call $response.set-status (local.get $response) (local.get $status)))
      ;; results lie at address 0: first a byte, 0 for ok, then at 4 the handle
      (call $response.body (local.get $response) (i32.const 0))
      (local.set $body (i32.load (i32.const 4)))
      ;; ok(response); the zeroes are the room that an error-code would take
      (call $outparam.set (local.get $out) (i32.const 0) (local.get $response)
        (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
      (local.get $body))

    ;; Answers with a status and a text of up to 4096 bytes.
    (func $answer (param $out i32) (param $status i32) (param $text i32) (param $length i32)
      (local $body i32) (local $stream i32)
      (local.set $body (call $begin (local.get $out) (local.get $status)))
      (call $body.write (local.get $body) (i32.const 0))
      (local.set $stream (i32.load (i32.const 4)))
      (call $stream.write (local.get $stream) (local.get $text) (local.get $length) (i32.const 0))
      ;; the stream is a child of the body, so it goes first
      (call $stream.drop (local.get $stream))
      (call $body.finish (local.get $body) (i32.const 0) (i32.const 0) (i32.const 0))))
  (core instance $main (instantiate $main-module
    (with "memory" (instance $memory))
    (with "wasi" (instance
      (export "request.path" (func $request.path))
      (export "outgoing.new" (func $outgoing.new))
      (export "outgoing.set-scheme" (func $outgoing.set-scheme))
      (export "outgoing.set-authority" (func $outgoing.set-authority))
      (export "outgoing.set-path" (func $outgoing.set-path))
      (export "fetch" (func $fetch))
      (export "future.subscribe" (func $future.subscribe))
      (export "pollable.block" (func $pollable.block))
      (export "pollable.drop" (func $pollable.drop))
      (export "future.get" (func $future.get))
      (export "future.drop" (func $future.drop))
      (export "incoming.status" (func $incoming.status))
      (export "incoming.consume" (func $incoming.consume))
      (export "incoming.stream" (func $incoming.stream))
      (export "incoming.drop" (func $incoming.drop))
      (export "incoming-body.drop" (func $incoming-body.drop))
      (export "source.drop" (func $source.drop))
      (export "request.drop" (func $request.drop))
      (export "fields.new" (func $fields.new))
      (export "response.new" (func $response.new))
      (export "response.set-status" (func $response.set-status))
      (export "response.body" (func $response.body))
      (export "body.write" (func $body.write))
      (export "body.finish" (func $body.finish))
      (export "body.drop" (func $body.drop))
      (export "outparam.set" (func $outparam.set))
      (export "stream.write" (func $stream.write))
      (export "stream.splice" (func $stream.splice))
      (export "stream.drop" (func $stream.drop))
      (export "error.drop" (func $error.drop))))))

  ;; ---- What it offers ---------------------------------------------------------------------------------------------

  ;; `canon lift` is the way back up: a core function becomes one of the component, with the types of the standard.
  (func $handle (param "request" (own $incoming-request)) (param "response-out" (own $response-outparam))
    (canon lift (core func $main "handle")))
  (instance $handler (export "handle" (func $handle)))
  (export "wasi:http/incoming-handler@0.2.0" (instance $handler)))

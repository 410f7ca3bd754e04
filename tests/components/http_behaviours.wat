;; An HTTP guest that misbehaves on request: the second letter of the path says how.
;;
;;   /n  returns without an answer               /e  answers with an error-code instead of a response
;;   /p  sets a head, then traps                 /b  writes 256 KiB, then traps
;;   /c  writes a little, gives the body up      /f  writes for ever
;;   /w  writes, waits 0.2 s, writes again       /i  sends the body of the request back
;;   /o  prints to stdout and stderr             /l  writes a little, leaves the body open
;;   anything else  says ok
(component $behaviours
  (import "wasi:io/error@0.2.0" (instance $errors
    (export "error" (type (sub resource)))))
  (alias export $errors "error" (type $io-error))
  (import "wasi:io/poll@0.2.0" (instance $poll
    (export "pollable" (type $pollable (sub resource)))
    (export "[method]pollable.block" (func (param "self" (borrow $pollable))))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
    (export "pollable" (type $ready (eq $pollable)))
    (export "subscribe-duration" (func (param "when" u64) (result (own $ready))))))
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
  (import "wasi:cli/stdout@0.2.0" (instance $stdout
    (export "output-stream" (type $sink (eq $output-stream)))
    (export "get-stdout" (func (result (own $sink))))))
  (import "wasi:cli/stderr@0.2.0" (instance $stderr
    (export "output-stream" (type $sink (eq $output-stream)))
    (export "get-stderr" (func (result (own $sink))))))
  (import "wasi:http/types@0.2.0" (instance $http
    (export "input-stream" (type $source (eq $input-stream)))
    (export "output-stream" (type $sink (eq $output-stream)))
    (export "fields" (type $fields (sub resource)))
    (export "headers" (type $headers (eq $fields)))
    (export "trailers" (type $trailers (eq $fields)))
    (export "incoming-request" (type $incoming-request (sub resource)))
    (export "incoming-body" (type $incoming-body (sub resource)))
    (export "outgoing-response" (type $outgoing-response (sub resource)))
    (export "outgoing-body" (type $outgoing-body (sub resource)))
    (export "response-outparam" (type $response-outparam (sub resource)))
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
    (export "[method]incoming-request.consume" (func
      (param "self" (borrow $incoming-request)) (result (result (own $incoming-body)))))
    (export "[method]incoming-body.stream" (func
      (param "self" (borrow $incoming-body)) (result (result (own $source)))))
    (export "[constructor]outgoing-response" (func
      (param "headers" (own $headers)) (result (own $outgoing-response))))
    (export "[method]outgoing-response.body" (func
      (param "self" (borrow $outgoing-response)) (result (result (own $outgoing-body)))))
    (export "[method]outgoing-body.write" (func
      (param "self" (borrow $outgoing-body)) (result (result (own $output-stream)))))
    (export "[static]outgoing-body.finish" (func
      (param "this" (own $outgoing-body)) (param "trailers" (option (own $trailers)))
      (result (result (error $error-code)))))
    (export "[static]response-outparam.set" (func
      (param "param" (own $response-outparam))
      (param "response" (result (own $outgoing-response) (error $error-code)))))))
  (alias export $http "incoming-request" (type $incoming-request))
  (alias export $http "incoming-body" (type $incoming-body))
  (alias export $http "outgoing-body" (type $outgoing-body))
  (alias export $http "response-outparam" (type $response-outparam))

  (core module $memory-module
    (memory (export "memory") 2)
    (data (i32.const 64) "ok\n")
    (data (i32.const 80) "a line of stdout\nand one without an end")
    (data (i32.const 160) "a line of stderr\n")
    (global $end (mut i32) (i32.const 70000))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.set $end (i32.add (global.get $end) (i32.and (i32.add (local.get 3) (i32.const 7)) (i32.const -8))))
      (i32.sub (global.get $end) (i32.and (i32.add (local.get 3) (i32.const 7)) (i32.const -8)))))
  (core instance $memory (instantiate $memory-module))

  (core func $request.path (canon lower (func $http "[method]incoming-request.path-with-query")
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (core func $request.consume (canon lower (func $http "[method]incoming-request.consume")
    (memory (core memory $memory "memory"))))
  (core func $source-body.stream (canon lower (func $http "[method]incoming-body.stream")
    (memory (core memory $memory "memory"))))
  (core func $fields.new (canon lower (func $http "[constructor]fields")))
  (core func $response.new (canon lower (func $http "[constructor]outgoing-response")))
  (core func $response.body (canon lower (func $http "[method]outgoing-response.body")
    (memory (core memory $memory "memory"))))
  (core func $body.write (canon lower (func $http "[method]outgoing-body.write")
    (memory (core memory $memory "memory"))))
  (core func $body.finish (canon lower (func $http "[static]outgoing-body.finish")
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (core func $outparam.set (canon lower (func $http "[static]response-outparam.set")
    (memory (core memory $memory "memory"))))
  (core func $stream.write (canon lower (func $streams "[method]output-stream.blocking-write-and-flush")
    (memory (core memory $memory "memory"))))
  (core func $stream.splice (canon lower (func $streams "[method]output-stream.blocking-splice")
    (memory (core memory $memory "memory"))))
  (core func $clock.subscribe (canon lower (func $clock "subscribe-duration")))
  (core func $pollable.block (canon lower (func $poll "[method]pollable.block")))
  (core func $stdout (canon lower (func $stdout "get-stdout")))
  (core func $stderr (canon lower (func $stderr "get-stderr")))
  (core func $pollable.drop (canon resource.drop $pollable))
  (core func $request.drop (canon resource.drop $incoming-request))
  (core func $source-body.drop (canon resource.drop $incoming-body))
  (core func $source.drop (canon resource.drop $input-stream))
  (core func $stream.drop (canon resource.drop $output-stream))
  (core func $body.drop (canon resource.drop $outgoing-body))
  (core func $outparam.drop (canon resource.drop $response-outparam))

  (core module $main-module
    (import "memory" "memory" (memory 2))
    (import "wasi" "request.path" (func $request.path (param i32 i32)))
    (import "wasi" "request.consume" (func $request.consume (param i32 i32)))
    (import "wasi" "source-body.stream" (func $source-body.stream (param i32 i32)))
    (import "wasi" "fields.new" (func $fields.new (result i32)))
    (import "wasi" "response.new" (func $response.new (param i32) (result i32)))
    (import "wasi" "response.body" (func $response.body (param i32 i32)))
    (import "wasi" "body.write" (func $body.write (param i32 i32)))
    (import "wasi" "body.finish" (func $body.finish (param i32 i32 i32 i32)))
    (import "wasi" "outparam.set" (func $outparam.set (param i32 i32 i32 i32 i64 i32 i32 i32 i32)))
    (import "wasi" "stream.write" (func $stream.write (param i32 i32 i32 i32)))
    (import "wasi" "stream.splice" (func $stream.splice (param i32 i32 i64 i32)))
    (import "wasi" "clock.subscribe" (func $clock.subscribe (param i64) (result i32)))
    (import "wasi" "pollable.block" (func $pollable.block (param i32)))
    (import "wasi" "stdout" (func $stdout (result i32)))
    (import "wasi" "stderr" (func $stderr (result i32)))
    (import "wasi" "pollable.drop" (func $pollable.drop (param i32)))
    (import "wasi" "request.drop" (func $request.drop (param i32)))
    (import "wasi" "source-body.drop" (func $source-body.drop (param i32)))
    (import "wasi" "source.drop" (func $source.drop (param i32)))
    (import "wasi" "stream.drop" (func $stream.drop (param i32)))
    (import "wasi" "body.drop" (func $body.drop (param i32)))
    (import "wasi" "outparam.drop" (func $outparam.drop (param i32)))

    (func $handle (export "handle") (param $request i32) (param $out i32)
      (local $case i32) (local $body i32) (local $stream i32) (local $left i32)
      (local.set $case (call $letter (local.get $request)))
      (if (i32.eq (local.get $case) (i32.const 110))  ;; n
        (then (call $request.drop (local.get $request)) (call $outparam.drop (local.get $out)) (return)))
      (if (i32.eq (local.get $case) (i32.const 101))  ;; e: internal-error, without a text
        (then
          (call $request.drop (local.get $request))
          (call $outparam.set (local.get $out) (i32.const 1) (i32.const 38)
            (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
          (return)))
      (if (i32.eq (local.get $case) (i32.const 111))  ;; o
        (then (call $print)))
      (local.set $body (call $begin (local.get $out)))
      (if (i32.eq (local.get $case) (i32.const 112))  ;; p
        (then (unreachable)))
      (call $body.write (local.get $body) (i32.const 0))
      (local.set $stream (i32.load (i32.const 4)))
      (if (i32.eq (local.get $case) (i32.const 105))  ;; i
        (then (call $echo (local.get $request) (local.get $stream)))
        (else (call $request.drop (local.get $request)) (call $say (local.get $stream))))
      (if (i32.eq (local.get $case) (i32.const 108))  ;; l
        (then (return)))
      (if (i32.eq (local.get $case) (i32.const 98))  ;; b
        (then
          (local.set $left (i32.const 64))
          (loop $more
            (call $stream.write (local.get $stream) (i32.const 4096) (i32.const 4096) (i32.const 0))
            (local.set $left (i32.sub (local.get $left) (i32.const 1)))
            (br_if $more (local.get $left)))
          (unreachable)))
      (if (i32.eq (local.get $case) (i32.const 102))  ;; f: until the stream is closed
        (then
          (loop $more
            (call $stream.write (local.get $stream) (i32.const 4096) (i32.const 4096) (i32.const 0))
            (br_if $more (i32.eqz (i32.load8_u (i32.const 0)))))))
      (if (i32.eq (local.get $case) (i32.const 119))  ;; w
        (then (call $wait) (call $say (local.get $stream))))
      (call $stream.drop (local.get $stream))
      (if (i32.eq (local.get $case) (i32.const 99))  ;; c
        (then (call $body.drop (local.get $body)))
        (else (call $body.finish (local.get $body) (i32.const 0) (i32.const 0) (i32.const 0)))))

    ;; The second letter of the path, 0 where there is none.
    (func $letter (param $request i32) (result i32)
      (call $request.path (local.get $request) (i32.const 0))
      (if (result i32) (i32.gt_u (i32.load (i32.const 8)) (i32.const 1))
        (then (i32.load8_u offset=1 (i32.load (i32.const 4))))
        (else (i32.const 0))))

    ;; Sends the head of a response; gives the body that is to follow.
    (func $begin (param $out i32) (result i32)
      (local $response i32) (local $body i32)
      (local.set $response (call $response.new (call $fields.new)))
      (call $response.body (local.get $response) (i32.const 0))
      (local.set $body (i32.load (i32.const 4)))
      (call $outparam.set (local.get $out) (i32.const 0) (local.get $response)
        (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
      (local.get $body))

    (func $say (param $stream i32)
      (call $stream.write (local.get $stream) (i32.const 64) (i32.const 3) (i32.const 0)))

    (func $wait
      (local $pollable i32)
      (local.set $pollable (call $clock.subscribe (i64.const 200000000)))
      (call $pollable.block (local.get $pollable))
      (call $pollable.drop (local.get $pollable)))

    (func $echo (param $request i32) (param $stream i32)
      (local $body i32) (local $source i32)
      (call $request.consume (local.get $request) (i32.const 0))
      (local.set $body (i32.load (i32.const 4)))
      (call $source-body.stream (local.get $body) (i32.const 0))
      (local.set $source (i32.load (i32.const 4)))
      (loop $more
        (call $stream.splice (local.get $stream) (local.get $source) (i64.const 65536) (i32.const 0))
        (br_if $more (i32.eqz (i32.load8_u (i32.const 0)))))
      (call $source.drop (local.get $source))
      (call $source-body.drop (local.get $body))
      (call $request.drop (local.get $request)))

    (func $print
      (local $stream i32)
      (local.set $stream (call $stdout))
      (call $stream.write (local.get $stream) (i32.const 80) (i32.const 39) (i32.const 0))
      (call $stream.drop (local.get $stream))
      (local.set $stream (call $stderr))
      (call $stream.write (local.get $stream) (i32.const 160) (i32.const 17) (i32.const 0))
      (call $stream.drop (local.get $stream))))
  (core instance $main (instantiate $main-module
    (with "memory" (instance $memory))
    (with "wasi" (instance
      (export "request.path" (func $request.path))
      (export "request.consume" (func $request.consume))
      (export "source-body.stream" (func $source-body.stream))
      (export "fields.new" (func $fields.new))
      (export "response.new" (func $response.new))
      (export "response.body" (func $response.body))
      (export "body.write" (func $body.write))
      (export "body.finish" (func $body.finish))
      (export "outparam.set" (func $outparam.set))
      (export "stream.write" (func $stream.write))
      (export "stream.splice" (func $stream.splice))
      (export "clock.subscribe" (func $clock.subscribe))
      (export "pollable.block" (func $pollable.block))
      (export "stdout" (func $stdout))
      (export "stderr" (func $stderr))
      (export "pollable.drop" (func $pollable.drop))
      (export "request.drop" (func $request.drop))
      (export "source-body.drop" (func $source-body.drop))
      (export "source.drop" (func $source.drop))
      (export "stream.drop" (func $stream.drop))
      (export "body.drop" (func $body.drop))
      (export "outparam.drop" (func $outparam.drop))))))

  (func $handle (param "request" (own $incoming-request)) (param "response-out" (own $response-outparam))
    (canon lift (core func $main "handle")))
  (instance $handler (export "handle" (func $handle)))
  (export "wasi:http/incoming-handler@0.2.0" (instance $handler)))

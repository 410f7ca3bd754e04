;; Publishes "hello" to the subject that the path is: `/orders.new`. Answers 202, or 500 and the error of publish.
(component
  ;; ---- What it asks for -------------------------------------------------------------------------------------------

  ;; wasi:io: errors, and the streams that bodies flow through.
  (import "wasi:io/error@0.2.0" (instance $errors
    (export "error" (type (sub resource)))))
  (alias export $errors "error" (type $io-error))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (export "error" (type $error (eq $io-error)))
    (type $stream-error' (variant (case "last-operation-failed" (own $error)) (case "closed")))
    (export "stream-error" (type $stream-error (eq $stream-error')))
    (export "output-stream" (type $output-stream (sub resource)))
    (export "[method]output-stream.blocking-write-and-flush" (func
      (param "self" (borrow $output-stream)) (param "contents" (list u8))
      (result (result (error $stream-error)))))))
  (alias export $streams "output-stream" (type $output-stream))

  ;; wasi:http: requests and responses. Of the standard's functions only those that are called here.
  (import "wasi:http/types@0.2.0" (instance $http
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
      (param "response" (result (own $outgoing-response) (error $error-code)))))))
  (alias export $http "incoming-request" (type $incoming-request))
  (alias export $http "response-outparam" (type $response-outparam))

  (import "wasmcloud:messaging/types@0.2.0" (instance $types
    (type $message' (record (field "subject" string) (field "body" (list u8)) (field "reply-to" (option string))))
    (export "broker-message" (type $message (eq $message')))))
  (alias export $types "broker-message" (type $message))
  (import "wasmcloud:messaging/consumer@0.2.0" (instance $consumer
    (export "broker-message" (type $broker-message (eq $message)))
    (export "publish" (func (param "msg" $broker-message) (result (result (error string)))))))

  ;; ---- Memory -----------------------------------------------------------------------------------------------------

  ;; Texts and results cross the border through the guest's memory. It has a module of its own, because the imports
  ;; need it first and the program, which needs the imports, comes last.
  (core module $memory-module
    (memory (export "memory") 1)
    (data (i32.const 64) "hello")
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
  (core func $publish (canon lower (func $consumer "publish")
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
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
  (core func $outparam.set (canon lower (func $http "[static]response-outparam.set")
    (memory (core memory $memory "memory"))))
  (core func $stream.write (canon lower (func $streams "[method]output-stream.blocking-write-and-flush")
    (memory (core memory $memory "memory"))))
  (core func $stream.drop (canon resource.drop $output-stream))

  ;; ---- The program ------------------------------------------------------------------------------------------------

  (core module $main-module
    (import "memory" "memory" (memory 1))
    (import "wasi" "request.path" (func $request.path (param i32 i32)))
    (import "wasi" "publish" (func $publish (param i32 i32 i32 i32 i32 i32 i32 i32)))
    (import "wasi" "request.drop" (func $request.drop (param i32)))
    (import "wasi" "fields.new" (func $fields.new (result i32)))
    (import "wasi" "response.new" (func $response.new (param i32) (result i32)))
    (import "wasi" "response.set-status" (func $response.set-status (param i32 i32) (result i32)))
    (import "wasi" "response.body" (func $response.body (param i32 i32)))
    (import "wasi" "body.write" (func $body.write (param i32 i32)))
    (import "wasi" "body.finish" (func $body.finish (param i32 i32 i32 i32)))
    (import "wasi" "outparam.set" (func $outparam.set (param i32 i32 i32 i32 i64 i32 i32 i32 i32)))
    (import "wasi" "stream.write" (func $stream.write (param i32 i32 i32 i32)))
    (import "wasi" "stream.drop" (func $stream.drop (param i32)))

    (func $handle (export "handle") (param $request i32) (param $out i32)
      (call $read-key (local.get $request))
      ;; publish(message): at 0 a byte, 0 for ok; at 4 and 8 the text of the error
      (call $publish (global.get $key) (global.get $key-length) (i32.const 64) (i32.const 5)
        (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
      (if (i32.load8_u (i32.const 0))
        (then (return (call $answer (local.get $out) (i32.const 500) (i32.load (i32.const 4)) (i32.load (i32.const 8))))))
      (call $answer (local.get $out) (i32.const 202) (i32.const 64) (i32.const 5)))

    ;; Leaves in $key and $key-length the path of the request without its slash and query.
    (global $key (mut i32) (i32.const 0))
    (global $key-length (mut i32) (i32.const 0))
    (func $read-key (param $request i32)
      (local $length i32)
      (call $request.path (local.get $request) (i32.const 0))
      (call $request.drop (local.get $request))
      (if (i32.load8_u (i32.const 0))
        (then
          (global.set $key (i32.add (i32.load (i32.const 4)) (i32.const 1)))
          (local.set $length (i32.sub (i32.load (i32.const 8)) (i32.const 1)))))
      (global.set $key-length (i32.const 0))
      (block $end
        (loop $next
          (br_if $end (i32.ge_s (global.get $key-length) (local.get $length)))
          (br_if $end (i32.eq
            (i32.load8_u (i32.add (global.get $key) (global.get $key-length)))
            (i32.const 63)))  ;; a question mark
          (global.set $key-length (i32.add (global.get $key-length) (i32.const 1)))
          (br $next))))

    ;; Answers with a status and a text of up to 4096 bytes.
    (func $answer (param $out i32) (param $status i32) (param $text i32) (param $length i32)
      (local $response i32) (local $body i32) (local $stream i32)
      (local.set $response (call $response.new (call $fields.new)))
      (drop (call $response.set-status (local.get $response) (local.get $status)))
      ;; results lie at address 0: first a byte, 0 for ok, then at 4 the handle
      (call $response.body (local.get $response) (i32.const 0))
      (local.set $body (i32.load (i32.const 4)))
      ;; ok(response); the zeroes are the room that an error-code would take
      (call $outparam.set (local.get $out) (i32.const 0) (local.get $response)
        (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
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
      (export "publish" (func $publish))
      (export "request.drop" (func $request.drop))
      (export "fields.new" (func $fields.new))
      (export "response.new" (func $response.new))
      (export "response.set-status" (func $response.set-status))
      (export "response.body" (func $response.body))
      (export "body.write" (func $body.write))
      (export "body.finish" (func $body.finish))
      (export "outparam.set" (func $outparam.set))
      (export "stream.write" (func $stream.write))
      (export "stream.drop" (func $stream.drop))))))

  ;; ---- What it offers ---------------------------------------------------------------------------------------------

  ;; `canon lift` is the way back up: a core function becomes one of the component, with the types of the standard.
  (func $handle (param "request" (own $incoming-request)) (param "response-out" (own $response-outparam))
    (canon lift (core func $main "handle")))
  (instance $handler (export "handle" (func $handle)))
  (export "wasi:http/incoming-handler@0.2.0" (instance $handler)))

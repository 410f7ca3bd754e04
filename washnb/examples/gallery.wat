;; Keeps what it is sent as objects of a blob store, in the container "gallery": `PUT /NAME` stores the body, `GET /NAME`
;; answers it, `GET /` lists the names, `DELETE /NAME` deletes. However large an object is, none of its bytes crosses the
;; border: streams are spliced inside the host.
;;
;;   world gallery {
;;     import wasi:http/types@0.2.0;
;;     import wasi:blobstore/types@0.2.0-draft;
;;     import wasi:blobstore/container@0.2.0-draft;
;;     import wasi:blobstore/blobstore@0.2.0-draft;
;;     export wasi:http/incoming-handler@0.2.0;
;;   }
;;
;; Try it: %wash load example:gallery --attach blobstore    %wash send PUT /hello -d 'in a blob'    %wash blobs
(component $gallery
  ;; ---- What it asks for -------------------------------------------------------------------------------------------

  ;; wasi:io: errors, and the streams that bodies and blobs flow through.
  (import "wasi:io/error@0.2.0" (instance $errors
    (export "error" (type (sub resource)))))
  (alias export $errors "error" (type $io-error))
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

    (type $method' (variant (case "get") (case "head") (case "post") (case "put") (case "delete") (case "connect")
      (case "options") (case "trace") (case "patch") (case "other" string)))
    (export "method" (type $method (eq $method')))

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
    (export "[method]incoming-request.method" (func (param "self" (borrow $incoming-request)) (result $method)))
    (export "[method]incoming-request.path-with-query" (func
      (param "self" (borrow $incoming-request)) (result (option string))))
    (export "[method]incoming-request.consume" (func
      (param "self" (borrow $incoming-request)) (result (result (own $incoming-body)))))
    (export "[method]incoming-body.stream" (func
      (param "self" (borrow $incoming-body)) (result (result (own $source)))))
    (export "[constructor]outgoing-response" (func
      (param "headers" (own $headers)) (result (own $outgoing-response))))
    (export "[method]outgoing-response.set-status-code" (func
      (param "self" (borrow $outgoing-response)) (param "status-code" u16) (result (result))))
    (export "[method]outgoing-response.body" (func
      (param "self" (borrow $outgoing-response)) (result (result (own $outgoing-body)))))
    (export "[method]outgoing-body.write" (func
      (param "self" (borrow $outgoing-body)) (result (result (own $sink)))))
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

  ;; wasi:blobstore: values on their way in and out, containers of objects, and the store that has the containers. Every
  ;; error of it is a text.
  (import "wasi:blobstore/types@0.2.0-draft" (instance $blob-types
    (export "input-stream" (type $source (eq $input-stream)))
    (export "output-stream" (type $sink (eq $output-stream)))
    (export "outgoing-value" (type $outgoing-value (sub resource)))
    (export "incoming-value" (type $incoming-value (sub resource)))
    (export "[static]outgoing-value.new-outgoing-value" (func (result (own $outgoing-value))))
    (export "[method]outgoing-value.outgoing-value-write-body" (func
      (param "self" (borrow $outgoing-value)) (result (result (own $sink)))))
    (export "[static]outgoing-value.finish" (func
      (param "this" (own $outgoing-value)) (result (result (error string)))))
    (export "[static]incoming-value.incoming-value-consume-async" (func
      (param "this" (own $incoming-value)) (result (result (own $source) (error string)))))))
  (alias export $blob-types "outgoing-value" (type $outgoing-value))
  (alias export $blob-types "incoming-value" (type $incoming-value))
  (import "wasi:blobstore/container@0.2.0-draft" (instance $containers
    (export "incoming-value" (type $incoming (eq $incoming-value)))
    (export "outgoing-value" (type $outgoing (eq $outgoing-value)))
    (export "container" (type $container (sub resource)))
    (export "stream-object-names" (type $names (sub resource)))
    (export "[method]container.get-data" (func
      (param "self" (borrow $container)) (param "name" string) (param "start" u64) (param "end" u64)
      (result (result (own $incoming) (error string)))))
    (export "[method]container.write-data" (func
      (param "self" (borrow $container)) (param "name" string) (param "data" (borrow $outgoing))
      (result (result (error string)))))
    (export "[method]container.list-objects" (func
      (param "self" (borrow $container)) (result (result (own $names) (error string)))))
    (export "[method]container.delete-object" (func
      (param "self" (borrow $container)) (param "name" string) (result (result (error string)))))
    (export "[method]stream-object-names.read-stream-object-names" (func
      (param "self" (borrow $names)) (param "len" u64) (result (result (tuple (list string) bool) (error string)))))))
  (alias export $containers "container" (type $container))
  (alias export $containers "stream-object-names" (type $names))
  (import "wasi:blobstore/blobstore@0.2.0-draft" (instance $blobstore
    (export "container" (type $container' (eq $container)))
    (export "create-container" (func (param "name" string) (result (result (own $container') (error string)))))
    (export "get-container" (func (param "name" string) (result (result (own $container') (error string)))))))

  ;; ---- Memory -----------------------------------------------------------------------------------------------------

  ;; Texts and results cross the border through the guest's memory. It has a module of its own, because the imports
  ;; need it first and the program, which needs the imports, comes last.
  (core module $memory-module
    (memory (export "memory") 1)
    (data (i32.const 64) "gallery")
    (data (i32.const 80) "stored\n")
    (data (i32.const 96) "deleted\n")
    (data (i32.const 112) "ask with GET, PUT, POST or DELETE\n")
    (data (i32.const 160) "it broke off\n")
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
  (core func $request.method (canon lower (func $http "[method]incoming-request.method")
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (core func $request.path (canon lower (func $http "[method]incoming-request.path-with-query")
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (core func $request.consume (canon lower (func $http "[method]incoming-request.consume")
    (memory (core memory $memory "memory"))))
  (core func $request.drop (canon resource.drop $incoming-request))
  (core func $incoming-body.stream (canon lower (func $http "[method]incoming-body.stream")
    (memory (core memory $memory "memory"))))
  (core func $incoming-body.drop (canon resource.drop $incoming-body))
  (core func $container.get (canon lower (func $blobstore "get-container")
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (core func $container.create (canon lower (func $blobstore "create-container")
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (core func $container.read (canon lower (func $containers "[method]container.get-data")
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (core func $container.write (canon lower (func $containers "[method]container.write-data")
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (core func $container.list (canon lower (func $containers "[method]container.list-objects")
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (core func $container.delete (canon lower (func $containers "[method]container.delete-object")
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (core func $container.drop (canon resource.drop $container))
  (core func $names.read (canon lower (func $containers "[method]stream-object-names.read-stream-object-names")
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (core func $names.drop (canon resource.drop $names))
  (core func $value.new (canon lower (func $blob-types "[static]outgoing-value.new-outgoing-value")))
  (core func $value.body (canon lower (func $blob-types "[method]outgoing-value.outgoing-value-write-body")
    (memory (core memory $memory "memory"))))
  (core func $value.finish (canon lower (func $blob-types "[static]outgoing-value.finish")
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (core func $value.drop (canon resource.drop $outgoing-value))
  (core func $value.consume (canon lower (func $blob-types "[static]incoming-value.incoming-value-consume-async")
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
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
  (core func $source.drop (canon resource.drop $input-stream))
  (core func $error.drop (canon resource.drop $io-error))

  ;; ---- The program ------------------------------------------------------------------------------------------------

  (core module $main-module
    (import "memory" "memory" (memory 1))
    (import "wasi" "request.method" (func $request.method (param i32 i32)))
    (import "wasi" "request.path" (func $request.path (param i32 i32)))
    (import "wasi" "request.consume" (func $request.consume (param i32 i32)))
    (import "wasi" "request.drop" (func $request.drop (param i32)))
    (import "wasi" "incoming-body.stream" (func $incoming-body.stream (param i32 i32)))
    (import "wasi" "incoming-body.drop" (func $incoming-body.drop (param i32)))
    (import "wasi" "container.get" (func $container.get (param i32 i32 i32)))
    (import "wasi" "container.create" (func $container.create (param i32 i32 i32)))
    (import "wasi" "container.read" (func $container.read (param i32 i32 i32 i64 i64 i32)))
    (import "wasi" "container.write" (func $container.write (param i32 i32 i32 i32 i32)))
    (import "wasi" "container.list" (func $container.list (param i32 i32)))
    (import "wasi" "container.delete" (func $container.delete (param i32 i32 i32 i32)))
    (import "wasi" "container.drop" (func $container.drop (param i32)))
    (import "wasi" "names.read" (func $names.read (param i32 i64 i32)))
    (import "wasi" "names.drop" (func $names.drop (param i32)))
    (import "wasi" "value.new" (func $value.new (result i32)))
    (import "wasi" "value.body" (func $value.body (param i32 i32)))
    (import "wasi" "value.finish" (func $value.finish (param i32 i32)))
    (import "wasi" "value.drop" (func $value.drop (param i32)))
    (import "wasi" "value.consume" (func $value.consume (param i32 i32)))
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
    (import "wasi" "source.drop" (func $source.drop (param i32)))
    (import "wasi" "error.drop" (func $error.drop (param i32)))

    (func $handle (export "handle") (param $request i32) (param $out i32)
      (local $container i32)
      (call $read-request (local.get $request))
      (local.set $container (call $open))
      (if (i32.eqz (local.get $container))
        (then
          (call $request.drop (local.get $request))
          (return (call $refuse (local.get $out) (i32.const 500)))))
      (block $done
        (block $put
          (block $delete
            (block $get
              ;; the cases of `method` in the order of the standard: get, head, post, put, delete
              (br_table $get $get $put $put $delete $done (global.get $method)))
            (if (global.get $name-length)
              (then (call $show (local.get $container) (local.get $out)))
              (else (call $list (local.get $container) (local.get $out))))
            (br $done))
          (call $delete (local.get $container) (local.get $out))
          (br $done))
        (call $store (local.get $container) (local.get $request) (local.get $out)))
      (if (i32.gt_u (global.get $method) (i32.const 4))
        (then (call $answer (local.get $out) (i32.const 405) (i32.const 112) (i32.const 34))))
      (call $container.drop (local.get $container))
      (call $request.drop (local.get $request)))

    ;; Leaves the case of the method, and in $name and $name-length the path without its slash and query.
    (global $method (mut i32) (i32.const 0))
    (global $name (mut i32) (i32.const 0))
    (global $name-length (mut i32) (i32.const 0))
    (func $read-request (param $request i32)
      (local $length i32)
      (call $request.method (local.get $request) (i32.const 0))
      (global.set $method (i32.load8_u (i32.const 0)))
      (call $request.path (local.get $request) (i32.const 0))
      (if (i32.load8_u (i32.const 0))
        (then
          (global.set $name (i32.add (i32.load (i32.const 4)) (i32.const 1)))
          (local.set $length (i32.sub (i32.load (i32.const 8)) (i32.const 1)))))
      (block $end
        (loop $next
          (br_if $end (i32.ge_s (global.get $name-length) (local.get $length)))
          (br_if $end (i32.eq
            (i32.load8_u (i32.add (global.get $name) (global.get $name-length)))
            (i32.const 63)))  ;; a question mark
          (global.set $name-length (i32.add (global.get $name-length) (i32.const 1)))
          (br $next))))

    ;; Gives the container, which is made the first time; 0 where there is none, and its error at 4.
    (func $open (result i32)
      ;; at 0 a byte, 0 for ok; at 4 the handle, or address and length of the error
      (call $container.get (i32.const 64) (i32.const 7) (i32.const 0))
      (if (i32.load8_u (i32.const 0))
        (then (call $container.create (i32.const 64) (i32.const 7) (i32.const 0))))
      (if (i32.load8_u (i32.const 0))
        (then (return (i32.const 0))))
      (i32.load (i32.const 4)))

    ;; Stores the body of the request: `finish` makes it an object.
    (func $store (param $container i32) (param $request i32) (param $out i32)
      (local $body i32) (local $source i32) (local $value i32) (local $sink i32) (local $failed i32)
      (local.set $value (call $value.new))
      (call $container.write
        (local.get $container) (global.get $name) (global.get $name-length) (local.get $value) (i32.const 0))
      (if (i32.load8_u (i32.const 0))
        (then
          (call $value.drop (local.get $value))
          (return (call $refuse (local.get $out) (i32.const 500)))))
      (call $value.body (local.get $value) (i32.const 0))
      (local.set $sink (i32.load (i32.const 4)))
      (call $request.consume (local.get $request) (i32.const 0))
      (local.set $body (i32.load (i32.const 4)))
      (call $incoming-body.stream (local.get $body) (i32.const 0))
      (local.set $source (i32.load (i32.const 4)))
      (local.set $failed (call $pass-on (local.get $source) (local.get $sink)))
      ;; children go before their parents
      (call $source.drop (local.get $source))
      (call $incoming-body.drop (local.get $body))
      (call $stream.drop (local.get $sink))
      (if (local.get $failed)
        (then
          (call $value.drop (local.get $value))
          (return (call $answer (local.get $out) (i32.const 500) (i32.const 160) (i32.const 13)))))
      (call $value.finish (local.get $value) (i32.const 0))
      (if (i32.load8_u (i32.const 0))
        (then (return (call $refuse (local.get $out) (i32.const 500)))))
      (call $answer (local.get $out) (i32.const 201) (i32.const 80) (i32.const 7)))

    ;; Answers an object.
    (func $show (param $container i32) (param $out i32)
      (local $source i32) (local $body i32) (local $sink i32) (local $failed i32)
      (call $container.read
        (local.get $container) (global.get $name) (global.get $name-length) (i64.const 0) (i64.const -1) (i32.const 0))
      (if (i32.load8_u (i32.const 0))
        (then (return (call $refuse (local.get $out) (i32.const 404)))))
      (call $value.consume (i32.load (i32.const 4)) (i32.const 0))
      (if (i32.load8_u (i32.const 0))
        (then (return (call $refuse (local.get $out) (i32.const 500)))))
      (local.set $source (i32.load (i32.const 4)))
      (local.set $body (call $begin (local.get $out) (i32.const 200)))
      (call $body.write (local.get $body) (i32.const 0))
      (local.set $sink (i32.load (i32.const 4)))
      (local.set $failed (call $pass-on (local.get $source) (local.get $sink)))
      (call $source.drop (local.get $source))
      (call $stream.drop (local.get $sink))
      ;; a body that is dropped unfinished tells the client that something is missing
      (if (local.get $failed)
        (then (call $body.drop (local.get $body)))
        (else (call $body.finish (local.get $body) (i32.const 0) (i32.const 0) (i32.const 0)))))

    ;; Answers the names of up to a hundred objects, one in each line.
    (func $list (param $container i32) (param $out i32)
      (local $names i32) (local $body i32) (local $sink i32) (local $at i32) (local $left i32)
      (call $container.list (local.get $container) (i32.const 0))
      (if (i32.load8_u (i32.const 0))
        (then (return (call $refuse (local.get $out) (i32.const 500)))))
      (local.set $names (i32.load (i32.const 4)))
      ;; at 0 a byte, 0 for ok; at 4 and 8 address and number of the names, each of them an address and a length
      (call $names.read (local.get $names) (i64.const 100) (i32.const 0))
      (call $names.drop (local.get $names))
      (if (i32.load8_u (i32.const 0))
        (then (return (call $refuse (local.get $out) (i32.const 500)))))
      (local.set $at (i32.load (i32.const 4)))
      (local.set $left (i32.load (i32.const 8)))
      (local.set $body (call $begin (local.get $out) (i32.const 200)))
      (call $body.write (local.get $body) (i32.const 0))
      (local.set $sink (i32.load (i32.const 4)))
      (block $end
        (loop $next
          (br_if $end (i32.eqz (local.get $left)))
          (call $stream.write (local.get $sink)
            (i32.load (local.get $at)) (i32.load offset=4 (local.get $at)) (i32.const 0))
          (i32.store8 (i32.const 48) (i32.const 10))
          (call $stream.write (local.get $sink) (i32.const 48) (i32.const 1) (i32.const 0))
          (local.set $at (i32.add (local.get $at) (i32.const 8)))
          (local.set $left (i32.sub (local.get $left) (i32.const 1)))
          (br $next)))
      (call $stream.drop (local.get $sink))
      (call $body.finish (local.get $body) (i32.const 0) (i32.const 0) (i32.const 0)))

    (func $delete (param $container i32) (param $out i32)
      (call $container.delete
        (local.get $container) (global.get $name) (global.get $name-length) (i32.const 0))
      (if (i32.load8_u (i32.const 0))
        (then (return (call $refuse (local.get $out) (i32.const 500)))))
      (call $answer (local.get $out) (i32.const 200) (i32.const 96) (i32.const 8)))

    ;; Lets a stream flow into another one until it ends; gives 1 where it broke off.
    (func $pass-on (param $source i32) (param $sink i32) (result i32)
      (loop $more
        (call $stream.splice (local.get $sink) (local.get $source) (i64.const 65536) (i32.const 0))
        (br_if $more (i32.eqz (i32.load8_u (i32.const 0)))))
      ;; the stream-error at 8 says how it ended: 0 for last-operation-failed, with an error at 12; 1 for closed
      (if (i32.load8_u (i32.const 8))
        (then (return (i32.const 0))))
      (call $error.drop (i32.load (i32.const 12)))
      (i32.const 1))

    ;; Answers the error of wasi:blobstore whose address and length are at 4 and 8.
    (func $refuse (param $out i32) (param $status i32)
      (call $answer (local.get $out) (local.get $status) (i32.load (i32.const 4)) (i32.load (i32.const 8))))

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
      (export "request.method" (func $request.method))
      (export "request.path" (func $request.path))
      (export "request.consume" (func $request.consume))
      (export "request.drop" (func $request.drop))
      (export "incoming-body.stream" (func $incoming-body.stream))
      (export "incoming-body.drop" (func $incoming-body.drop))
      (export "container.get" (func $container.get))
      (export "container.create" (func $container.create))
      (export "container.read" (func $container.read))
      (export "container.write" (func $container.write))
      (export "container.list" (func $container.list))
      (export "container.delete" (func $container.delete))
      (export "container.drop" (func $container.drop))
      (export "names.read" (func $names.read))
      (export "names.drop" (func $names.drop))
      (export "value.new" (func $value.new))
      (export "value.body" (func $value.body))
      (export "value.finish" (func $value.finish))
      (export "value.drop" (func $value.drop))
      (export "value.consume" (func $value.consume))
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
      (export "source.drop" (func $source.drop))
      (export "error.drop" (func $error.drop))))))

  ;; ---- What it offers ---------------------------------------------------------------------------------------------

  ;; `canon lift` is the way back up: a core function becomes one of the component, with the types of the standard.
  (func $handle (param "request" (own $incoming-request)) (param "response-out" (own $response-outparam))
    (canon lift (core func $main "handle")))
  (instance $handler (export "handle" (func $handle)))
  (export "wasi:http/incoming-handler@0.2.0" (instance $handler)))

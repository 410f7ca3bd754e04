;; Loops for ever on every request and never calls the host, which takes it off the processor again and again, so that
;; others run, and ends it when its time is over.
;;
;;   world loop { import wasi:http/types@0.2.0; export wasi:http/incoming-handler@0.2.0; }
;;
;; Try it: %wash load example:loop    %wash send / --timeout 2
(component $loop
  ;; Of wasi:http only the two types that the handler's signature names.
  (import "wasi:http/types@0.2.0" (instance $http
    (export "incoming-request" (type (sub resource)))
    (export "response-outparam" (type (sub resource)))))
  (alias export $http "incoming-request" (type $incoming-request))
  (alias export $http "response-outparam" (type $response-outparam))

  (core module $main-module
    (func $handle (export "handle") (param $request i32) (param $out i32)
      (loop $for-ever
        (br $for-ever))))
  (core instance $main (instantiate $main-module))

  (func $handle (param "request" (own $incoming-request)) (param "response-out" (own $response-outparam))
    (canon lift (core func $main "handle")))
  (instance $handler (export "handle" (func $handle)))
  (export "wasi:http/incoming-handler@0.2.0" (instance $handler)))

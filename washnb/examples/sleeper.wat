;; Sleeps for a day on every request, as a guest does whose upstream never answers. It costs no processor time, and the
;; host ends it when its time is over.
;;
;;   world sleeper {
;;     import wasi:io/poll@0.2.0;
;;     import wasi:clocks/monotonic-clock@0.2.0;
;;     import wasi:http/types@0.2.0;
;;     export wasi:http/incoming-handler@0.2.0;
;;   }
;;
;; Try it: %wash load example:sleeper    %wash send / --timeout 2
(component $sleeper
  ;; A pollable stands for something that will be ready at some time; `block` waits for it.
  (import "wasi:io/poll@0.2.0" (instance $poll
    (export "pollable" (type $pollable (sub resource)))
    (export "[method]pollable.block" (func (param "self" (borrow $pollable))))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
    (export "pollable" (type $pollable' (eq $pollable)))
    (type $duration' u64)
    (export "duration" (type $duration (eq $duration')))
    (export "subscribe-duration" (func (param "when" $duration) (result (own $pollable'))))))

  ;; Of wasi:http only the two types that the handler's signature names.
  (import "wasi:http/types@0.2.0" (instance $http
    (export "incoming-request" (type (sub resource)))
    (export "response-outparam" (type (sub resource)))))
  (alias export $http "incoming-request" (type $incoming-request))
  (alias export $http "response-outparam" (type $response-outparam))

  (core func $subscribe (canon lower (func $clock "subscribe-duration")))
  (core func $block (canon lower (func $poll "[method]pollable.block")))
  (core module $main-module
    (import "wasi" "subscribe-duration" (func $subscribe (param i64) (result i32)))
    (import "wasi" "block" (func $block (param i32)))
    (func $handle (export "handle") (param $request i32) (param $out i32)
      ;; a day in nanoseconds
      (call $block (call $subscribe (i64.const 86_400_000_000_000)))))
  (core instance $main (instantiate $main-module
    (with "wasi" (instance
      (export "subscribe-duration" (func $subscribe))
      (export "block" (func $block))))))

  (func $handle (param "request" (own $incoming-request)) (param "response-out" (own $response-outparam))
    (canon lift (core func $main "handle")))
  (instance $handler (export "handle" (func $handle)))
  (export "wasi:http/incoming-handler@0.2.0" (instance $handler)))

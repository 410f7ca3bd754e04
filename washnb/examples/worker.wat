;; Does what messages ask of it: publishes the body, in capital letters, to the subject that the message wants its reply
;; at. A message without a body is an error, and one that wants no reply is taken and forgotten.
;;
;;   world worker {
;;     import wasmcloud:messaging/types@0.2.0;
;;     import wasmcloud:messaging/consumer@0.2.0;
;;     export wasmcloud:messaging/handler@0.2.0;
;;   }
;;
;; Try it: %wash load example:worker --attach messaging --config subscriptions=tasks.*    %wash request tasks.shout -d hi
(component $worker
  ;; ---- What it asks for -------------------------------------------------------------------------------------------

  ;; wasmcloud:messaging: what a message is, and a way to send one.
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
    (data (i32.const 64) "there is nothing to do")
    ;; The host asks here for room for what it hands in: always at the end, nothing is taken back. A fresh instance
    ;; handles each message, so there is no need to.
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

  ;; `canon lower` makes a core function of an imported one: addresses and lengths for texts, an address for the result.
  (core func $publish (canon lower (func $consumer "publish")
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))

  ;; ---- The program ------------------------------------------------------------------------------------------------

  (core module $main-module
    (import "memory" "memory" (memory 1))
    (import "wasmcloud" "publish" (func $publish (param i32 i32 i32 i32 i32 i32 i32 i32)))

    ;; The result lies at 0: a byte, 0 for ok; at 4 and 8 address and length of the error.
    (func $handle (export "handle") (param $subject i32) (param $subject-length i32)
      (param $body i32) (param $length i32)
      (param $wants-reply i32) (param $reply-to i32) (param $reply-to-length i32) (result i32)
      (if (i32.eqz (local.get $length))
        (then
          (i32.store8 (i32.const 0) (i32.const 1))
          (i32.store (i32.const 4) (i32.const 64))
          (i32.store (i32.const 8) (i32.const 22))
          (return (i32.const 0))))
      (call $shout (local.get $body) (local.get $length))
      (if (local.get $wants-reply)
        (then
          ;; the reply is a message that wants none itself; its result is this function's, too
          (call $publish (local.get $reply-to) (local.get $reply-to-length) (local.get $body) (local.get $length)
            (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))))
      (i32.const 0))

    ;; Makes capitals of the letters a to z.
    (func $shout (param $at i32) (param $left i32)
      (local $letter i32)
      (loop $next
        (local.set $letter (i32.load8_u (local.get $at)))
        (if (i32.lt_u (i32.sub (local.get $letter) (i32.const 97)) (i32.const 26))
          (then (i32.store8 (local.get $at) (i32.sub (local.get $letter) (i32.const 32)))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (local.set $left (i32.sub (local.get $left) (i32.const 1)))
        (br_if $next (local.get $left)))))
  (core instance $main (instantiate $main-module
    (with "memory" (instance $memory))
    (with "wasmcloud" (instance (export "publish" (func $publish))))))

  ;; ---- What it offers ---------------------------------------------------------------------------------------------

  ;; `canon lift` is the way back up: a core function becomes one of the component, with the types of the interface.
  (func $handle (param "msg" $message) (result (result (error string)))
    (canon lift (core func $main "handle")
      (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (instance $handler (export "handle-message" (func $handle)))
  (export "wasmcloud:messaging/handler@0.2.0" (instance $handler)))

;; Passes `publish` and `request` on to wasmcloud:messaging, and handles messages: it publishes the body to reply-to, if
;; there is one. Where the body begins with `s` it asks the subject "slow" first, for up to 200 ms.
(component
  (import "wasmcloud:messaging/types@0.2.0" (instance $types
    (type $message' (record (field "subject" string) (field "body" (list u8)) (field "reply-to" (option string))))
    (export "broker-message" (type $message (eq $message')))))
  (alias export $types "broker-message" (type $message))
  (import "wasmcloud:messaging/consumer@0.2.0" (instance $consumer
    (export "broker-message" (type $broker-message (eq $message)))
    (export "request" (func (param "subject" string) (param "body" (list u8)) (param "timeout-ms" u32)
      (result (result $broker-message (error string)))))
    (export "publish" (func (param "msg" $broker-message) (result (result (error string)))))))

  (core module $Memory
    (memory (export "memory") 1)
    (data (i32.const 16) "slow")
    (global $free (mut i32) (i32.const 1024))
    (func (export "realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
      (global.set $free (i32.add (local.get $at) (local.get $size)))
      (if (i32.gt_u (global.get $free) (i32.shl (memory.size) (i32.const 16)))
        (then (drop (memory.grow (i32.add (i32.shr_u (local.get $size) (i32.const 16)) (i32.const 1))))))
      (local.get $at))
  )
  (core instance $memory (instantiate $Memory))
  (core func $request (canon lower (func $consumer "request")
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (core func $publish (canon lower (func $consumer "publish")
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))

  ;; The result of request is at 64, that of publish at 128, of which the first byte is 0 to begin with.
  (core module $Main
    (import "host" "request" (func $request (param i32 i32 i32 i32 i32 i32)))
    (import "host" "publish" (func $publish (param i32 i32 i32 i32 i32 i32 i32 i32)))
    (import "memory" "memory" (memory 1))
    (func (export "request") (param i32 i32 i32 i32 i32) (result i32)
      (call $request
        (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (i32.const 64))
      (i32.const 64))
    (func (export "publish") (param i32 i32 i32 i32 i32 i32 i32) (result i32)
      (call $publish (local.get 0) (local.get 1) (local.get 2) (local.get 3)
        (local.get 4) (local.get 5) (local.get 6) (i32.const 128))
      (i32.const 128))
    (func (export "handle") (param $subject i32) (param $subject-length i32) (param $body i32) (param $length i32)
      (param $has-reply i32) (param $reply i32) (param $reply-length i32) (result i32)
      (if (local.get $length)
        (then
          (if (i32.eq (i32.load8_u (local.get $body)) (i32.const 115))
            (then (call $request (i32.const 16) (i32.const 4) (i32.const 0) (i32.const 0) (i32.const 200) (i32.const 64))))))
      (if (local.get $has-reply)
        (then (call $publish (local.get $reply) (local.get $reply-length) (local.get $body) (local.get $length)
          (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 128))))
      (i32.const 128))
  )
  (core instance $main (instantiate $Main
    (with "memory" (instance $memory))
    (with "host" (instance (export "request" (func $request)) (export "publish" (func $publish))))
  ))

  (func (export "request") (param "subject" string) (param "body" (list u8)) (param "timeout-ms" u32)
    (result (result $message (error string)))
    (canon lift (core func $main "request")
      (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (func (export "publish") (param "msg" $message) (result (result (error string)))
    (canon lift (core func $main "publish")
      (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (func $handle (param "msg" $message) (result (result (error string)))
    (canon lift (core func $main "handle")
      (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (instance $handler (export "handle-message" (func $handle)))
  (export "wasmcloud:messaging/handler@0.2.0" (instance $handler)))

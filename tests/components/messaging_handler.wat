;; Handles messages and imports no function. What it does depends on the first letter of the body: `e` returns an error,
;; `t` traps, `l` loops for ever, everything else is well.
(component
  (import "wasmcloud:messaging/types@0.2.0" (instance $types
    (type $message' (record (field "subject" string) (field "body" (list u8)) (field "reply-to" (option string))))
    (export "broker-message" (type $message (eq $message')))))
  (alias export $types "broker-message" (type $message))
  (core module $Main
    (memory (export "memory") 1)
    (data (i32.const 16) "I am full")
    (global $free (mut i32) (i32.const 1024))
    (func (export "realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
      (global.set $free (i32.add (local.get $at) (local.get $size)))
      (local.get $at))
    (func (export "handle") (param $subject i32) (param $subject-length i32) (param $body i32) (param $length i32)
      (param $has-reply i32) (param $reply i32) (param $reply-length i32) (result i32)
      (local $first i32)
      (if (local.get $length) (then (local.set $first (i32.load8_u (local.get $body)))))
      (if (i32.eq (local.get $first) (i32.const 101))  ;; e
        (then
          (i32.store8 (i32.const 0) (i32.const 1))
          (i32.store (i32.const 4) (i32.const 16))
          (i32.store (i32.const 8) (i32.const 9))))
      (if (i32.eq (local.get $first) (i32.const 116)) (then unreachable))  ;; t
      (if (i32.eq (local.get $first) (i32.const 108)) (then (loop $for-ever (br $for-ever))))  ;; l
      (i32.const 0))
  )
  (core instance $main (instantiate $Main))
  (func $handle (param "msg" $message) (result (result (error string)))
    (canon lift (core func $main "handle")
      (memory (core memory $main "memory")) (realloc (core func $main "realloc"))))
  (instance $handler (export "handle-message" (func $handle)))
  (export "wasmcloud:messaging/handler@0.2.0" (instance $handler)))

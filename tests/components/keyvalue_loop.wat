;; Calls wasi:keyvalue again and again: `get` gets the value of "k" in bucket "bench" so many times, `set` sets it to a
;; hundred bytes, `increment` counts it up. The bucket is opened once for each call of an export.
(component
  (import "wasi:keyvalue/store@0.2.0-draft" (instance $store
    (type $error' (variant (case "no-such-store") (case "access-denied") (case "other" string)))
    (export "error" (type $error (eq $error')))
    (export "bucket" (type $bucket (sub resource)))
    (export "open" (func (param "identifier" string) (result (result (own $bucket) (error $error)))))
    (export "[method]bucket.get" (func
      (param "self" (borrow $bucket)) (param "key" string)
      (result (result (option (list u8)) (error $error)))))
    (export "[method]bucket.set" (func
      (param "self" (borrow $bucket)) (param "key" string) (param "value" (list u8))
      (result (result (error $error)))))
  ))
  (alias export $store "bucket" (type $bucket))
  (alias export $store "error" (type $error))
  (import "wasi:keyvalue/atomics@0.2.0-draft" (instance $atomics
    (alias outer 1 $bucket (type $bucket'))
    (export "bucket" (type $bucket (eq $bucket')))
    (alias outer 1 $error (type $error'))
    (export "error" (type $error (eq $error')))
    (export "increment" (func
      (param "bucket" (borrow $bucket)) (param "key" string) (param "delta" u64)
      (result (result u64 (error $error)))))
  ))
  ;; What the host returns is written over from one call to the next.
  (core module $Memory
    (memory (export "memory") 1)
    (data (i32.const 0) "bench")
    (data (i32.const 8) "k")
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  )
  (core instance $memory (instantiate $Memory))
  (core func $open (canon lower (func $store "open")
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (core func $get (canon lower (func $store "[method]bucket.get")
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (core func $set (canon lower (func $store "[method]bucket.set")
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (core func $increment (canon lower (func $atomics "increment")
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (core func $drop (canon resource.drop $bucket))

  ;; The result of open is at 64, its handle at 68; every other result is at 128.
  (core module $Main
    (import "kv" "open" (func $open (param i32 i32 i32)))
    (import "kv" "get" (func $get (param i32 i32 i32 i32)))
    (import "kv" "set" (func $set (param i32 i32 i32 i32 i32 i32)))
    (import "kv" "increment" (func $increment (param i32 i32 i32 i64 i32)))
    (import "kv" "drop" (func $drop (param i32)))
    (import "memory" "memory" (memory 1))
    (func $bucket (result i32)
      (call $open (i32.const 0) (i32.const 5) (i32.const 64))
      (if (i32.load8_u (i32.const 64)) (then unreachable))
      (i32.load (i32.const 68)))
    (func $well (if (i32.load8_u (i32.const 128)) (then unreachable)))
    (func (export "get") (param $times i32) (local $b i32)
      (local.set $b (call $bucket))
      (loop $again
        (call $get (local.get $b) (i32.const 8) (i32.const 1) (i32.const 128))
        (call $well)
        (br_if $again (local.tee $times (i32.sub (local.get $times) (i32.const 1)))))
      (call $drop (local.get $b)))
    (func (export "set") (param $times i32) (local $b i32)
      (local.set $b (call $bucket))
      (loop $again
        (call $set (local.get $b) (i32.const 8) (i32.const 1) (i32.const 2048) (i32.const 100) (i32.const 128))
        (call $well)
        (br_if $again (local.tee $times (i32.sub (local.get $times) (i32.const 1)))))
      (call $drop (local.get $b)))
    (func (export "increment") (param $times i32) (local $b i32)
      (local.set $b (call $bucket))
      (loop $again
        (call $increment (local.get $b) (i32.const 8) (i32.const 1) (i64.const 1) (i32.const 128))
        (call $well)
        (br_if $again (local.tee $times (i32.sub (local.get $times) (i32.const 1)))))
      (call $drop (local.get $b)))
  )
  (core instance $main (instantiate $Main
    (with "memory" (instance $memory))
    (with "kv" (instance
      (export "open" (func $open)) (export "get" (func $get)) (export "set" (func $set))
      (export "increment" (func $increment)) (export "drop" (func $drop))))
  ))
  (func (export "get") (param "times" u32) (canon lift (core func $main "get")))
  (func (export "set") (param "times" u32) (canon lift (core func $main "set")))
  (func (export "increment") (param "times" u32) (canon lift (core func $main "increment")))
)

;; Reads clocks: nanoseconds of the monotonic clock, seconds of the time of day. `sleep` waits for an instant of the
;; monotonic clock, so many nanoseconds from now, and answers how many have passed by then.
(component $clocks
  (import "wasi:io/poll@0.2.0" (instance $poll
    (export "pollable" (type $pollable (sub resource)))
    (export "[method]pollable.block" (func (param "self" (borrow $pollable))))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $monotonic
    (export "pollable" (type $waiting (eq $pollable)))
    (export "now" (func (result u64)))
    (export "subscribe-instant" (func (param "when" u64) (result (own $waiting))))))
  (import "wasi:clocks/wall-clock@0.2.0" (instance $wall
    (type $datetime' (record (field "seconds" u64) (field "nanoseconds" u32)))
    (export "datetime" (type $datetime (eq $datetime')))
    (export "now" (func (result $datetime)))))
  (core module $memory-module (memory (export "memory") 1))
  (core instance $memory (instantiate $memory-module))
  (core func $tick (canon lower (func $monotonic "now")))
  (core func $at (canon lower (func $monotonic "subscribe-instant")))
  (core func $block (canon lower (func $poll "[method]pollable.block")))
  (core func $drop (canon resource.drop $pollable))
  (core func $day (canon lower (func $wall "now") (memory (core memory $memory "memory"))))
  (core module $main-module
    (import "memory" "memory" (memory 1))
    (import "wasi" "tick" (func $tick (result i64)))
    (import "wasi" "at" (func $at (param i64) (result i32)))
    (import "wasi" "block" (func $block (param i32)))
    (import "wasi" "drop" (func $drop (param i32)))
    (import "wasi" "day" (func $day (param i32)))
    (func (export "nanoseconds") (result i64) (call $tick))
    (func (export "seconds") (result i64) (call $day (i32.const 8)) (i64.load (i32.const 8)))
    (func (export "sleep") (param $length i64) (result i64) (local $begun i64) (local $instant i32)
      (local.set $begun (call $tick))
      (local.set $instant (call $at (i64.add (local.get $begun) (local.get $length))))
      (call $block (local.get $instant))
      (call $drop (local.get $instant))
      (i64.sub (call $tick) (local.get $begun))))
  (core instance $main (instantiate $main-module
    (with "memory" (instance $memory))
    (with "wasi" (instance
      (export "tick" (func $tick)) (export "at" (func $at)) (export "block" (func $block)) (export "drop" (func $drop))
      (export "day" (func $day))))))
  (func (export "nanoseconds") (result u64) (canon lift (core func $main "nanoseconds")))
  (func (export "seconds") (result u64) (canon lift (core func $main "seconds")))
  (func (export "sleep") (param "length" u64) (result u64) (canon lift (core func $main "sleep"))))

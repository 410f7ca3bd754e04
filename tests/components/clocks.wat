;; Reads clocks: nanoseconds of the monotonic clock, seconds of the time of day.
(component $clocks
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $monotonic
    (export "now" (func (result u64)))))
  (import "wasi:clocks/wall-clock@0.2.0" (instance $wall
    (type $datetime' (record (field "seconds" u64) (field "nanoseconds" u32)))
    (export "datetime" (type $datetime (eq $datetime')))
    (export "now" (func (result $datetime)))))
  (core module $memory-module (memory (export "memory") 1))
  (core instance $memory (instantiate $memory-module))
  (core func $tick (canon lower (func $monotonic "now")))
  (core func $day (canon lower (func $wall "now") (memory (core memory $memory "memory"))))
  (core module $main-module
    (import "memory" "memory" (memory 1))
    (import "wasi" "tick" (func $tick (result i64)))
    (import "wasi" "day" (func $day (param i32)))
    (func (export "nanoseconds") (result i64) (call $tick))
    (func (export "seconds") (result i64) (call $day (i32.const 8)) (i64.load (i32.const 8))))
  (core instance $main (instantiate $main-module
    (with "memory" (instance $memory))
    (with "wasi" (instance (export "tick" (func $tick)) (export "day" (func $day))))))
  (func (export "nanoseconds") (result u64) (canon lift (core func $main "nanoseconds")))
  (func (export "seconds") (result u64) (canon lift (core func $main "seconds"))))

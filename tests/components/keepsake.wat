;; Counts its own calls in a global, so that one instance can be told from another; `fail` traps.
(component $keepsake
  (core module $main
    (global $count (mut i32) (i32.const 0))
    (func (export "next") (result i32)
      (global.set $count (i32.add (global.get $count) (i32.const 1)))
      (global.get $count))
    (func (export "fail") unreachable))
  (core instance $i (instantiate $main))
  (func (export "next") (result u32) (canon lift (core func $i "next")))
  (func (export "fail") (canon lift (core func $i "fail"))))

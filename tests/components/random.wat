;; Passes `draw` on to WASI, or to whoever serves its interface instead.
(component
  (import "wasi:random/random@0.2.0" (instance $random
    (export "get-random-u64" (func (result u64)))
  ))
  (core func $draw (canon lower (func $random "get-random-u64")))
  (core module $Main
    (import "random" "draw" (func $draw (result i64)))
    (func (export "draw") (result i64) (call $draw))
  )
  (core instance $main (instantiate $Main (with "random" (instance (export "draw" (func $draw))))))
  (func (export "draw") (result u64) (canon lift (core func $main "draw")))
)

;; Imports an interface that nobody has heard of, and passes `play` on to it.
(component
  (import "workshop:dice/roll@0.1.0" (instance $dice
    (export "roll" (func (param "sides" u32) (result u32)))
  ))
  (core func $roll (canon lower (func $dice "roll")))
  (core module $Main
    (import "dice" "roll" (func $roll (param i32) (result i32)))
    (func (export "play") (param i32) (result i32) (call $roll (local.get 0)))
  )
  (core instance $main (instantiate $Main (with "dice" (instance (export "roll" (func $roll))))))
  (func (export "play") (param "sides" u32) (result u32) (canon lift (core func $main "play")))
)

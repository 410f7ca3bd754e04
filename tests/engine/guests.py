"""Guests in WAT for what the driver, resources and limits have to bear."""

from __future__ import annotations

HOST = "test:drive/host@1.0.0"

THINGS = """(component
  (import "test:drive/host@1.0.0" (instance $host
    (export "thing" (type $thing (sub resource)))
    (export "[constructor]thing" (func (param "n" u32) (result (own $thing))))
    (export "[method]thing.number" (func (param "self" (borrow $thing)) (result u32)))
    (export "[static]thing.count" (func (result u32)))
    (export "sum" (func (param "a" (borrow $thing)) (param "b" (borrow $thing)) (result u32)))
    (export "keep" (func (param "a" (own $thing))))))
  (alias export $host "thing" (type $thing))
  (core func $new (canon lower (func $host "[constructor]thing")))
  (core func $number (canon lower (func $host "[method]thing.number")))
  (core func $count (canon lower (func $host "[static]thing.count")))
  (core func $sum (canon lower (func $host "sum")))
  (core func $keep (canon lower (func $host "keep")))
  (core func $drop (canon resource.drop $thing))
  (core module $module
    (import "host" "new" (func $new (param i32) (result i32)))
    (import "host" "number" (func $number (param i32) (result i32)))
    (import "host" "count" (func $count (result i32)))
    (import "host" "sum" (func $sum (param i32 i32) (result i32)))
    (import "host" "keep" (func $keep (param i32)))
    (import "host" "drop" (func $drop (param i32)))
    (func (export "use") (result i32) (local $thing i32) (local $answer i32)
      (local.set $thing (call $new (i32.const 7)))
      (local.set $answer (i32.add (call $number (local.get $thing)) (call $count)))
      (call $drop (local.get $thing))
      (local.get $answer))
    (func (export "leave") (param i32) (drop (call $new (local.get 0))))
    (func (export "add") (result i32) (call $sum (call $new (i32.const 3)) (call $new (i32.const 4))))
    (func (export "give") (call $keep (call $new (i32.const 5))))
    (func (export "ask") (param i32) (result i32) (local $answer i32)
      (local.set $answer (call $number (local.get 0)))
      (call $drop (local.get 0))
      (local.get $answer))
    (func (export "return") (param i32) (result i32) (local.get 0))
    (func (export "take") (param i32 i32) (call $drop (local.get 0))))
  (core instance $guest (instantiate $module (with "host" (instance
    (export "new" (func $new)) (export "number" (func $number)) (export "count" (func $count))
    (export "sum" (func $sum)) (export "keep" (func $keep)) (export "drop" (func $drop))))))
  (func (export "use") (result u32) (canon lift (core func $guest "use")))
  (func (export "leave") (param "n" u32) (canon lift (core func $guest "leave")))
  (func (export "add") (result u32) (canon lift (core func $guest "add")))
  (func (export "give") (canon lift (core func $guest "give")))
  (func (export "ask") (param "thing" (borrow $thing)) (result u32) (canon lift (core func $guest "ask")))
  (func (export "return") (param "thing" (own $thing)) (result (own $thing))
    (canon lift (core func $guest "return")))
  (func (export "take") (param "thing" (own $thing)) (param "n" u8) (canon lift (core func $guest "take"))))"""

COUNTER = """(component
  (core module $destructor
    (global $dropped (export "dropped") (mut i32) (i32.const 0))
    (func (export "drop") (param i32) (global.set $dropped (i32.add (global.get $dropped) (i32.const 1)))))
  (core instance $destroying (instantiate $destructor))
  (type $counter' (resource (rep i32) (dtor (core func $destroying "drop"))))
  (core func $new (canon resource.new $counter'))
  (core func $drop (canon resource.drop $counter'))
  (core module $module
    (import "host" "new" (func $new (param i32) (result i32)))
    (import "host" "drop" (func $drop (param i32)))
    (import "destroying" "dropped" (global $dropped (mut i32)))
    (memory 1)
    (global $next (mut i32) (i32.const 16))
    (func (export "make") (param $start i32) (result i32)
      (i32.store (global.get $next) (local.get $start))
      (global.set $next (i32.add (global.get $next) (i32.const 4)))
      (call $new (i32.sub (global.get $next) (i32.const 4))))
    (func (export "inc") (param $at i32) (result i32)
      (i32.store (local.get $at) (i32.add (i32.load (local.get $at)) (i32.const 1)))
      (i32.load (local.get $at)))
    (func (export "end") (param i32) (call $drop (local.get 0)))
    (func (export "end-two") (param i32 i32) (call $drop (local.get 0)) (call $drop (local.get 1)))
    (func (export "dropped") (result i32) (global.get $dropped)))
  (core instance $guest (instantiate $module
    (with "host" (instance (export "new" (func $new)) (export "drop" (func $drop))))
    (with "destroying" (instance $destroying))))
  (func $make (param "start" u32) (result (own $counter')) (canon lift (core func $guest "make")))
  (func $inc (param "self" (borrow $counter')) (result u32) (canon lift (core func $guest "inc")))
  (func $end (param "counter" (own $counter')) (canon lift (core func $guest "end")))
  (func $end-two (param "a" (own $counter')) (param "b" (own $counter')) (canon lift (core func $guest "end-two")))
  (func $dropped (result u32) (canon lift (core func $guest "dropped")))
  (component $shim
    (import "counter" (type $counter (sub resource)))
    (import "make" (func $make (param "start" u32) (result (own $counter))))
    (import "inc" (func $inc (param "self" (borrow $counter)) (result u32)))
    (import "end" (func $end (param "counter" (own $counter))))
    (import "end-two" (func $end-two (param "a" (own $counter)) (param "b" (own $counter))))
    (import "dropped" (func $dropped (result u32)))
    (export $out "counter" (type $counter))
    (export "[constructor]counter" (func $make) (func (param "start" u32) (result (own $out))))
    (export "[method]counter.inc" (func $inc) (func (param "self" (borrow $out)) (result u32)))
    (export "end" (func $end) (func (param "counter" (own $out))))
    (export "end-two" (func $end-two) (func (param "a" (own $out)) (param "b" (own $out))))
    (export "dropped" (func $dropped)))
  (instance $api (instantiate $shim
    (with "counter" (type $counter')) (with "make" (func $make)) (with "inc" (func $inc))
    (with "end" (func $end)) (with "end-two" (func $end-two)) (with "dropped" (func $dropped))))
  (export "test:count/api@0.1.0" (instance $api)))"""

DRIVEN = """(component
  (import "test:drive/host@1.0.0" (instance $host
    (export "wait" (func (param "n" u32) (result u32)))
    (export "maybe" (func (param "n" u32) (result (result u32 (error u32)))))))
  (core module $memory (memory (export "memory") 1))
  (core instance $memory (instantiate $memory))
  (core func $wait (canon lower (func $host "wait")))
  (core func $maybe (canon lower (func $host "maybe") (memory (core memory $memory "memory"))))
  (core module $module
    (import "host" "wait" (func $wait (param i32) (result i32)))
    (import "host" "maybe" (func $maybe (param i32 i32)))
    (import "memory" "memory" (memory 1))
    (func (export "wait") (param i32) (result i32) (call $wait (local.get 0)))
    (func (export "often") (param $n i32) (result i32) (local $sum i32)
      (loop $again
        (local.set $sum (i32.add (local.get $sum) (call $wait (local.get $n))))
        (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
      (local.get $sum))
    (func (export "maybe") (param i32) (result i32) (call $maybe (local.get 0) (i32.const 64)) (i32.const 64))
    (func (export "spin") (loop $again (br $again)))
    (func (export "trap") unreachable)
    (func $deep (export "deep") (call $deep) (call $deep))
    (func (export "outside") (result i32) (i32.load (i32.const -4)))
    (func (export "five") (result i32) (i32.const 5)))
  (core instance $guest (instantiate $module
    (with "host" (instance (export "wait" (func $wait)) (export "maybe" (func $maybe))))
    (with "memory" (instance $memory))))
  (func (export "wait") (param "n" u32) (result u32) (canon lift (core func $guest "wait")))
  (func (export "often") (param "n" u32) (result u32) (canon lift (core func $guest "often")))
  (func (export "maybe") (param "n" u32) (result (result u32 (error u32)))
    (canon lift (core func $guest "maybe") (memory (core memory $memory "memory"))))
  (func (export "spin") (canon lift (core func $guest "spin")))
  (func (export "trap") (canon lift (core func $guest "trap")))
  (func (export "deep") (canon lift (core func $guest "deep")))
  (func (export "outside") (result u32) (canon lift (core func $guest "outside")))
  (func (export "five") (result u32) (canon lift (core func $guest "five"))))"""


def growing(memories: int = 1, pages: int = 1) -> str:
    """A guest with so many memories of so many pages; `grow` adds pages to the first and says what wasm is told."""
    text = " ".join(f"(memory $m{number} {pages})" for number in range(memories))
    return f"""(component
  (core module $module {text}
    (func (export "grow") (param i32) (result i32) (memory.grow $m0 (local.get 0))))
  (core instance $guest (instantiate $module))
  (func (export "grow") (param "pages" u32) (result s32) (canon lift (core func $guest "grow"))))"""

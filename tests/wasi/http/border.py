"""Writes the guest that carries every error-code over the border, both ways.

fetch: func() -> result<u16, error-code>          sends a request; the status, or what went wrong
refuse: func(case: u32, out: response-outparam)   answers with a case whose payload is empty, or all zeroes
"""

from __future__ import annotations

from ..wit import read

TYPES, HANDLER, POLL = "wasi:http/types", "wasi:http/outgoing-handler", "wasi:io/poll"

FUNCTIONS = {
    "fields": (TYPES, "[constructor]fields", "(result i32)"),
    "request": (TYPES, "[constructor]outgoing-request", "(param i32) (result i32)"),
    "authority": (TYPES, "[method]outgoing-request.set-authority", "(param i32 i32 i32 i32) (result i32)"),
    "path": (TYPES, "[method]outgoing-request.set-path-with-query", "(param i32 i32 i32 i32) (result i32)"),
    "handle": (HANDLER, "handle", "(param i32 i32 i32 i32)"),
    "subscribe": (TYPES, "[method]future-incoming-response.subscribe", "(param i32) (result i32)"),
    "block": (POLL, "[method]pollable.block", "(param i32)"),
    "get": (TYPES, "[method]future-incoming-response.get", "(param i32 i32)"),
    "status": (TYPES, "[method]incoming-response.status", "(param i32) (result i32)"),
    "response": (TYPES, "[constructor]outgoing-response", "(param i32) (result i32)"),
    "body": (TYPES, "[method]outgoing-response.body", "(param i32 i32)"),
    "write": (TYPES, "[method]outgoing-body.write", "(param i32 i32)"),
    "set": (TYPES, "[static]response-outparam.set", "(param i32 i32 i32 i32 i64 i32 i32 i32 i32)"),
}

LIBC = """
  (core module $libc
    (memory (export "memory") 2)
    (global $next (mut i32) (i32.const 4096))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
      (global.set $next (i32.add (local.get $at) (local.get 3)))
      (local.get $at)))
  (core instance $libc (instantiate $libc))"""

MAIN = """
    (data (i32.const 8) "example.com/")
    (func (export "fetch") (result i32) (local $request i32) (local $future i32)
      (local.set $request (call $request (call $fields)))
      (drop (call $authority (local.get $request) (i32.const 1) (i32.const 8) (i32.const 11)))
      (drop (call $path (local.get $request) (i32.const 1) (i32.const 19) (i32.const 1)))
      ;; result<future-incoming-response, error-code>: its error is one of result<u16, error-code> as it lies there
      (call $handle (local.get $request) (i32.const 0) (i32.const 0) (i32.const 64))
      (if (i32.load8_u (i32.const 64)) (then (return (i32.const 64))))
      (local.set $future (i32.load (i32.const 72)))
      (call $block (call $subscribe (local.get $future)))
      ;; option<result<result<incoming-response, error-code>>>: each begins eight bytes after the one around it
      (call $get (local.get $future) (i32.const 64))
      (if (i32.ne (i32.load8_u (i32.const 64)) (i32.const 1)) (then unreachable))
      (if (i32.load8_u (i32.const 72)) (then unreachable))
      (if (i32.eqz (i32.load8_u (i32.const 80)))
        (then (i32.store16 (i32.const 88) (call $status (i32.load (i32.const 88))))))
      (i32.const 80))
    (func (export "orphan") (local $body i32)
      (call $body (call $response (call $fields)) (i32.const 64))
      (local.set $body (i32.load (i32.const 68)))
      (call $write (local.get $body) (i32.const 64))
      (call $drop-body (local.get $body)))
    (func (export "refuse") (param $case i32) (param $out i32)
      (call $set (local.get $out) (i32.const 1) (local.get $case)
        (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))"""


def border_guest() -> bytes:
    """The component, as WAT."""
    lowered, imported, given = [], [], []
    for name, (path, function, core_type) in FUNCTIONS.items():
        lowered.append(
            f'  (core func ${name} (canon lower (func ${path} "{function}")'
            ' (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))'
        )
        imported.append(f'    (import "host" "{name}" (func ${name} {core_type}))')
        given.append(f'(export "{name}" (func ${name}))')
    lowered.append(f'  (alias export ${TYPES} "outgoing-body" (type $outgoing-body))')
    lowered.append("  (core func $drop-body (canon resource.drop $outgoing-body))")
    imported.append('    (import "host" "drop-body" (func $drop-body (param i32)))')
    given.append('(export "drop-body" (func $drop-body))')
    lines = [
        "(component",
        *read(unstable=False).importing(TYPES, HANDLER, POLL),
        LIBC,
        *lowered,
        '  (core module $main (import "libc" "memory" (memory 2))',
        *imported,
        MAIN,
        '  ) (core instance $main (instantiate $main (with "libc" (instance $libc))',
        f'    (with "host" (instance {" ".join(given)}))))',
        f'  (alias export ${TYPES} "error-code" (type $error-code))',
        f'  (alias export ${TYPES} "response-outparam" (type $outparam))',
        '  (func (export "fetch") (result (result u16 (error $error-code)))',
        '    (canon lift (core func $main "fetch") (memory (core memory $libc "memory"))))',
        '  (func (export "orphan") (canon lift (core func $main "orphan")))',
        '  (func (export "refuse") (param "case" u32) (param "out" (own $outparam))',
        '    (canon lift (core func $main "refuse"))))',
    ]
    return "\n".join(lines).encode()

"""Writes guests in WAT: commands that call WASI functions and keep a log of what came back.

The log goes to standard output at the end of `run`, so that two hosts can be compared by what the guest has seen.
"""

from __future__ import annotations

import re

from .wit import VERSION, read

STREAMS, POLL, CLI = "wasi:io/streams", "wasi:io/poll", "wasi:cli"

FUNCTIONS = {
    # name in the guest: interface, function, core type after lowering
    "get-stdin": (f"{CLI}/stdin", "get-stdin", "(result i32)"),
    "get-stdout": (f"{CLI}/stdout", "get-stdout", "(result i32)"),
    "get-stderr": (f"{CLI}/stderr", "get-stderr", "(result i32)"),
    "get-environment": (f"{CLI}/environment", "get-environment", "(param i32)"),
    "get-arguments": (f"{CLI}/environment", "get-arguments", "(param i32)"),
    "initial-cwd": (f"{CLI}/environment", "initial-cwd", "(param i32)"),
    "exit": (f"{CLI}/exit", "exit", "(param i32)"),
    "exit-with-code": (f"{CLI}/exit", "exit-with-code", "(param i32)"),
    "terminal-stdin": (f"{CLI}/terminal-stdin", "get-terminal-stdin", "(param i32)"),
    "terminal-stdout": (f"{CLI}/terminal-stdout", "get-terminal-stdout", "(param i32)"),
    "terminal-stderr": (f"{CLI}/terminal-stderr", "get-terminal-stderr", "(param i32)"),
    "read": (STREAMS, "[method]input-stream.read", "(param i32 i64 i32)"),
    "blocking-read": (STREAMS, "[method]input-stream.blocking-read", "(param i32 i64 i32)"),
    "skip": (STREAMS, "[method]input-stream.skip", "(param i32 i64 i32)"),
    "blocking-skip": (STREAMS, "[method]input-stream.blocking-skip", "(param i32 i64 i32)"),
    "subscribe-input": (STREAMS, "[method]input-stream.subscribe", "(param i32) (result i32)"),
    "check-write": (STREAMS, "[method]output-stream.check-write", "(param i32 i32)"),
    "write": (STREAMS, "[method]output-stream.write", "(param i32 i32 i32 i32)"),
    "blocking-write": (STREAMS, "[method]output-stream.blocking-write-and-flush", "(param i32 i32 i32 i32)"),
    "write-zeroes": (STREAMS, "[method]output-stream.write-zeroes", "(param i32 i64 i32)"),
    "blocking-zeroes": (STREAMS, "[method]output-stream.blocking-write-zeroes-and-flush", "(param i32 i64 i32)"),
    "flush": (STREAMS, "[method]output-stream.flush", "(param i32 i32)"),
    "blocking-flush": (STREAMS, "[method]output-stream.blocking-flush", "(param i32 i32)"),
    "subscribe-output": (STREAMS, "[method]output-stream.subscribe", "(param i32) (result i32)"),
    "splice": (STREAMS, "[method]output-stream.splice", "(param i32 i32 i64 i32)"),
    "blocking-splice": (STREAMS, "[method]output-stream.blocking-splice", "(param i32 i32 i64 i32)"),
    "poll": (POLL, "poll", "(param i32 i32 i32)"),
    "ready": (POLL, "[method]pollable.ready", "(param i32) (result i32)"),
    "block": (POLL, "[method]pollable.block", "(param i32)"),
    "now": ("wasi:clocks/monotonic-clock", "now", "(result i64)"),
    "resolution": ("wasi:clocks/monotonic-clock", "resolution", "(result i64)"),
    "subscribe-instant": ("wasi:clocks/monotonic-clock", "subscribe-instant", "(param i64) (result i32)"),
    "subscribe-duration": ("wasi:clocks/monotonic-clock", "subscribe-duration", "(param i64) (result i32)"),
    "wall-now": ("wasi:clocks/wall-clock", "now", "(param i32)"),
    "wall-resolution": ("wasi:clocks/wall-clock", "resolution", "(param i32)"),
    "random-bytes": ("wasi:random/random", "get-random-bytes", "(param i64 i32)"),
    "random-u64": ("wasi:random/random", "get-random-u64", "(result i64)"),
    "insecure-bytes": ("wasi:random/insecure", "get-insecure-random-bytes", "(param i64 i32)"),
    "insecure-u64": ("wasi:random/insecure", "get-insecure-random-u64", "(result i64)"),
    "insecure-seed": ("wasi:random/insecure-seed", "insecure-seed", "(param i32)"),
    "get-directories": ("wasi:filesystem/preopens", "get-directories", "(param i32)"),
    "instance-network": ("wasi:sockets/instance-network", "instance-network", "(result i32)"),
    "resolve": ("wasi:sockets/ip-name-lookup", "resolve-addresses", "(param i32 i32 i32 i32)"),
}
RESOURCES = {
    "drop-input": (STREAMS, "input-stream"),
    "drop-output": (STREAMS, "output-stream"),
    "drop-pollable": (POLL, "pollable"),
    "drop-network": ("wasi:sockets/network", "network"),
}

LIBC = """
  (core module $libc
    (memory (export "memory") 4)
    (global $next (mut i32) (i32.const 131072))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
      (global.set $next (i32.and (i32.add (global.get $next) (i32.const 15)) (i32.const -16)))
      (local.set $at (global.get $next))
      (global.set $next (i32.add (global.get $next) (local.get 3)))
      (local.get $at)))
  (core instance $libc (instantiate $libc))"""

MAIN = """
  (core module $main
    (import "libc" "memory" (memory 4))
{imports}
    (global $log (mut i32) (i32.const 65536))
    ;; note COUNT bytes from ADDRESS: they become part of the log
    (func $note (param $address i32) (param $count i32)
      (memory.copy (global.get $log) (local.get $address) (local.get $count))
      (global.set $log (i32.add (global.get $log) (local.get $count))))
    (func $note-i32 (param i32)
      (i32.store (i32.const 60000) (local.get 0))
      (call $note (i32.const 60000) (i32.const 4)))
    ;; note a result<list<u8>, stream-error> at ADDRESS: its tag, then length and bytes, or the error's case
    (func $note-bytes (param $address i32)
      (call $note (local.get $address) (i32.const 1))
      (if (i32.load8_u (local.get $address))
        (then (call $note (i32.add (local.get $address) (i32.const 4)) (i32.const 1)))
        (else
          (call $note (i32.add (local.get $address) (i32.const 8)) (i32.const 4))
          (call $note (i32.load offset=4 (local.get $address)) (i32.load offset=8 (local.get $address))))))
    ;; note a result<u64, stream-error>
    (func $note-count (param $address i32)
      (call $note (local.get $address) (i32.const 1))
      (call $note (i32.add (local.get $address) (i32.const 8))
        (select (i32.const 1) (i32.const 8) (i32.load8_u (local.get $address)))))
    ;; note a result<_, stream-error>
    (func $note-unit (param $address i32)
      (call $note (local.get $address) (i32.const 1))
      (if (i32.load8_u (local.get $address))
        (then (call $note (i32.add (local.get $address) (i32.const 4)) (i32.const 1)))))
    ;; note a list<u32>
    (func $note-list (param $address i32)
      (call $note (i32.add (local.get $address) (i32.const 4)) (i32.const 4))
      (call $note (i32.load (local.get $address)) (i32.mul (i32.load offset=4 (local.get $address)) (i32.const 4))))
    (func $body (param $ret i32) (result i32)
      (local $in i32) (local $out i32) (local $a i32) (local $b i32) (local $t i64)
{body}
      (i32.const 0))
    (func (export "run") (result i32) (local $status i32) (local $out i32)
      (local.set $status (call $body (i32.const 1024)))
      (local.set $out (call $get-stdout))
      (call $write (local.get $out) (i32.const 65536) (i32.sub (global.get $log) (i32.const 65536)) (i32.const 1024))
      (call $blocking-flush (local.get $out) (i32.const 1024))
      (call $drop-output (local.get $out))
      (local.get $status)))"""


def do(function: str, *arguments: str | int, note: str = "") -> str:
    """Write a call: arguments are numbers or names of locals; the address of a result is added where one is missing.

    `note` says how to log the result: as bytes, count, unit or list from memory, as i32 from the stack; `keep NAME`
    puts it into a local, and a number is how many bytes of memory are noted as they are.
    """
    parameters = re.findall(r"i\d\d", FUNCTIONS.get(function, ("", "", "(param i32)"))[2].partition("(result")[0])
    given = [*arguments, "ret"][: len(parameters)]
    call = " ".join(
        f"(local.get ${value})" if isinstance(value, str) else f"({kind}.const {value})"
        for kind, value in zip(parameters, given, strict=True)
    )
    call = f"(call ${function} {call})"
    if note.startswith("keep "):
        return f"(local.set ${note.removeprefix('keep ')} {call})"
    if note.isdecimal():
        return f"{call} (call $note (local.get $ret) (i32.const {note}))"
    if note == "i32":
        return f"(call $note-i32 {call})"
    return f"{call} (call $note-{note} (local.get $ret))" if note else call


def command(body: str, version: str = VERSION) -> str:
    """Write a command whose `run` is `body`: core WAT with the locals $in $out $a $b (i32) and $t (i64).

    $ret is an address where results may go. Imports exactly what the body calls, in WASI `version`.
    """
    text = MAIN.replace("{body}", body)
    called = {name: kind for name, kind in FUNCTIONS.items() if f"${name} " in text or f"${name})" in text}
    wit = read(version, unstable=False)
    lines: list[str] = []
    imports: list[str] = []
    arguments: list[str] = []
    for name, (path, function, core_type) in called.items():
        lines.append(
            f'  (core func ${name} (canon lower (func ${path} "{function}")'
            ' (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))'
        )
        imports.append(f'    (import "host" "{name}" (func ${name} {core_type}))')
        arguments.append(f'(export "{name}" (func ${name}))')
    for name, (path, resource) in RESOURCES.items():
        lines.append(f'  (alias export ${path} "{resource}" (type ${resource}))')
        lines.append(f"  (core func ${name} (canon resource.drop ${resource}))")
        imports.append(f'    (import "host" "{name}" (func ${name} (param i32)))')
        arguments.append(f'(export "{name}" (func ${name}))')
    return "\n".join(
        [
            "(component",
            *wit.importing(*(path for path, *_ in (*called.values(), *RESOURCES.values()))),
            LIBC,
            *lines,
            text.replace("{imports}", "\n".join(imports)),
            '  (core instance $main (instantiate $main (with "libc" (instance $libc))',
            f'    (with "host" (instance {" ".join(arguments)}))))',
            '  (func $run (result (result)) (canon lift (core func $main "run")))',
            '  (instance $commands (export "run" (func $run)))',
            f'  (export "wasi:cli/run@{version}" (instance $commands)))',
        ]
    )

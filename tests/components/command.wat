;; A command: prints its arguments, each on a line, and then its input; says "done" on stderr.
;; With two arguments after its name it exits with an error, with three it traps, with four it returns an error.
(component $command
  (import "wasi:io/error@0.2.0" (instance $errors (export "error" (type (sub resource)))))
  (alias export $errors "error" (type $io-error))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (export "error" (type $error (eq $io-error)))
    (type $stream-error' (variant (case "last-operation-failed" (own $error)) (case "closed")))
    (export "stream-error" (type $stream-error (eq $stream-error')))
    (export "input-stream" (type $input-stream (sub resource)))
    (export "output-stream" (type $output-stream (sub resource)))
    (export "[method]output-stream.blocking-write-and-flush" (func
      (param "self" (borrow $output-stream)) (param "contents" (list u8))
      (result (result (error $stream-error)))))
    (export "[method]output-stream.blocking-splice" (func
      (param "self" (borrow $output-stream)) (param "src" (borrow $input-stream)) (param "len" u64)
      (result (result u64 (error $stream-error)))))))
  (alias export $streams "input-stream" (type $input-stream))
  (alias export $streams "output-stream" (type $output-stream))
  (import "wasi:cli/stdin@0.2.0" (instance $stdin
    (export "input-stream" (type $source (eq $input-stream)))
    (export "get-stdin" (func (result (own $source))))))
  (import "wasi:cli/stdout@0.2.0" (instance $stdout
    (export "output-stream" (type $sink (eq $output-stream)))
    (export "get-stdout" (func (result (own $sink))))))
  (import "wasi:cli/stderr@0.2.0" (instance $stderr
    (export "output-stream" (type $sink (eq $output-stream)))
    (export "get-stderr" (func (result (own $sink))))))
  (import "wasi:cli/environment@0.2.0" (instance $environment
    (export "get-arguments" (func (result (list string))))))
  (import "wasi:cli/exit@0.2.0" (instance $exit
    (export "exit" (func (param "status" (result))))))

  (core module $memory-module
    (memory (export "memory") 1)
    (data (i32.const 64) "\n")
    (data (i32.const 80) "done\n")
    (global $end (mut i32) (i32.const 4096))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $end) (i32.const 7)) (i32.const -8)))
      (global.set $end (i32.add (local.get $at) (local.get 3)))
      (local.get $at)))
  (core instance $memory (instantiate $memory-module))

  (core func $arguments (canon lower (func $environment "get-arguments")
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (core func $write (canon lower (func $streams "[method]output-stream.blocking-write-and-flush")
    (memory (core memory $memory "memory"))))
  (core func $splice (canon lower (func $streams "[method]output-stream.blocking-splice")
    (memory (core memory $memory "memory"))))
  (core func $in (canon lower (func $stdin "get-stdin")))
  (core func $out (canon lower (func $stdout "get-stdout")))
  (core func $err (canon lower (func $stderr "get-stderr")))
  (core func $leave (canon lower (func $exit "exit")))

  (core module $main-module
    (import "memory" "memory" (memory 1))
    (import "wasi" "arguments" (func $arguments (param i32)))
    (import "wasi" "write" (func $write (param i32 i32 i32 i32)))
    (import "wasi" "splice" (func $splice (param i32 i32 i64 i32)))
    (import "wasi" "in" (func $in (result i32)))
    (import "wasi" "out" (func $out (result i32)))
    (import "wasi" "err" (func $err (result i32)))
    (import "wasi" "leave" (func $leave (param i32)))
    (func $run (export "run") (result i32)
      (local $at i32) (local $left i32) (local $count i32) (local $in i32) (local $out i32)
      (local.set $out (call $out))
      (call $arguments (i32.const 0))
      (local.set $at (i32.load (i32.const 0)))
      (local.set $count (i32.load (i32.const 4)))
      (local.set $left (local.get $count))
      (block $end
        (loop $next
          (br_if $end (i32.eqz (local.get $left)))
          (call $write (local.get $out)
            (i32.load (local.get $at)) (i32.load offset=4 (local.get $at)) (i32.const 16))
          (call $write (local.get $out) (i32.const 64) (i32.const 1) (i32.const 16))
          (local.set $at (i32.add (local.get $at) (i32.const 8)))
          (local.set $left (i32.sub (local.get $left) (i32.const 1)))
          (br $next)))
      (local.set $in (call $in))
      (loop $more
        (call $splice (local.get $out) (local.get $in) (i64.const 65536) (i32.const 0))
        (br_if $more (i32.eqz (i32.load8_u (i32.const 0)))))
      (call $write (call $err) (i32.const 80) (i32.const 5) (i32.const 16))
      (if (i32.eq (local.get $count) (i32.const 3)) (then (call $leave (i32.const 1))))
      (if (i32.eq (local.get $count) (i32.const 4)) (then (unreachable)))
      (i32.eq (local.get $count) (i32.const 5))))
  (core instance $main (instantiate $main-module
    (with "memory" (instance $memory))
    (with "wasi" (instance
      (export "arguments" (func $arguments))
      (export "write" (func $write))
      (export "splice" (func $splice))
      (export "in" (func $in))
      (export "out" (func $out))
      (export "err" (func $err))
      (export "leave" (func $leave))))))
  (func $run (result (result)) (canon lift (core func $main "run")))
  (instance $runner (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $runner)))

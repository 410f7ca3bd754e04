"""The engine: its settings, its self test, and the way of a component from bytes to code."""

from __future__ import annotations

import asyncio
import ctypes
import os
import threading
import time
from pathlib import Path

import pytest
import wasmtime
from hypothesis import given
from hypothesis import strategies as st

from washnb.engine import Engine, selftest
from washnb.engine import engine as engine_module
from washnb.errors import CompileError, ComponentError, ConfigError, NotAComponentError

ADDER = "example:adder"


@pytest.fixture
def engine(tmp_path):
    """An engine with a cache of its own."""
    with Engine.builder().with_cache_dir(tmp_path).build() as engine:
        yield engine


def kept(engine) -> list[str]:
    """The entries on disk."""
    return sorted(path.name for path in engine.cache.directory.iterdir())


async def stages(engine, source) -> list[str]:
    """The stages that a compilation goes through; ticks of one stage count once."""
    told = []
    await engine.compile(source, on_progress=told.append)
    names = [each.stage for each in told]
    return [name for name, before in zip(names, [None, *names], strict=False) if name != before]


async def test_a_first_compilation_tells_every_stage(engine):
    """Read, compiled, stored, done: each with the component's name, its size and the time since the start."""
    told = []
    component = await engine.compile(ADDER, name="sum", on_progress=told.append)
    assert [each.stage for each in told] == ["read", "compile", "store", "done"]
    assert {(each.component, each.size) for each in told} == {("sum", component.size)}
    assert [each.elapsed for each in told] == sorted(each.elapsed for each in told)


async def test_a_second_engine_takes_the_code_from_disk(engine, tmp_path):
    """What one engine compiled, another of the same settings only loads."""
    await engine.compile(ADDER)
    with Engine.builder().with_cache_dir(tmp_path).build() as second:
        assert await stages(second, ADDER) == ["read", "cached", "done"]
        component = await second.compile(ADDER)
        assert list(component.exports) == ["docs:adder/add@0.1.0"]


async def test_one_engine_compiles_the_same_bytes_once(engine):
    """Two names for one content share their code; what nobody holds any more is let go."""
    first, second = await engine.compile(ADDER, name="a"), await engine.compile(ADDER, name="b")
    assert first.code is second.code
    assert (first.name, second.name) == ("a", "b")
    assert await stages(engine, ADDER) == ["read", "cached", "done"]
    digest = first.digest
    del first, second
    join_compilers()
    assert engine._known(digest) is None


def join_compilers() -> None:
    """Wait for the threads that compiled: each holds its code until it ends, a moment after its result is there."""
    for thread in threading.enumerate():
        if thread.name == "washnb-compile":
            thread.join()


async def test_compilations_of_the_same_bytes_at_once_are_one(engine, monkeypatch):
    """Who comes second waits for the first, and is told the same stages."""
    calls = count_compilations(monkeypatch)
    results = await asyncio.gather(*(engine.compile(ADDER) for _ in range(5)))
    assert len({id(each.code) for each in results}) == 1
    assert calls == [1]


def count_compilations(monkeypatch, delay: float = 0.0) -> list[int]:
    """A list whose only item counts how often wasmtime compiles from now on."""
    calls = [0]
    compile_ = engine_module._compile

    def counting(raw, content):
        calls[0] += 1
        time.sleep(delay)
        return compile_(raw, content)

    monkeypatch.setattr(engine_module, "_compile", counting)
    return calls


def resident() -> float:
    """The resident memory of this process in MiB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.slow
async def test_the_memory_of_a_compilation_is_given_back(engine):
    """What the C library keeps for itself, once a large component is compiled, is little: machines are shared."""
    adds = "local.get 0 i32.const 77 i32.add local.set 0 " * 100
    functions = f"(func (param i32) (result i32) {adds} local.get 0)" * 3000
    await engine.compile(f"(component (core module {functions}))".encode())
    join_compilers()
    before = resident()
    ctypes.CDLL(None).malloc_trim(0)
    assert before - resident() < 8


@pytest.mark.slow
async def test_a_long_compilation_ticks_while_the_loop_goes_on(engine, monkeypatch):
    """The loop is free, and hears again and again that the compilation still runs."""
    count_compilations(monkeypatch, delay=0.6)
    told = []
    turns = 0

    async def spin() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.01)
            turns += 1

    spinning = asyncio.create_task(spin())
    await engine.compile(ADDER, on_progress=told.append)
    spinning.cancel()
    ticks = [each.elapsed for each in told if each.stage == "compile"]
    assert len(ticks) >= 2
    assert turns > 20


async def test_who_stops_waiting_does_not_stop_the_others(engine, monkeypatch):
    """Cancelling one `compile` leaves the compilation to those who still wait for it."""
    calls = count_compilations(monkeypatch, delay=0.1)
    impatient = asyncio.create_task(engine.compile(ADDER))
    patient = asyncio.create_task(engine.compile(ADDER))
    await asyncio.sleep(0.01)
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    assert (await patient).name == "adder"
    assert calls == [1]


async def test_a_failed_compilation_can_be_tried_again(engine, monkeypatch):
    """An accident is told to all who wait, and forgotten."""

    def broken(*_):
        raise MemoryError

    monkeypatch.setattr(engine_module, "_compile", broken)
    results = await asyncio.gather(engine.compile(ADDER), engine.compile(ADDER), return_exceptions=True)
    assert [type(each) for each in results] == [MemoryError, MemoryError]
    monkeypatch.undo()
    assert (await engine.compile(ADDER)).name == "adder"


async def test_a_compilation_without_a_thread_can_be_tried_again(engine, monkeypatch):
    """Where the system gives no thread the caller hears so, and the next one does not wait for what never began."""
    with monkeypatch.context() as patch:
        patch.setattr(engine_module, "_start_thread", lambda _work: (_ for _ in ()).throw(RuntimeError("no thread")))
        with pytest.raises(RuntimeError, match="no thread"):
            await engine.compile(ADDER)
    async with asyncio.timeout(30):
        assert (await engine.compile(ADDER)).name == "adder"


async def test_a_damaged_entry_is_rebuilt(engine, tmp_path):
    """An artifact that wasmtime would accept, broken as it is, is found out, thrown away and made again."""
    await engine.compile(ADDER)
    (name,) = kept(engine)
    path = tmp_path / name
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\0" * 512 + whole[4608:])
    with Engine.builder().with_cache_dir(tmp_path).build() as second:
        assert await stages(second, ADDER) == ["read", "compile", "store", "done"]
    assert path.read_bytes() == whole


async def test_an_entry_that_wasmtime_refuses_is_rebuilt(engine):
    """A sealed entry that is no artifact of this wasmtime goes the same way."""
    component = await engine.compile(ADDER)
    (name,) = kept(engine)
    engine.cache.store(name.removesuffix(".cwasm"), b"not an artifact at all")
    del component
    join_compilers()
    assert await stages(engine, ADDER) == ["read", "cached", "compile", "store", "done"]


async def test_a_full_disk_costs_speed_and_not_the_component(engine, monkeypatch):
    """The cache may fail to store; the component still runs."""

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(engine.cache, "store", full)
    assert (await engine.compile(ADDER)).name == "adder"


async def test_settings_do_not_share_code(tmp_path, monkeypatch):
    """Engines that compile differently keep their artifacts apart, the choice of backtrace details included."""
    builders = [
        Engine.builder(),
        Engine.builder().with_config(lambda config: setattr(config, "cranelift_opt_level", "none")),
        Engine.builder().with_config(lambda config: setattr(config, "debug_info", True)),
    ]
    engines = [each.with_cache_dir(tmp_path).build() for each in builders]
    monkeypatch.setenv("WASMTIME_BACKTRACE_DETAILS", "0")
    engines.append(Engine.builder().with_cache_dir(tmp_path).build())
    for engine in engines:
        assert await stages(engine, ADDER) == ["read", "compile", "store", "done"]
        engine.close()
    assert len(kept(engines[0])) == len(engines)


async def test_limits_that_do_not_change_the_code_share_it(tmp_path):
    """Memory limit and epoch interval are the host's business, not the compiler's."""
    with Engine.builder().with_cache_dir(tmp_path).build() as plain:
        await plain.compile(ADDER)
    other = Engine.builder().with_cache_dir(tmp_path).with_memory_limit(64).with_epoch_interval(0.001).build()
    with other:
        assert await stages(other, ADDER) == ["read", "cached", "done"]
        assert other.runtime.memory_limit_mib == 64


def test_the_choice_of_backtrace_details_does_not_leak_into_the_environment():
    """Wasmtime reads it from the environment; child processes of the user must not."""
    before = dict(os.environ)
    Engine.builder().with_cache_dir(None).build().close()
    assert dict(os.environ) == before


async def test_without_a_cache_directory_nothing_is_stored():
    """`with_cache_dir(None)` compiles every time."""
    with Engine.builder().with_cache_dir(None).build() as engine:
        assert await stages(engine, ADDER) == ["read", "compile", "done"]


def test_a_home_that_cannot_be_written_costs_only_the_cache(tmp_path, monkeypatch):
    """The default directory may be out of reach; one that was asked for may not."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with Engine.builder().build() as engine:
        assert engine.cache is None
    with pytest.raises(ConfigError, match="cannot be made"):
        Engine.builder().with_cache_dir(tmp_path / "file").build()


@pytest.mark.parametrize(
    "wrong", [lambda builder: builder.with_memory_limit(0), lambda builder: builder.with_epoch_interval(0)]
)
def test_settings_that_cannot_be_are_refused(wrong):
    """Each with the line that would be right."""
    with pytest.raises(ConfigError) as caught:
        wrong(Engine.builder())
    assert caught.value.repair[0].startswith("Engine.builder().with_")


async def test_a_closed_engine_compiles_no_more():
    """Its ticker is gone, so nothing new may run on it."""
    engine = Engine.builder().with_cache_dir(None).build()
    engine.close()
    engine.close()
    with pytest.raises(ConfigError, match="closed"):
        await engine.compile(ADDER)


def test_the_self_test_refuses_a_wasmtime_on_which_two_borrows_fail():
    """Without the way round, wasmtime 50.0 traps; that must stop `build` and not the first guest."""
    with pytest.raises(ConfigError, match="does not hold on wasmtime") as caught:
        selftest.check(wasmtime.Engine())
    assert "call context" in caught.value.message
    assert "pip install" in caught.value.repair[0]


def test_the_self_test_refuses_a_wrong_answer(monkeypatch):
    """A call that comes back with the wrong value is as bad as a trap."""
    monkeypatch.setattr(selftest, "_lend_two", lambda engine: 7)
    with pytest.raises(ConfigError, match="gives 7"):
        selftest.check(wasmtime.Engine())


def test_a_wasmtime_without_the_way_round_is_refused(monkeypatch):
    """A release that has lost the switches is named as the culprit, not met with an AttributeError."""
    monkeypatch.delattr(wasmtime._bindings, "wasmtime_config_concurrency_support_set")
    with pytest.raises(ConfigError, match=r"does not hold on wasmtime .* has no wasmtime_config_concurrency"):
        Engine.builder().with_cache_dir(None).build()


def test_a_configuration_cannot_undo_the_way_round():
    """What washnb cannot do without is set after the user's own configuration."""

    def undo(config: wasmtime.Config) -> None:
        config.epoch_interruption = False
        wasmtime._bindings.wasmtime_config_concurrency_support_set(config.ptr(), True)

    with Engine.builder().with_config(undo).with_cache_dir(None).build() as engine:
        selftest.check(engine.runtime.raw)


async def test_invalid_code_is_a_compile_error(engine):
    """Wasmtime's reason, offset and all, reaches the person."""
    with pytest.raises(CompileError, match="type mismatch") as caught:
        await engine.compile(b"(component (core module (func (result i32) i64.const 1)))", name="bad")
    assert caught.value.component == "bad"


@pytest.mark.parametrize("text", ['(import "a" (func (param "x" (stream u8))))', '(import "a" (func async))'])
async def test_types_of_wasi_3_are_named_as_such(engine, text):
    """A component that needs async types is one of WASI 0.3, whatever it calls its imports."""
    with pytest.raises(NotAComponentError, match=r"WASI 0\.3"):
        await engine.compile(f"(component {text})".encode())


@given(st.binary(max_size=200), st.integers(0, 400))
async def test_no_bytes_crash_the_compiler(tail, keep):
    """Anything after a component's header, and any half of a real component, compiles or is refused in our words."""
    with Engine.builder().with_cache_dir(None).build() as engine:
        whole = wasmtime.wat2wasm((engine_module.Path(__file__).parents[2] / "washnb/examples/adder.wat").read_text())
        for data in (bytes.fromhex("0061736d0d000100") + tail, bytes(whole)[:keep] + tail):
            try:
                component = await engine.compile(data)
            except ComponentError:
                continue
            assert component.digest

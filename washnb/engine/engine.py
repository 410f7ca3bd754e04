"""The engine: one configuration of wasmtime, the components compiled for it, and the cache on disk behind them."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import faulthandler
import hashlib
import os
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from importlib.metadata import version
from pathlib import Path
from typing import IO, Self

import wasmtime
from wasmtime import _bindings as bindings
from wasmtime import component as wt

from washnb.errors import CompileError, ConfigError
from washnb.events import CompileProgress

from . import selftest
from .cache import Cache, default_directory
from .component import Code, CompiledComponent
from .destructors import REVISION, with_destructors
from .pooling import STACK_BYTES, pool
from .runtime import ANOTHER_ENGINE, Runtime, is_fork
from .source import Source, SourceBytes, not_wasi_2, read_source

_TICK = 0.2  # seconds between two progress events of a long compilation
# with these on, wasmtime 50.0 traps every host call to which the guest lends two resources (see selftest.py)
_OFF = ("wasmtime_config_concurrency_support_set", "wasmtime_config_wasm_component_model_async_set")
_BACKTRACE_DETAILS = "WASMTIME_BACKTRACE_DETAILS"
_LARGE = 2**20  # bytes of a component whose compilation frees so much memory that it is worth giving back

OnProgress = Callable[[CompileProgress], None]
"""Called with each step of a compilation, on the loop of the caller."""


class EngineBuilder:
    """Collects the settings of an engine. Every `with_` returns the builder itself."""

    def __init__(self) -> None:
        self._configure: list[Callable[[wasmtime.Config], None]] = []
        self._cache_dir: Path | None = default_directory()
        self._cache_is_default = True
        self._memory_limit_mib: int | None = None
        self._epoch_interval = 0.005

    def with_config(self, configure: Callable[[wasmtime.Config], None]) -> Self:
        """Let `configure` change wasmtime's configuration. Settings that washnb needs are made after it, and win."""
        self._configure.append(configure)
        return self

    def with_cache_dir(self, path: str | os.PathLike[str] | None) -> Self:
        """Keep compiled components in the directory `path` instead of the user's cache; None keeps none on disk."""
        self._cache_dir = None if path is None else Path(path)
        self._cache_is_default = False
        return self

    def with_memory_limit(self, mib: int) -> Self:
        """Bound each linear memory of a guest to `mib` MiB, where its instance has no limit of its own.

        Raises ConfigError for a limit that is not positive.
        """
        if mib <= 0:
            raise ConfigError(f"a guest cannot live in {mib} MiB", repair="Engine.builder().with_memory_limit(256)")
        self._memory_limit_mib = mib
        return self

    def with_epoch_interval(self, seconds: float) -> Self:
        """Suspend a busy guest after `seconds`, so that other tasks of the loop have a turn; 0.005 by default.

        Raises ConfigError for a time that is not positive.
        """
        if seconds <= 0:
            raise ConfigError(f"an epoch cannot last {seconds} s", repair="Engine.builder().with_epoch_interval(0.005)")
        self._epoch_interval = seconds
        return self

    def build(self) -> Engine:
        """Make the engine.

        Raises ConfigError for a wasmtime that fails the self test, and for a cache directory that cannot be made or
        that others can write to.
        """
        _enable_faulthandler()
        raw = wasmtime.Engine(self._config())
        _check_once(raw)
        runtime = Runtime(raw, epoch_interval=self._epoch_interval, memory_limit_mib=self._memory_limit_mib)
        return Engine(runtime, self._cache())

    def _config(self) -> wasmtime.Config:
        with _backtrace_details():
            config = wasmtime.Config()
        pool(config)
        bindings.wasmtime_config_async_stack_size_set(config.ptr(), STACK_BYTES)
        for configure in self._configure:
            configure(config)
        config.epoch_interruption = True
        for switch in _OFF:
            if not hasattr(bindings, switch):
                raise selftest.refusal(f"it has no {switch}")
            getattr(bindings, switch)(config.ptr(), False)
        # wasmtime's compiler threads do not exist in a fork, and it would wait for them for ever
        bindings.wasmtime_config_parallel_compilation_set(config.ptr(), not is_fork())
        return config

    def _cache(self) -> Cache | None:
        if self._cache_dir is None:
            return None
        if self._cache_is_default and not _can_be_made(self._cache_dir):
            return None
        return Cache(self._cache_dir)


class Engine:
    """Compiles components and runs their guests; the same bytes are compiled once.

    Make it with `Engine.builder()`. One engine may serve several loops and threads, but not a fork of its process.
    After `close()` the components that it compiled cannot run any more.
    """

    def __init__(self, runtime: Runtime, cache: Cache | None) -> None:
        self.runtime = runtime
        self.cache = cache
        self._fingerprint = _fingerprint(runtime.raw)
        self._lock = threading.Lock()
        self._compiled: weakref.WeakValueDictionary[str, Code] = weakref.WeakValueDictionary()
        self._compilations: dict[str, _Compilation] = {}

    @staticmethod
    def builder() -> EngineBuilder:
        """Return a builder with the default settings; `Engine.builder().build()` is a good engine."""
        return EngineBuilder()

    async def compile(
        self, source: Source, *, name: str | None = None, on_progress: OnProgress | None = None
    ) -> CompiledComponent:
        """Compile a component in a thread of its own; one that was compiled before is taken from memory or disk.

        `source` is what `read_source` takes, `name` what the component is called in messages. `on_progress` is called
        on this loop with the stages `read`, then `cached`, or `compile` (again every 0.2 s while it lasts) and `store`,
        then `done`. Raises NotAComponentError for what is no component, CompileError for a component that wasmtime
        refuses, ConfigError where the engine is closed.
        """
        if reason := self.runtime.ticker.ended:
            raise ConfigError(reason, repair=ANOTHER_ENGINE)
        started = time.monotonic()
        content = await asyncio.to_thread(_read_and_digest, source, name)

        def tell(stage: str, when: float) -> None:
            if on_progress is not None:
                on_progress(CompileProgress(content.name, stage, len(content.data), when - started))

        tell("read", time.monotonic())
        code = self._known(content.digest)
        if code is None:
            code = await self._join(content).watch(tell)
        else:
            tell("cached", time.monotonic())
        tell("done", time.monotonic())
        return CompiledComponent(content.name, code)

    def close(self) -> None:
        """End the engine's thread; calls that still run raise GuestError. May be called twice."""
        self.runtime.ticker.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _known(self, digest: str) -> Code | None:
        with self._lock:
            return self._compiled.get(digest)

    def _join(self, content: SourceBytes) -> _Compilation:
        """Return the compilation of these bytes that is under way, or start one."""
        with self._lock:
            running = self._compilations.get(content.digest)
            if running is not None:
                return running
            compilation = _Compilation()
            # the thread first: where none can be started, nobody may find a compilation that never ends
            _start_thread(lambda: self._run(content, compilation))
            self._compilations[content.digest] = compilation
            return compilation

    def _run(self, content: SourceBytes, compilation: _Compilation) -> None:
        try:
            code = self._make(content, compilation.enter)
        except BaseException as error:  # noqa: BLE001 - raised in the tasks that wait for the code
            with self._lock:
                del self._compilations[content.digest]
            compilation.result.set_exception(error)
        else:
            with self._lock:
                self._compiled[content.digest] = code
                del self._compilations[content.digest]
            compilation.result.set_result(code)
        if len(content.data) >= _LARGE:
            _give_back_memory()

    def _make(self, content: SourceBytes, enter: Callable[[str], None]) -> Code:
        key = f"{content.digest}-{self._fingerprint}"
        raw = self._load(key, enter)
        if raw is None:
            enter("compile")
            raw = _compile(self.runtime.raw, content)
            if self.cache is not None:
                enter("store")
                # a full disk costs the next load its speed, not this one its component
                with contextlib.suppress(OSError):
                    self.cache.store(key, raw.serialize())
        return Code(raw, self.runtime, digest=content.digest, size=len(content.data), name=content.name)

    def _load(self, key: str, enter: Callable[[str], None]) -> wt.Component | None:
        path = None if self.cache is None else self.cache.find(key)
        if self.cache is None or path is None:
            return None
        enter("cached")
        try:
            return wt.Component.deserialize_file(self.runtime.raw, str(path))
        except wasmtime.WasmtimeError:
            self.cache.discard(key)
            return None


class _Compilation:
    """A compilation in its thread; several tasks may wait for it."""

    def __init__(self) -> None:
        self.result: Future[Code] = Future()
        self.result.set_running_or_notify_cancel()  # a task that stops waiting must not cancel it for the others
        self._stages: list[tuple[str, float]] = []

    def enter(self, stage: str) -> None:
        """Note the stage that the thread enters. Called in the thread."""
        self._stages.append((stage, time.monotonic()))

    async def watch(self, tell: Callable[[str, float], None]) -> Code:
        """Wait for the code. Calls `tell` with stage and time (`time.monotonic`) of each stage, and every 0.2 s."""
        told = 0
        result = asyncio.wrap_future(self.result)
        try:
            while True:
                done, _ = await asyncio.wait({result}, timeout=_TICK)
                news = self._stages[told:]
                told += len(news)
                for stage, when in news:
                    tell(stage, when)
                if done:
                    return result.result()
                if not news and told:
                    tell(self._stages[-1][0], time.monotonic())
        finally:
            result.cancel()


def _read_and_digest(source: Source, name: str | None) -> SourceBytes:
    content = read_source(source, name)
    _ = content.digest
    return content


def _give_back_memory() -> None:
    """Return to the system what is free: glibc would keep it, 240 MiB after a guest that was written in Python."""
    with contextlib.suppress(AttributeError, TypeError):  # the C library is another one
        ctypes.CDLL(None).malloc_trim(0)


def _compile(raw: wasmtime.Engine, content: SourceBytes) -> wt.Component:
    if (extended := with_destructors(content.data)) is not content.data:
        with contextlib.suppress(wasmtime.WasmtimeError):  # a mistake of the component's own is reported below
            return wt.Component(raw, extended)
    try:
        return wt.Component(raw, content.data)
    except wasmtime.WasmtimeError as error:
        reason = str(error)
        if "component model async" in reason:
            raise not_wasi_2(content.name, content.origin, [reason.strip().rpartition("\n")[2].strip()]) from None
        raise CompileError(f"wasmtime refuses {content.origin}\n{reason}", component=content.name) from None


def _fingerprint(raw: wasmtime.Engine) -> str:
    """Return 16 hex digits for all that an artifact depends on: wasmtime's release and settings, target, CPU features.

    wasmtime writes these into each artifact, so the hash of a tiny component's artifact stands for them.
    """
    artifact = wt.Component(raw, "(component (core module (func)))").serialize()
    return hashlib.sha256(version("wasmtime").encode() + REVISION + bytes(artifact)).hexdigest()[:16]


_checked = threading.Event()


def _check_once(raw: wasmtime.Engine) -> None:
    if not _checked.is_set():
        selftest.check(raw)
        _checked.set()


@contextlib.contextmanager
def _backtrace_details() -> Iterator[None]:
    """Let a `wasmtime.Config` that is made in this block keep the guests' source lines for backtraces.

    wasmtime takes this choice from the environment alone; a value that is set there already counts.
    """
    if _BACKTRACE_DETAILS in os.environ:
        yield
        return
    os.environ[_BACKTRACE_DETAILS] = "1"
    try:
        yield
    finally:
        del os.environ[_BACKTRACE_DETAILS]


_last_resort: IO[str] | None = None


def _enable_faulthandler() -> None:
    """Install Python's fault handler before wasmtime's: the other order turns the next guest trap into a dead process.

    It needs a file with a descriptor, which the `sys.stderr` of a notebook is not.
    """
    global _last_resort  # noqa: PLW0603 - the handler writes to this file for the life of the process
    if faulthandler.is_enabled():
        return
    try:
        faulthandler.enable(file=sys.__stderr__)  # type: ignore[arg-type]  # None and closed files are refused below
    except (AttributeError, RuntimeError, ValueError, OSError):
        _last_resort = Path(os.devnull).open("w")  # noqa: SIM115
        faulthandler.enable(file=_last_resort)


def _can_be_made(directory: Path) -> bool:
    """Whether the default cache directory can be made and written to; where it cannot, the engine runs without one."""
    with contextlib.suppress(OSError):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.access(directory, os.W_OK)


def _start_thread(work: Callable[[], None]) -> None:
    # a daemon: a compilation of ten seconds must not hold up the end of the process
    threading.Thread(target=work, name="washnb-compile", daemon=True).start()

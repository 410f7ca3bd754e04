"""The session: one host on a thread of its own, and the verbs of `%wash` as its methods."""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections.abc import Callable, Coroutine, Iterable, Mapping
from pathlib import Path
from typing import Any, Self, TypeVar

from washnb.errors import ConfigError
from washnb.events import CompileProgress, Event, EventBus
from washnb.types import LocalResources

from . import hosted
from .backends import ASK, Plugins, Terms, Wanted, wanted
from .breaking import Breaking
from .following import Following
from .handles import Address, Completed, Known, News, Reply, ServerUrl, ShownResponse, ToldTable, WorkloadHandle
from .loading import name_of, require_name, require_source, with_environment
from .looking import Looking
from .progress import ProgressLines
from .requests import asked_of, encoded
from .text import Text
from .thread import HostThread
from .views import WaitingCell

T = TypeVar("T")

PLUGIN_ACTIONS = ("new",)
NATS_ACTIONS = ("start", "stop", "status")

_CLOSING = 5.0
"""Seconds that a host has to stop."""


class Session(Breaking, Looking):
    """One host and what is loaded on it, for a notebook, a script or a test: the verbs of `%wash` as methods.

    Nothing runs until the first verb; `close`, or the end of the process, leaves no thread and no port behind. Methods
    may be called from any thread. What goes wrong is a WashError that ends with the line that repairs it.
    """

    def __init__(self) -> None:
        """Begin with nothing loaded."""
        self._thread: HostThread | None = None
        self._deployments: hosted.Deployments | None = None
        self._opening = threading.RLock()
        self._events = EventBus()
        self._events.subscribe(ProgressLines().take, CompileProgress)
        self._kernel: hosted.KernelLoop | None = None
        self._tracing = True
        self.following = Following(self)
        """The classes that `attach` follows."""

    def on_host(self, work: Callable[[hosted.Deployments], Coroutine[Any, Any, T]]) -> T:
        """Run the coroutine that `work` makes on the host's loop, and return its result; opens a host at first."""
        __tracebackhide__ = True
        with self._opening:
            if self._thread is None or self._deployments is None:
                self._open()
            thread, deployments = self._thread, self._deployments
        assert thread is not None
        assert deployments is not None
        return thread.wait(lambda: work(deployments))

    @property
    def deployments(self) -> hosted.Deployments | None:
        """The workloads of this session; None where no host is open. To be used on the host's loop only."""
        return self._deployments

    def subscribe(self, subscriber: Callable[[Any], None], *kinds: type[Event]) -> Callable[[], None]:
        """Call `subscriber` on the host's loop for each event of these kinds, or of all, also after `reset`.

        Return the function that ends it.
        """
        return self._events.subscribe(subscriber, *kinds)

    def _open(self) -> None:
        self._thread = thread = HostThread()
        try:
            thread.start()
            self._deployments = thread.wait(lambda: hosted.opened(self._events, tracing=self._tracing))
            self._deployments.questions.cell = WaitingCell(self, thread)
            atexit.register(self.close)
        except BaseException:
            self._thread = self._deployments = None
            thread.stop()
            raise

    def close(self) -> None:
        """Stop every workload, the host and its thread. The next verb begins anew."""
        thread = None
        try:
            with self._opening:
                thread, self._thread = self._thread, None
                deployments, self._deployments = self._deployments, None
            if thread is not None and deployments is not None and not thread.forked:
                thread.wait(lambda: asyncio.wait_for(deployments.close(), _CLOSING))
        finally:
            if thread is not None:
                thread.stop()
            atexit.unregister(self.close)

    def reset(self) -> None:
        """Throw the host away with all that is loaded, attached and kept in memory; the next verb opens a fresh one."""
        self.close()

    def __enter__(self) -> Self:
        """Use the session in a `with` block, which closes it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the session."""
        self.close()

    def load(
        self,
        source: hosted.Source,
        name: str | None = None,
        *,
        attach: Plugins = (),
        config: Mapping[str, object] | None = None,
        env: Mapping[str, object] | None = None,
        allowed_hosts: Iterable[str] = (),
    ) -> WorkloadHandle:
        """Compile a component, link what it imports, start it as a workload, and return the workload's handle.

        `source` is a path, `example:NAME`, or the bytes of a component. `name` is what to call the workload: without
        it, the name of the file or example. One that is loaded under this name is replaced, and its state kept.

        `attach` are plugins to attach first, as the method `attach` takes them, or a mapping from word to backend.
        `config` is what the guest reads through wasi:config, `env` its environment; a value `env:NAME` is taken from
        the environment of this process. `allowed_hosts` are the hosts that the guest may send HTTP requests to.

        Raises UnsatisfiedImportError where nobody serves an import: the workload waits, and the attach that completes
        it starts it. Raises ComponentError for what is no component that can run.
        """
        __tracebackhide__ = True
        require_source(source)
        name = name or name_of(source)
        require_name(name)
        resources = LocalResources(
            config=with_environment(config), environment=with_environment(env), allowed_hosts=tuple(allowed_hosts)
        )
        if asked := wanted(attach):
            self._attach(asked, Terms())
        loaded = self.on_host(lambda deployments: deployments.load(name, source, resources))
        return self._handle(loaded.name)

    def reload(self, name: str | None = None) -> WorkloadHandle:
        """Start the workload `name`, or the one used last, again from its source; its state is kept."""
        __tracebackhide__ = True
        return self._handle(self.on_host(lambda deployments: deployments.reload(name)).name)

    def unload(self, name: str | None = None) -> str:
        """Stop the workload `name`, or the one used last, and return its name; its state in memory goes."""
        __tracebackhide__ = True
        return self.on_host(lambda deployments: deployments.unload(name))

    def unload_all(self) -> list[str]:
        """Stop every workload, and return their names."""
        __tracebackhide__ = True
        return self.on_host(lambda deployments: deployments.unload_all())

    def __getitem__(self, name: str) -> WorkloadHandle:
        """Return the handle of the workload `name`: its exports are attributes. Raises WorkloadNotFound."""
        __tracebackhide__ = True
        self.on_host(lambda deployments: hosted.require_loaded(deployments, name))
        return self._handle(name)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self.known().workloads)

    def _handle(self, name: str) -> WorkloadHandle:
        return WorkloadHandle(self, name)

    def attach(
        self,
        *plugins: object,
        to: str | None = None,
        write: bool = False,
        join: bool = False,
        follow: bool = False,
        **backends: object,
    ) -> ToldTable:
        """Attach plugins, all of them or none, start the workloads that waited for them, and return what is attached.

        A plugin is a word (`keyvalue`, `blobstore`, `config`, `logging`, `messaging`, or `all`), or a HostPlugin or
        Interface of yours, as class or object. It takes the place of the attached plugin with the same id.

        A keyword says on which backend a word keeps its state, `wash.attach(keyvalue="file:./state")`, and so does the
        text `"keyvalue=file:./state"`. Backends are `memory`; `file:DIR` or a Path; `nats://HOST:PORT` or a NatsServer;
        `nats`, the server of `wash.nats("start")`; and `env:NAME`, the backend that an environment variable names.
        With `ask` you answer each call, with `Ask(function)` your function does, also of an interface by its name:
        `"docs:dice/roll=ask"`. Guests go on with the new backend at their next call; state is not copied.

        `to` is the one workload that is granted the plugins; without it all are. A NATS server on another machine is
        written to only with `write`, and its messages are taken only with `join`. With `follow` a class is attached
        again after each notebook cell that defines it or one of its interfaces again. Raises ConfigError, BackendError.
        """
        __tracebackhide__ = True
        asked, terms = wanted(plugins, backends), Terms(to, write, join)
        if follow:
            self.following.add((each.subject for each in asked), to)
        return self._attach(asked, terms)

    def _attach(self, asked: list[Wanted], terms: Terms) -> ToldTable:
        __tracebackhide__ = True
        placed = self._placed([hosted.made_by_word(each) for each in asked])
        table = self.on_host(lambda deployments: hosted.attached(deployments, placed, terms))
        if any(each.backend == ASK for each in asked):
            self.questions.put_on_page()
        return table

    def _placed(self, asked: list[Wanted]) -> list[Wanted]:
        """Wrap plugins that belong to the kernel's loop, so that they run on it; the first makes it re-enterable."""
        if any(map(hosted.belongs_to_kernel, asked)):
            self._kernel = self._kernel or hosted.KernelLoop()
            return [self._kernel.plugin(each) for each in asked]
        return asked

    def detach(self, plugin: object, from_: str | None = None) -> ToldTable:
        """Take a plugin away from all workloads, or from the one named `from_`; a guest's next call to it fails.

        `plugin` is its word or id, or the class or object that `attach` was given. A wrapper goes with the plugin
        inside of it; `wash.attach(WRAPPER.wrapped)` takes off the wrapper alone, and the state stays. Returns what is
        still attached. Raises ConfigError for a plugin that is not attached.
        """
        __tracebackhide__ = True
        return self.on_host(lambda deployments: hosted.detached(deployments, plugin, from_))

    def plugin(self, action: str, interface: str, *, from_: hosted.Source | None = None) -> hosted.PluginSkeleton:
        """Write the class that serves an interface which a component imports, and return it as the text of a cell.

        `action` is `new`. `interface` may be as much of the import's name as is unambiguous. `from_` is the component:
        the name of a workload, or what `load` takes; without it, all that is loaded, also what waits for the plugin.
        Each method raises until it is filled in. Raises ConfigError where nobody imports the interface.
        """
        __tracebackhide__ = True
        if action not in PLUGIN_ACTIONS:
            raise ConfigError(f"plugin knows no {action!r}", repair="%wash plugin new INTERFACE")
        return self.on_host(lambda deployments: hosted.skeleton_of(deployments, interface, from_))

    @property
    def plugins(self) -> ToldTable:
        """The attached plugins as a table: what each serves, on which backend, and which workloads use it."""
        return self.on_host(hosted.plugin_table)

    def status(self) -> hosted.Status:
        """Say which workloads are loaded, in which state they are, and what the host is."""
        return self.on_host(hosted.status)

    def send(
        self,
        *request: str,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        body: bytes | str | None = None,
        json: object = None,
        to: str | None = None,
        timeout: float | None = None,
    ) -> ShownResponse:
        """Send an HTTP request through the host's router, without a socket, and return the response.

        The request is written `send("/x")`, `send("POST /x")` or `send("POST", "/x")`; without a method it is GET, or
        POST where there is a body. `json` is a value that becomes the body as JSON. `to` names the workload that
        answers; without it, the one used last that answers HTTP does. `timeout` is in seconds. A guest that fails is
        an answer with a 5xx status and `.error`. Raises WorkloadError where no workload can answer.
        """
        __tracebackhide__ = True
        asked = asked_of(request, headers, body, json)
        return self.on_host(lambda deployments: hosted.sent(deployments, asked, to, timeout))

    def publish(self, subject: str, body: object = b"") -> News:
        """Send a message, with bytes, text or a JSON value as `body`, and say who took it, where the broker tells."""
        __tracebackhide__ = True
        content = encoded(body)
        return self.on_host(lambda deployments: hosted.published(deployments, subject, content))

    def request(self, subject: str, body: object = b"", timeout: float | None = None) -> Reply:
        """Send a message, with bytes, text or a JSON value as `body`, and return the reply; `timeout` is in seconds.

        Raises BackendError where no reply comes in time.
        """
        __tracebackhide__ = True
        content = encoded(body)
        return self.on_host(lambda deployments: hosted.requested(deployments, subject, content, timeout))

    def call(self, name: str, export: str, *arguments: object) -> Any:
        """Call an exported function: `("adder", "docs:adder/add#add", 1, 2)`. The same as `wash["adder"].add(1, 2)`.

        Calls of one workload go one after the other. Raises Err where the function returns a WIT error.
        """
        __tracebackhide__ = True
        inside = hosted.CALLING.get()
        return self.on_host(
            lambda deployments: hosted.called(deployments, self, name, export, arguments, inside=inside)
        )

    def run(
        self,
        source: hosted.Source,
        *arguments: str,
        env: Mapping[str, object] | None = None,
        stdin: bytes | str = b"",
        timeout: float | None = None,
    ) -> Completed:
        """Run a command, a component that exports wasi:cli/run, to its end, and return its exit code and its output.

        `source` is what `load` takes, `arguments` are those of the command line, `env` is the guest's environment,
        `stdin` what it reads, and `timeout` is in seconds.
        """
        __tracebackhide__ = True
        given = stdin.encode() if isinstance(stdin, str) else stdin
        environment = with_environment(env)
        return self.on_host(
            lambda deployments: hosted.completed(
                deployments, hosted.Command(source, arguments, environment, given, timeout)
            )
        )

    def inspect(self, subject: hosted.Source, *, functions: bool = False) -> hosted.Inspection:
        """Show the world of a component: each import and who on this host serves it, and each export.

        `subject` is the name of a workload, or what `load` takes. With `functions` the text lists
        each imported function in WIT, too.
        """
        __tracebackhide__ = True
        return self.on_host(lambda deployments: hosted.inspection(deployments, subject, listed=functions))

    def parity(self, name: str) -> hosted.ParityReport:
        """Name the deviations from wash-runtime that the workload `name` has relied on so far."""
        __tracebackhide__ = True
        return self.on_host(lambda deployments: hosted.parity_of(deployments, name))

    def receipt(self, name: str | None = None) -> hosted.ReceiptReport:
        """Show what the workload `name`, or the one used last, used and was denied, and the least to grant it.

        Only calls that were traced since the workload was loaded count.
        """
        __tracebackhide__ = True
        return self.on_host(lambda deployments: hosted.receipt_of(deployments, name))

    @property
    def tracing(self) -> bool:
        """Whether host calls are recorded; set it to switch recording on or off."""
        return self._tracing

    @tracing.setter
    def tracing(self, on: bool) -> None:
        self._tracing = on
        if self._deployments is not None:
            self._deployments.host.tracing = on

    def serve(self, port: int | str | None = None) -> Address:
        """Open the HTTP server at `port`, `HOST:PORT`, or 8000 or any free port, and return its address."""
        __tracebackhide__ = True
        return self.on_host(lambda deployments: hosted.served(deployments, port))

    def nats(self, action: str = "status", *, store: str | Path | None = None) -> ServerUrl | News:
        """Start a NATS server with JetStream on this machine, stop it, or tell where it is.

        `action` is `start`, `stop` or `status`. `start` returns the server's URL, and so does `status` while it runs.
        `store` is a directory that keeps the server's state beyond its end. The server ends with the host, at the
        latest with this process. Needs the extra `nats-server`; without it raises ConfigError.
        """
        __tracebackhide__ = True
        if action == "start":
            kept = None if store is None else Path(store).expanduser()
            return self.on_host(lambda deployments: hosted.nats_started(deployments, kept))
        if action not in NATS_ACTIONS:
            raise ConfigError(f"nats knows no {action!r}", repair=f"%wash nats [{'|'.join(NATS_ACTIONS)}]")
        if store is not None:
            raise ConfigError("only a server that is started gets a store", repair="%wash nats start --store DIR")
        return self.on_host(hosted.nats_stopped if action == "stop" else hosted.nats_status)

    @property
    def host(self) -> hosted.Host:
        """The `Host` of this session. Its coroutines run on the session's loop: hand them to `on_host`."""
        return self.on_host(hosted.host_of)

    def known(self) -> Known:
        """Return the names that TAB offers: workloads, plugins, buckets and others. Opens no host."""
        return Known() if self._deployments is None else self.on_host(hosted.known)

    def __repr__(self) -> str:
        names = self.known().workloads
        return f"<washnb session: {', '.join(names) or 'nothing is loaded'}>"

    def _repr_html_(self) -> str:
        return (self.status() if self._deployments else Text(repr(self)))._repr_html_()

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:  # how IPython shows it
        printer.text(repr(self.status() if self._deployments else self))

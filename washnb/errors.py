"""The errors that washnb raises.

WashError
├── ConfigError               a host, plugin, workload or verb was described in a way that cannot work
├── ComponentError            bytes that cannot become a running component
│   ├── CompileError          wasmtime refused the component
│   ├── NotAComponentError    a core module, a component of WASI 0.3, something else, or nothing at all
│   └── UnsatisfiedImportError  an import that nothing serves
├── WorkloadError
│   ├── WorkloadNotFound      no workload of that name or id
│   └── WorkloadFailed        the workload is not running
│       └── WorkloadBusy      it runs, and has as many calls in flight as it may
├── GuestError                a call into a guest ended without an answer
│   ├── TrapError             the guest trapped; carries the wasm backtrace
│   ├── GuestTimeout          the guest did not answer in time
│   ├── GuestCancelled        the caller went away, or the workload was stopped
│   └── MismatchError         a Python value does not fit the WIT type that it is for
└── BackendError              what a plugin depends on has failed: a server, a disk
    └── AccessDenied          a server or a disk is there, and does not permit the use

A message says what happened, to which workload, component and interface, and ends with the lines that repair it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class WashError(Exception):
    """The base of all errors of washnb.

    `message` says what happened; `repair` holds the lines that mend it, ready to paste; `code` is stable and listed
    in docs/errors.md. `workload`, `component` and `interface` name where it happened, as far as that is known.
    """

    code: ClassVar[str] = "W000"

    def __init__(
        self,
        message: str,
        *,
        workload: str | None = None,
        component: str | None = None,
        interface: str | None = None,
        repair: str | Sequence[str] = (),
    ) -> None:
        """Keep the parts apart; `str()` joins message and repair."""
        super().__init__(message)
        self.message = message
        self.workload = workload
        self.component = component
        self.interface = interface
        self.repair: tuple[str, ...] = (repair,) if isinstance(repair, str) else tuple(repair)

    def __str__(self) -> str:
        """Return the message, then each repairing line, indented."""
        return "\n".join([self.message, *(f"  {line}" for line in self.repair)])


class ConfigError(WashError):
    """A host, plugin, workload or verb was described in a way that cannot work."""

    code = "W100"


class ComponentError(WashError):
    """The bytes of a component cannot become a running component."""

    code = "W200"


class CompileError(ComponentError):
    """Wasmtime refused to compile the component."""

    code = "W201"


class NotAComponentError(ComponentError):
    """The source is a core module, a component of WASI 0.3, another kind of file, or is not there."""

    code = "W202"


class UnsatisfiedImportError(ComponentError):
    """A component imports interfaces that nothing on this host serves.

    `missing` maps the name of each such component to those of its imports.
    """

    code = "W203"

    def __init__(
        self,
        message: str,
        *,
        missing: dict[str, tuple[str, ...]],
        workload: str | None = None,
        repair: str | Sequence[str] = (),
    ) -> None:
        """Keep `missing` besides the message, for views that show it in another form."""
        super().__init__(message, workload=workload, repair=repair)
        self.missing = missing


class WorkloadError(WashError):
    """The base of the errors about a workload of the host."""

    code = "W300"


class WorkloadNotFound(WorkloadError):  # noqa: N818 - the name that wash-runtime's users know
    """The host has no workload of that name or id."""

    code = "W301"


class WorkloadFailed(WorkloadError):  # noqa: N818
    """The workload could not start, or is no longer running."""

    code = "W302"


class WorkloadBusy(WorkloadFailed):
    """The workload has as many calls in flight as it may; one more is let in when one of them has ended."""

    code = "W303"


class GuestError(WashError):
    """A call into a guest ended without an answer; the cause is chained."""

    code = "W400"


class TrapError(GuestError):
    """The guest trapped. `reason` is the last line of the trap, `backtrace` its wasm frames, innermost first."""

    code = "W401"

    def __init__(
        self,
        message: str,
        *,
        reason: str = "",
        backtrace: Sequence[str] = (),
        workload: str | None = None,
        component: str | None = None,
        interface: str | None = None,
        repair: str | Sequence[str] = (),
    ) -> None:
        """Keep the reason and the frames apart from the message."""
        super().__init__(message, workload=workload, component=component, interface=interface, repair=repair)
        self.reason = reason
        self.backtrace = tuple(backtrace)


class GuestTimeout(GuestError):  # noqa: N818
    """The guest did not finish within its time."""

    code = "W402"


class GuestCancelled(GuestError):  # noqa: N818
    """The call was cancelled: its client went away, or the workload was stopped."""

    code = "W403"


class MismatchError(GuestError, TypeError):
    """A Python value does not fit the WIT type that it is for; the message names function, place, type and value."""

    code = "W404"


class BackendError(WashError):
    """What a plugin depends on has failed: a server is away, a disk is full."""

    code = "W500"


class AccessDenied(BackendError):  # noqa: N818 - what WIT calls it, too
    """A plugin may not do what a guest has asked for: its server or disk forbids it, or how it was attached."""

    code = "W501"


class WitError(Exception):
    """The error case of a WIT result: an answer of the function, not a failure.

    Its only subclass is `washnb.Err`, in the engine; rooms and modules that must not import the engine know it by this.
    """


def said_by(error: BaseException) -> str:
    """Return the text of an exception; where its own `__str__` raises, as one of a plugin may, what that raised."""
    try:
        return str(error)
    except Exception as failure:  # noqa: BLE001
        return f"its __str__ raised {type(failure).__name__}"


def spelled_out(error: BaseException) -> str:
    """Return an exception as Python shows it: its class, and behind a colon its text, if it has any."""
    return ": ".join(filter(None, (type(error).__name__, said_by(error))))

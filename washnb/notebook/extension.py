"""What `%load_ext washnb` puts into an IPython shell, and `%unload_ext washnb` takes out of it."""

from __future__ import annotations

from typing import Any

from . import completion, rendering
from .magics import Wash
from .session import Session

_NAME = "wash"


def load(shell: Any) -> None:
    """Register the magics, TAB and the look of errors, and put the session into the user's namespace as `wash`.

    A variable `wash` of the user's own stays, and a line says so.
    """
    if _registered(shell) is not None:
        return
    magics = Wash(shell, Session())
    shell.register_magics(magics)
    completion.install(shell, magics.session)
    rendering.install(shell)
    shell.events.register("post_run_cell", magics.follow)
    if _NAME in shell.user_ns and not isinstance(shell.user_ns[_NAME], Session):
        print("%wash is ready. Your variable `wash` stays as it is: the session is not in it.")  # noqa: T201
        print("To have it there: del wash, then %reload_ext washnb")  # noqa: T201
    else:
        shell.push({_NAME: magics.session}, interactive=False)


def unload(shell: Any) -> None:
    """Close the session and take back all that `load` registered."""
    magics = _registered(shell)
    if magics is None:
        return
    magics.session.close()
    for kind in shell.magics_manager.magics.values():
        kind.pop(_NAME, None)
    shell.magics_manager.registry.pop(Wash.__name__, None)
    shell.configurables.remove(magics)
    shell.events.unregister("post_run_cell", magics.follow)
    completion.uninstall(shell)
    rendering.uninstall(shell)
    if shell.user_ns.get(_NAME) is magics.session:
        del shell.user_ns[_NAME]


def _registered(shell: Any) -> Wash | None:
    # Magics add themselves to the configurables, where %config finds their settings
    return next((each for each in shell.configurables if isinstance(each, Wash)), None)

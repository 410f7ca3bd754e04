"""A compiled component: native code that is ready to be instantiated, and the types of what it imports and exports."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from wasmtime import component as wt

from washnb.wit import WitInterface, WitWorld

from .abi.shapes import InterfaceType, Resource, Shape
from .destructors import split_destructors
from .reflection import Interfaces, NamedTypes, reflect
from .runtime import Runtime
from .surfaces import Shared, Surfaces


class Code:
    """The native code of one component, shared by every CompiledComponent of the same bytes on the same engine.

    `raw` is wasmtime's component, `runtime` the engine that it was compiled for; `digest` is the SHA-256 of the
    component's bytes in hex, `size` their number.
    """

    def __init__(self, raw: wt.Component, runtime: Runtime, *, digest: str, size: int, name: str) -> None:
        self.raw = raw
        self.runtime = runtime
        self.digest = digest
        self.size = size
        self._name = name

    @property
    def types(self) -> tuple[Interfaces, Interfaces]:
        """Imports and exports with all their types, read when they are first asked for: that takes milliseconds."""
        return self._reflected[:2]

    @property
    def destructors(self) -> dict[Resource, str]:
        """Names of the root functions that drop a resource of the guest, by that resource (see `destructors.py`)."""
        return self._reflected[2]

    @cached_property
    def _reflected(self) -> tuple[Interfaces, Interfaces, dict[Resource, str]]:
        imports, exports = reflect(self.raw, self.runtime.raw, name=self._name, digest=self._short_digest)
        return imports, *split_destructors(exports)

    @cached_property
    def surfaces(self) -> tuple[Surfaces, Surfaces]:
        """Imports and exports as Python classes. These do not refer to the code, so they do not keep it alive."""
        imports, exports = self.types
        shared: Shared = {}
        named = self.named_types.of
        return Surfaces(imports, named, shared), Surfaces(exports, named, shared)

    @cached_property
    def named_types(self) -> NamedTypes:
        """The named types that imports and exports declare."""
        return NamedTypes(self.raw, self.runtime.raw, name=self._name, digest=self._short_digest)

    @property
    def _short_digest(self) -> str:
        """What tells the guest's resource types from those of other components."""
        return self.digest[:16]


@dataclass(frozen=True, eq=False)
class CompiledComponent:
    """A compiled component and the name that its owner gave it; `code` is shared by all of the same bytes."""

    name: str
    code: Code

    @property
    def runtime(self) -> Runtime:
        """The engine that the component was compiled for, with its ticker and memory limit."""
        return self.code.runtime

    @property
    def digest(self) -> str:
        """The SHA-256 of the component's bytes, in hex."""
        return self.code.digest

    @property
    def size(self) -> int:
        """How many bytes the component has, before compilation."""
        return self.code.size

    @property
    def imports(self) -> dict[str, InterfaceType]:
        """The imported interfaces by full name with version; the key "" holds functions at the root."""
        return self.code.types[0]

    @property
    def exports(self) -> dict[str, InterfaceType]:
        """The exported interfaces by full name with version; the key "" holds functions at the root."""
        return self.code.types[1]

    def named_types(self, interface: str) -> dict[str, Shape]:
        """The records, variants, enums and flags that an import or export declares, by WIT name."""
        return self.code.named_types.of(interface)

    @property
    def import_surfaces(self) -> Surfaces:
        """The imports as Python classes, by full name; the same classes for all components that share the code."""
        return self.code.surfaces[0]

    @property
    def export_surfaces(self) -> Surfaces:
        """The exports as Python classes, by full name; the same classes for all components that share the code."""
        return self.code.surfaces[1]

    def world(self) -> WitWorld:
        """The names of the imported and exported interfaces. Functions at the root are in none, and left out."""
        return WitWorld(_named(self.imports), _named(self.exports))

    def __repr__(self) -> str:
        return f"<CompiledComponent {self.name!r} {self.digest[:12]} {self.size:,} bytes>"


def _named(interfaces: dict[str, InterfaceType]) -> tuple[WitInterface, ...]:
    return tuple(WitInterface.parse(name) for name in interfaces if "/" in name)

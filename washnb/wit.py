"""Names of the WIT world: interfaces with their versions, and the worlds made of them.

The string form is the one of wash-runtime: `namespace:package/interface,interface@version`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from washnb.errors import ConfigError

_FORM = re.compile(
    r"(?P<namespace>[a-z][a-z0-9-]*):(?P<package>[a-z][a-z0-9-]*)"
    r"(?:/(?P<interfaces>[A-Za-z][A-Za-z0-9-]*(?:,[A-Za-z][A-Za-z0-9-]*)*))?"
    r"(?:@(?P<version>[0-9][0-9A-Za-z.+-]*))?"
)


@dataclass(frozen=True)
class WitInterface:
    """One or more interfaces of one WIT package, as wash-runtime's `WitInterface`.

    `version` None matches every version. In a workload's `host_interfaces`, `config` holds settings for the plugin that
    serves these interfaces, and `name` tells two entries of one package apart.
    """

    namespace: str
    package: str
    interfaces: frozenset[str]
    version: str | None = None
    config: Mapping[str, str] = field(default_factory=dict, hash=False)
    name: str | None = None

    @classmethod
    def parse(cls, text: str, *, config: Mapping[str, str] | None = None, name: str | None = None) -> WitInterface:
        """Parse a text such as `wasi:keyvalue/store,atomics@0.2.0-draft`. Raises ConfigError for any other form."""
        match = _FORM.fullmatch(text.strip())
        if match is None or match["interfaces"] is None:
            raise ConfigError(
                f"{text!r} does not name a WIT interface",
                repair="the form is namespace:package/interface@version, such as wasi:keyvalue/store@0.2.0-draft",
            )
        names = frozenset(match["interfaces"].split(","))
        return cls(match["namespace"], match["package"], names, match["version"], dict(config or {}), name)

    @property
    def package_name(self) -> str:
        """`namespace:package`, without interface and version."""
        return f"{self.namespace}:{self.package}"

    def singles(self) -> tuple[WitInterface, ...]:
        """Return one WitInterface for each of the interfaces, sorted by the interface's name."""
        return tuple(replace(self, interfaces=frozenset({name})) for name in sorted(self.interfaces))

    def each(self) -> tuple[str, ...]:
        """Return the full name of each interface, such as `wasi:keyvalue/store@0.2.0-draft`, sorted."""
        suffix = "" if self.version is None else f"@{self.version}"
        return tuple(f"{self.package_name}/{name}{suffix}" for name in sorted(self.interfaces))

    def covers(self, other: WitInterface) -> bool:
        """Whether this covers all of `other`: the same package, each of its interfaces, and a matching version.

        wash-runtime asks for equal versions where both sides name one; here compatible releases match, too, so that
        every `wasi:...@0.2.x` serves every other (`versions_match`).
        """
        return (
            self.package_name == other.package_name
            and bool(other.interfaces)
            and other.interfaces <= self.interfaces
            and versions_match(self.version, other.version)
        )

    def __str__(self) -> str:
        """The form that `parse` reads."""
        suffix = "" if self.version is None else f"@{self.version}"
        return f"{self.package_name}/{','.join(sorted(self.interfaces))}{suffix}"


def gathered(entries: Iterable[WitInterface]) -> tuple[WitInterface, ...]:
    """Merge `entries` that share package and version into one, with the interfaces of all of them.

    Manifests name several interfaces in one entry, and only a merged entry covers such a one. The result is in the
    order in which each package and version first occurs; `config` and `name` of the entries are left out.
    """
    packages: dict[tuple[str, str, str | None], frozenset[str]] = {}
    for each in entries:
        key = each.namespace, each.package, each.version
        packages[key] = packages.get(key, frozenset()) | each.interfaces
    return tuple(
        WitInterface(namespace, package, interfaces, version)
        for (namespace, package, version), interfaces in packages.items()
    )


def versions_match(served: str | None, wanted: str | None) -> bool:
    """Whether an interface of version `served` can stand in for one of version `wanted`.

    Released versions match in both directions where the component model calls them compatible: up to the first number
    that is not 0 they are equal (`0.2.0` and `0.2.10`, `1.0.0` and `1.4.0`). A pre-release (`0.2.0-draft`) matches only
    itself; None on either side matches every version.
    """
    if served is None or wanted is None or served == wanted:
        return True
    return _compatible_line(served) == _compatible_line(wanted)


def _compatible_line(version: str) -> list[str]:
    """What a version has in common with all that are compatible with it: `["0", "2"]` of `0.2.10`."""
    release = version.partition("+")[0]
    if "-" in release:
        return [release]
    parts = release.split(".")
    zeroes = next((index for index, part in enumerate(parts) if part != "0"), len(parts))
    return parts[: zeroes + 1]


def split_version(name: str) -> tuple[str, str | None]:
    """Part `wasi:io/streams@0.2.6` into `("wasi:io/streams", "0.2.6")`; a name without a version gives None for it."""
    plain, _, version = name.partition("@")
    return plain, version or None


@dataclass(frozen=True)
class WitWorld:
    """What a component imports and exports.

    A plugin's world is that of its guests: `imports` is what the plugin serves, `exports` what it calls.
    """

    imports: tuple[WitInterface, ...] = ()
    exports: tuple[WitInterface, ...] = ()

    @classmethod
    def of(cls, imports: Iterable[str] = (), exports: Iterable[str] = ()) -> WitWorld:
        """Build a world from names of interfaces. Raises ConfigError as `WitInterface.parse`."""
        return cls(tuple(map(WitInterface.parse, imports)), tuple(map(WitInterface.parse, exports)))

    def serves(self, wanted: WitInterface) -> bool:
        """Whether some entry of `imports` covers `wanted`."""
        return any(entry.covers(wanted) for entry in self.imports)

    def calls(self, wanted: WitInterface) -> bool:
        """Whether some entry of `exports` covers `wanted`."""
        return any(entry.covers(wanted) for entry in self.exports)

    def __str__(self) -> str:
        """The world in WIT, without a name of its own."""
        lines = [f"  import {name};" for entry in self.imports for name in entry.each()]
        lines += [f"  export {name};" for entry in self.exports for name in entry.each()]
        return "\n".join(["world {", *lines, "}"])

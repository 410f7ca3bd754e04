"""Reads the WIT of `wasi.wit` and writes the component types that a guest in WAT imports for it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

VERSION = "0.2.12"
PRIMITIVES = {"bool", "char", "string", "f32", "f64", *(f"{sign}{bits}" for sign in "su" for bits in (8, 16, 32, 64))}


class Wit:
    """A recursive descent over one WIT text.

    `imports` maps each interface to the WAT that imports it, `functions` to the names of its functions with the number
    of their parameters. What is newer than `version` is left out, and so is what WIT calls unstable if asked for.
    """

    def __init__(self, text: str, version: str = VERSION, *, unstable: bool = True) -> None:
        self.imports: dict[str, str] = {}
        self.functions: dict[str, dict[str, int]] = {}
        self._uses: dict[str, set[str]] = {}
        self._version = version
        self._unstable = unstable
        self._tokens = re.findall(r"[%\w-]*[\w]|->|[{}()<>:;,.@/=]", re.sub(r"//.*", "", text))
        self._resources: set[str] = set()
        while self._tokens:
            self._package()

    def importing(self, *paths: str) -> list[str]:
        """The imports of some interfaces and of all that they use, in an order that WAT accepts."""
        wanted = set(paths)
        for path in reversed(self.imports):
            wanted |= self._uses[path] if path in wanted else set()
        return [self.imports[path] for path in self.imports if path in wanted]

    def _next(self, *expected: str) -> str:
        token = self._tokens.pop(0)
        assert not expected or token in expected, f"{token} where one of {expected} belongs"
        return token.removeprefix("%")

    def _at(self, token: str) -> bool:
        """Take `token` where it is the next one."""
        return self._tokens[0] == token and bool(self._next())

    def _listed(self, end: str) -> Iterator[str]:
        """Yield the first token of each item of a list that is separated by commas."""
        while not self._at(end):
            yield self._next()
            self._at(",")

    def _package(self) -> None:
        self._next("package")
        package = f"{self._next()}{self._next(':')}{self._next()}"
        while self._next() != "{":
            pass
        while not self._at("}"):
            wanted = self._gate()
            self._next("interface")
            name = self._next()
            self._interface(package, name)
            if not wanted:
                del self.imports[f"{package}/{name}"], self.functions[f"{package}/{name}"]

    def _gate(self) -> bool:
        """Read the gate before an item, if there is one, and say whether the item is wanted."""
        if not self._at("@"):
            return True
        kind = self._next("since", "unstable")
        inside = []
        while not self._at(")"):
            inside.append(self._next())
        if kind == "unstable":
            return self._unstable
        since = "".join(inside).partition("=")[2]
        return _number(self._version) >= _number(since)

    def _interface(self, package: str, name: str) -> None:
        path = f"{package}/{name}"
        self._aliases: list[str] = []
        self._body: list[str] = []
        self._counts: dict[str, int] = {}
        self._local: dict[str, str] = {}  # name -> its id in WAT, for resources with (own ...) around it
        self._uses[path] = set()
        self._next("{")
        self._declare_resources(path)
        items = {
            "use": self._use,
            "type": self._type,
            "record": self._record,
            "variant": self._variant,
            "enum": self._enum,
            "flags": self._flags,
            "resource": self._resource,
        }
        while not self._at("}"):
            self._wanted = self._gate()
            keyword = self._next()
            items.get(keyword, self._function_named(keyword))(package, path)
        body = "\n    ".join(self._body)
        self.imports[path] = "\n".join(
            [*self._aliases, f'  (import "{path}@{self._version}" (instance ${path}\n    {body}))']
        )
        self.functions[path] = self._counts

    def _declare_resources(self, path: str) -> None:
        """Export all resources of the interface first: WIT may speak of one before it defines it, WAT may not."""
        end = self._tokens.index("interface") if "interface" in self._tokens else len(self._tokens)
        for keyword, name in zip(self._tokens[:end], self._tokens[1:end], strict=False):
            if keyword == "resource":
                self._resources.add(f"{path}.{name}")
                self._export(name, "(sub resource)", is_resource=True)

    def _use(self, package: str, path: str) -> None:
        source = self._next()
        if self._at(":"):
            package = f"{source}:{self._next()}"
            self._next("/")
            source = self._next()
        self._next(".")
        self._next("{")
        for name in self._listed("}"):
            origin = f"{package}/{source}"
            self._uses[path].add(origin)
            local = self._next() if self._at("as") else name
            self._aliases.append(f'  (alias export ${origin} "{name}" (type ${path}:{local}))')
            self._export(local, f"(eq ${path}:{local})", is_resource=f"{origin}.{name}" in self._resources)
        self._next(";")

    def _export(self, name: str, bound: str, *, is_resource: bool = False) -> None:
        self._body.append(f'(export "{name}" (type ${name} {bound}))')
        self._local[name] = f"(own ${name})" if is_resource else f"${name}"

    def _defined(self, name: str, definition: str) -> None:
        self._body.append(f"(type ${name}.defined {definition})")
        self._export(name, f"(eq ${name}.defined)")

    def _type(self, _package: str, path: str) -> None:
        name = self._next()
        self._next("=")
        kind = self._kind()
        self._next(";")
        if kind.startswith(("$", "(own $")):
            self._resources |= {f"{path}.{name}"} if kind[0] == "(" else set()
            self._export(name, f"(eq {kind.removeprefix('(own ').removesuffix(')')})", is_resource=kind[0] == "(")
        else:
            self._defined(name, kind)

    def _record(self, _package: str, _path: str) -> None:
        name = self._next()
        self._next("{")
        fields = [f'(field "{field}" {self._typed()})' for field in self._listed("}")]
        self._defined(name, f"(record {' '.join(fields)})")

    def _variant(self, _package: str, _path: str) -> None:
        name = self._next()
        self._next("{")
        cases = []
        for case in self._listed("}"):
            payload = ""
            if self._at("("):
                payload = f" {self._kind()}"
                self._next(")")
            cases.append(f'(case "{case}"{payload})')
        self._defined(name, f"(variant {' '.join(cases)})")

    def _enum(self, _package: str, _path: str) -> None:
        self._named("enum")

    def _flags(self, _package: str, _path: str) -> None:
        self._named("flags")

    def _named(self, keyword: str) -> None:
        name = self._next()
        self._next("{")
        names = " ".join(f'"{each}"' for each in self._listed("}"))
        self._defined(name, f"({keyword} {names})")

    def _resource(self, _package: str, _path: str) -> None:
        name = self._next()
        if self._at(";"):
            return
        self._next("{")
        while not self._at("}"):
            self._wanted = self._gate()
            method = self._next()
            if method == "constructor":
                self._function(f"[constructor]{name}", result=f"(own ${name})")
                continue
            self._next(":")
            if self._at("static"):
                self._next("func")
                self._function(f"[static]{name}.{method}")
            else:
                self._next("func")
                self._function(f"[method]{name}.{method}", params=[f'(param "self" (borrow ${name}))'])

    def _function_named(self, name: str):
        def function(_package: str, _path: str) -> None:
            self._next(":")
            self._next("func")
            self._function(name)

        return function

    def _function(self, name: str, *, params: list[str] | None = None, result: str = "") -> None:
        self._next("(")
        written = [*(params or []), *(f'(param "{param}" {self._typed()})' for param in self._listed(")"))]
        if self._at("->"):
            result = self._kind()
        self._next(";")
        if not self._wanted:
            return
        self._counts[name] = len(written)
        self._body.append(f'(export "{name}" (func {" ".join(written)}{f" (result {result})" if result else ""}))')

    def _typed(self) -> str:
        self._next(":")
        return self._kind()

    def _kind(self) -> str:
        name = self._next()
        if name in PRIMITIVES:
            return name
        if name in self._local:
            return self._local[name]
        arguments = self._arguments() if self._at("<") else []
        if name == "borrow":
            return f"(borrow {arguments[0].removeprefix('(own ').removesuffix(')')})"
        if name == "result":
            ok, error = [*arguments, "_", "_"][:2]
            return f"(result{'' if ok == '_' else f' {ok}'}{'' if error == '_' else f' (error {error})'})"
        assert name in {"list", "option", "tuple"}, name
        return f"({name} {' '.join(arguments)})"

    def _arguments(self) -> list[str]:
        arguments = []
        while not self._at(">"):
            arguments.append("_" if self._at("_") else self._kind())
            self._at(",")
        return arguments


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def read(version: str = VERSION, *, unstable: bool = True) -> Wit:
    """Read all of WASI 0.2 that a component can import."""
    return Wit((Path(__file__).parent / "wasi.wit").read_text(), version, unstable=unstable)

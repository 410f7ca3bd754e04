"""The house rules of ARCHITECTURE.md, read off the source."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "washnb"
VOCABULARY = ("errors", "types", "wit", "events", "secrecy")
RANK = {
    **dict.fromkeys(VOCABULARY, 0),
    **{room: rank for rank, room in enumerate(("engine", "wasi", "plugins", "host", "presets", "notebook"), 1)},
}
HOME_OF = {
    "wasmtime": "engine",
    **dict.fromkeys(("aiohttp", "multidict", "yarl", "opentelemetry"), "host"),
    "nats": "plugins",
    **dict.fromkeys(("IPython", "ipywidgets", "anywidget", "traitlets", "ipykernel", "nest_asyncio2"), "notebook"),
}
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}


def statements(path: Path) -> Iterator[ast.AST]:
    """Parse a file, and yield its statements and handlers, nested ones too; what is in them is not looked at."""
    around: list[ast.AST] = [ast.parse(path.read_text())]
    while around:
        node = around.pop()
        for block in ("body", "orelse", "handlers", "finalbody", "cases"):
            around += getattr(node, block, ())
        yield node


def room_of(module: str) -> str:
    """Name the room of a module: `engine` of `washnb.engine.abi.plans`, and "" of the root package."""
    return module.partition(".")[2].partition(".")[0]


@cache
def imports(module: str) -> list[tuple[int, str, bool]]:
    """Find each import of a module, nested ones too: the line, the module it names, whether it is relative."""
    path, found = MODULES[module], []
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in statements(path):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name, False) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1]) if node.level else ""
            target = ".".join(filter(None, (base, node.module or "")))
            submodules = [f"{target}.{alias.name}" for alias in node.names if f"{target}.{alias.name}" in MODULES]
            found += [(node.lineno, name, bool(node.level)) for name in submodules or [target]]
    return found


def violations(rule) -> list[str]:
    """Apply `rule(module, target, relative)` to every import but the root package's and say where it is broken."""
    return [
        f"{module}:{line} imports {target}"
        for module in MODULES
        if room_of(module)
        for line, target, relative in imports(module)
        if rule(module, target, relative)
    ]


def test_rooms_import_only_to_the_right():
    """A room may import those to its right in ARCHITECTURE.md, vocabulary last, and never the root package."""

    def broken(module: str, target: str, relative: bool) -> bool:
        if not target.startswith("washnb") or relative:
            return False
        here, there = room_of(module), room_of(target)
        return not there or (RANK[there] >= RANK[here] and not RANK[here] == RANK[there] == 0)

    assert violations(broken) == []


def test_rooms_are_entered_through_their_door():
    """Another room is imported as `washnb.room`, and one's own by relative imports that do not leave it."""
    offered = ("washnb.plugins.catalog",)  # a module that its room's door hands out as a name

    def broken(module: str, target: str, relative: bool) -> bool:
        if relative:
            return room_of(module) != room_of(target)
        return target.startswith("washnb.") and target.count(".") > 1 and target not in offered

    assert violations(broken) == []


def test_libraries_stay_in_their_rooms():
    """Only the engine knows wasmtime, the host aiohttp and OpenTelemetry, the plugins NATS, the notebook Jupyter."""
    assert (
        violations(lambda module, target, _: HOME_OF.get(target.split(".")[0], room_of(module)) != room_of(module))
        == []
    )


def test_every_library_has_a_room():
    """No module imports a library that `HOME_OF` does not know."""
    known = {*sys.stdlib_module_names, "washnb", *HOME_OF}
    assert violations(lambda _, target, relative: not relative and target.split(".")[0] not in known) == []


def test_no_circle():
    """Modules import each other in one direction only, function-level imports included."""
    graph = {module: {name for _, name, _ in imports(module) if name in MODULES} for module in MODULES}
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


def test_doors_say_what_they_offer():
    """The `__init__.py` of a room has an `__all__`."""
    doors = [name for name, path in MODULES.items() if path.name == "__init__.py" and name.count(".") <= 1]
    silent = [name for name in doors if "__all__" not in MODULES[name].read_text()]
    assert not silent, "\n".join(silent)


def test_nothing_is_too_long_or_hides():
    """No file over 400 lines, no function over 60, no bare except, no import that only a type checker sees."""
    found = []
    for path in (*PACKAGE.rglob("*.py"), *(ROOT / "tests").rglob("*.py"), ROOT / "dev.py"):
        text = path.read_text()
        lines = text.count("\n")
        if lines > 400:
            found.append(f"{path.relative_to(ROOT)}: {lines} lines")
        for node in statements(path):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno - node.lineno >= 60:
                found.append(
                    f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {node.end_lineno - node.lineno + 1} lines"
                )
            if isinstance(node, ast.ExceptHandler) and node.type is None:
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}: bare except")
            if isinstance(node, ast.If) and "TYPE_CHECKING" in vars(node.test).values():
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}: TYPE_CHECKING")
    assert not found, "\n".join(found)


def test_nothing_names_the_machine_it_was_written_on():
    """No source, document or notebook holds a path of somebody's home or work folder."""
    private = re.compile(r"(?<![\w.])/(work|home|root|Users)/\w")
    patterns = (
        "*.md",
        "washnb/**/*",
        "tests/**/*",
        "notebooks/**/*",
        "labextension/**/*",
        "docs/**/*",
        "*.py",
        "*.toml",
    )
    kinds = {".py", ".md", ".toml", ".ipynb", ".wat", ".wit", ".js", ".css", ".json"}
    files = {path for pattern in patterns for path in ROOT.glob(pattern) if path.suffix in kinds}
    named = [str(path) for path in files if path != Path(__file__) and private.search(path.read_text(errors="replace"))]
    assert not named, "\n".join(named)

"""The documents say what is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from washnb import errors

ROOT = Path(__file__).parent.parent
WIDGET = "application/vnd.jupyter.widget-view+json"
TERMINAL_CODES = re.compile(r"\x1b\[[0-9;]*m")
TIME = re.compile(r" +\d[\d.]* (?:µs|ms|s)\b")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def cells_of(document: Path) -> list[tuple[str, str]]:
    """Return each Python block of a document with the `text` block after it, which is what it prints."""
    cells: list[tuple[str, str]] = []
    for language, block in FENCE.findall(document.read_text()):
        if language in {"python", "ipython"}:
            cells.append((block, ""))
        elif language == "text" and cells:
            cells[-1] = (cells[-1][0], block)
    return cells


def text_of(output) -> str:
    """Return what a person reads of one output of a cell; of a live view, the plain output below it is read."""
    if output.output_type == "error":
        return TERMINAL_CODES.sub("", "\n".join(output.traceback))
    if output.output_type == "stream":
        return output.text
    return "" if WIDGET in output.data else output.data["text/plain"]


def execute(sources: list[str]) -> list[str]:
    """Run cells in a fresh kernel, from the folder of the README, and return what each prints and, last, returns."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    resources = {"metadata": {"path": str(ROOT)}}
    NotebookClient(notebook, timeout=50, kernel_name="python3", allow_errors=True, resources=resources).execute()
    return ["\n".join(text_of(output).rstrip() for output in cell.outputs) for cell in notebook.cells]


@pytest.mark.slow
def test_readme_runs():
    """Every cell of the README runs in a kernel, in order, and prints what the README says; times may differ."""
    cells = cells_of(ROOT / "README.md")
    for (source, expected), printed in zip(cells, execute([source for source, _ in cells]), strict=True):
        assert TIME.sub(" ...", printed).strip() == TIME.sub(" ...", expected).strip(), source


def test_every_error_code_is_explained():
    """docs/errors.md lists each class of washnb.errors under its code, and nothing else."""
    rows = re.findall(r"^\| (W\d+) \| `(\w+)` \|", (ROOT / "docs/errors.md").read_text(), re.MULTILINE)
    classes = [cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, errors.WashError)]
    assert rows == sorted((cls.code, cls.__name__) for cls in classes)


def test_links_lead_somewhere():
    """Each relative link of the documents names a file that is there."""
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    links = [(path, link) for path in documents for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text())]
    assert [f"{path.name}: {link}" for path, link in links if not (path.parent / link).exists()] == []


def test_the_table_of_verbs_names_all_of_them():
    """README's table has every verb of %wash with every option of it, and no other."""
    from washnb.notebook.verbs import VERBS

    table = (ROOT / "README.md").read_text().partition("## The verbs")[2].partition("\n\nEvery verb")[0]
    uses = [use for row in table.splitlines() for use in re.findall(r"`([^`]+)`", row.split(" | ")[0])]
    named: dict[str, set[str]] = {}
    for verb, _, rest in (use.partition(" ") for use in uses):
        named.setdefault(verb, set()).update(re.findall(r"(?<!\S)\[?(--?[a-z]+(?:-[a-z]+)*)", rest, re.IGNORECASE))
    options = {name: {*verb.parser()._option_string_actions} - {"--help"} for name, verb in VERBS.items()}
    assert named == options

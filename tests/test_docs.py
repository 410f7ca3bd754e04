"""The documents say what is so."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from washnb import errors

ROOT = Path(__file__).parent.parent
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def cells_of(document: Path) -> list[tuple[str, str]]:
    """Return each Python block of a document with the `text` block after it: what it prints, `...` for what varies."""
    cells: list[tuple[str, str]] = []
    for language, block in FENCE.findall(document.read_text()):
        if language in {"python", "ipython"}:
            cells.append((block, ""))
        elif language == "text" and cells:
            cells[-1] = (cells[-1][0], block)
    return cells


def printed(cell: nbformat.NotebookNode) -> str:
    """Return what a cell printed and, last, what it returned."""
    texts = [output.text if output.output_type == "stream" else output.data["text/plain"] for output in cell.outputs]
    return "\n".join(text.rstrip() for text in texts) + "\n"


def test_readme_runs():
    """Every cell of the README runs in a kernel, in order, and prints what the README says."""
    cells = cells_of(ROOT / "README.md")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code, _ in cells])
    NotebookClient(notebook, timeout=50, kernel_name="python3", resources={"metadata": {"path": str(ROOT)}}).execute()
    checker = doctest.OutputChecker()
    different = [
        f"{cell.source}\nprints\n{printed(cell)}"
        for cell, (_, expected) in zip(notebook.cells, cells, strict=True)
        if expected and not checker.check_output(expected, printed(cell), doctest.ELLIPSIS)
    ]
    assert not different, "\n".join(different)


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

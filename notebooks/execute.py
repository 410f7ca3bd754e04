"""Run a notebook from top to bottom without a browser, and print what its cells print.

    python notebooks/execute.py notebooks/01_quickstart.ipynb

Nothing is written. The exit code is 1, after one line that names the cell, where a cell fails that is not marked
`raises-exception`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

CELL_TIMEOUT = 600  # seconds: a cell may build a guest on a slow machine
WIDGET = "application/vnd.jupyter.widget-view+json"
TERMINAL_CODES = re.compile(r"\x1b\[[0-9;]*m")


def text_of(output: dict[str, Any]) -> str:
    """Return an output of a cell as plain text. A widget has none: its view shows a plain face of its own below it."""
    if output["output_type"] == "stream":
        text = output["text"]
    elif output["output_type"] == "error":
        text = "\n".join(output["traceback"])
    else:
        text = "" if WIDGET in output["data"] else output["data"].get("text/plain", "")
    return TERMINAL_CODES.sub("", text).rstrip()


def show_source(cell: dict[str, Any], **_: Any) -> None:
    """Print what is about to run; of prose, its headings."""
    if cell["cell_type"] == "code":
        print("\n>>> " + cell["source"].replace("\n", "\n... "), flush=True)
    else:
        print(*(f"\n{line}" for line in cell["source"].splitlines() if line.startswith("#")), sep="", flush=True)


def show_outputs(cell: dict[str, Any], **_: Any) -> None:
    """Print what a cell has printed and returned."""
    for text in filter(None, map(text_of, cell["outputs"])):
        print(text, flush=True)


def main() -> int:
    """Run the notebook that the command line names."""
    path = Path(sys.argv[1])
    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(path.parent)}}
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        extra_arguments=["--log-level=ERROR"],  # it warns of TCP without encryption, on loopback
        resources=resources,
        on_cell_start=show_source,
        on_cell_executed=show_outputs,
    )
    try:
        client.execute()
    except CellExecutionError as error:
        print(f"{path.name} failed: {error.ename}: {error.evalue.partition(chr(10))[0]}", file=sys.stderr)
        return 1
    except (CellTimeoutError, DeadKernelError) as error:
        print(f"{path.name} failed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A real JupyterLab with a notebook, and a real browser at it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
ROOT = Path(__file__).parent.parent.parent
NEWS = "@jupyterlab/apputils-extension/notification.jupyterlab-settings"
LAB = """
import os, signal, sys, threading
from jupyterlab.labapp import main

def follow():
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)

threading.Thread(target=follow, daemon=True).start()
main()
"""  # JupyterLab that ends with the tests, also where these are killed

IN_A_BROWSER = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.timeout(180),
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium"),
    pytest.mark.filterwarnings("default::ResourceWarning", "default::pytest.PytestUnraisableExceptionWarning"),
]
"""What tests in a browser are marked with."""


@pytest.fixture
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder with one notebook, of the `CELLS` of the test's module, and room for Jupyter's own files."""
    import nbformat

    cells = [nbformat.v4.new_code_cell(cell) for cell in request.module.CELLS]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, tmp_path / "views.ipynb")
    settings = tmp_path / "settings" / NEWS
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps({"fetchNews": "false"}))
    return tmp_path


@pytest.fixture
def lab(folder: Path) -> Iterator[str]:
    """A JupyterLab over that folder; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "JUPYTERLAB_WORKSPACES_DIR")
    own = {name: str(folder / ".jupyter" / name.lower()) for name in names}
    with subprocess.Popen(
        [
            *(sys.executable, "-c", LAB, "--no-browser", "--allow-root", "--expose-app-in-browser"),
            *("--ServerApp.token=", "--ServerApp.password=", f"--port={port}", f"--notebook-dir={folder}"),
        ],
        env={**os.environ, **own, "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"), "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for the tests
    ) as server:
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for(address)
            yield address
        finally:
            server.terminate()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:  # a thread of one of its libraries was left
                server.kill()


def _wait_for(address: str) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            urlopen(f"{address}/api", timeout=5).close()
        except (URLError, ConnectionError):
            assert time.monotonic() < end, "JupyterLab did not start"
            time.sleep(0.3)
        else:
            return


class Page:
    """JupyterLab with the notebook open."""

    def __init__(self, page, lab: str) -> None:
        self.page = page
        page.goto(f"{lab}/lab/tree/views.ipynb?reset")
        page.wait_for_selector("#jupyterlab-splash", state="detached", timeout=60_000)
        page.wait_for_selector(".jp-Notebook .jp-Cell")
        page.wait_for_function(
            "window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
        )

    def command(self, name: str) -> None:
        """Carry out a command of JupyterLab, and wait until it is done."""
        self.page.evaluate("name => window.jupyterapp.commands.execute(name).then(() => null)", name)

    def run(self, cell: int) -> None:
        """Run one cell."""
        self.page.evaluate("n => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = n }", cell)
        self.command("notebook:run-cell")

    def begin(self, cell: int) -> None:
        """Run one cell that waits for something."""
        self.page.evaluate("n => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = n }", cell)
        self.page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-cell') }")

    def begin_all(self) -> None:
        """Run all cells, some of which wait for something."""
        self.page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")

    def output(self, cell: int):
        """The outputs of a cell."""
        return self.page.locator(".jp-Notebook .jp-CodeCell").nth(cell).locator(".jp-Cell-outputArea")


@pytest.fixture
def page(lab: str) -> Iterator[Page]:
    """A browser at the notebook, its kernel ready."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        opened = browser.new_page(viewport={"width": 1200, "height": 1600})
        opened.set_default_timeout(30_000)
        yield Page(opened, lab)
        browser.close()

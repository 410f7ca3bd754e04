"""The extension in a real kernel: interrupts, the end of the process, and where output goes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import psutil
import pytest
from jupyter_client.manager import KernelManager

pytestmark = [
    pytest.mark.slow,
    # the client of Jupyter leaves sockets to the garbage collector
    pytest.mark.filterwarnings("default::ResourceWarning", "default::pytest.PytestUnraisableExceptionWarning"),
]

ROOT = Path(__file__).parent.parent.parent


class Kernel:
    """A kernel that has loaded the extension, and cells for it."""

    def __init__(self, manager: KernelManager) -> None:
        self.manager = manager
        self.client = manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=30)
        self.run("%load_ext washnb")

    def begin(self, cell: str) -> str:
        """Send a cell, and return the id of the message."""
        return self.client.execute(cell)

    def finish(self, message: str, seconds: float = 20) -> list[dict[str, Any]]:
        """Wait until a cell has run, and return what it said."""
        said = []
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            got = self.client.get_iopub_msg(timeout=seconds)
            if got["parent_header"].get("msg_id") != message:
                continue
            if got["msg_type"] == "status" and got["content"]["execution_state"] == "idle":
                return said
            said.append(got)
        raise TimeoutError(said)

    def run(self, cell: str) -> list[dict[str, Any]]:
        """Run a cell."""
        return self.finish(self.begin(cell))

    def text(self, cell: str) -> str:
        """Run a cell, and return what it printed."""
        return "".join(each["content"]["text"] for each in self.run(cell) if each["msg_type"] == "stream")

    @property
    def process(self) -> psutil.Process:
        """The kernel's process."""
        return psutil.Process(self.manager.provisioner.process.pid)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Kernel]:
    """A fresh kernel with settings of its own."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    manager = KernelManager()
    manager.start_kernel(cwd=str(tmp_path))
    kernel = Kernel(manager)
    yield kernel
    kernel.client.stop_channels()
    if manager.has_kernel:
        manager.shutdown_kernel(now=True)
    manager.cleanup_resources()


def test_interrupt_frees_the_cell_within_a_second(kernel):
    """A verb that waits for a guest that loops is interrupted, in a few lines, and the session goes on."""
    kernel.run("%wash load example:loop")
    message = kernel.begin("%wash send /")
    time.sleep(1)
    begun = time.monotonic()
    kernel.manager.interrupt_kernel()
    said = kernel.finish(message)
    assert time.monotonic() - begun < 1
    error = next(each["content"] for each in said if each["msg_type"] == "error")
    assert error["ename"] == "Interrupted"
    assert len(error["traceback"]) == 1
    assert "adder is running" in kernel.text("%wash load example:adder")
    time.sleep(0.3)
    busy = kernel.process.cpu_percent(interval=0.5)
    assert busy < 50, "the guest still runs"


def test_shutdown_leaves_no_process_and_no_port(kernel):
    """A kernel that is shut down while it serves and while a guest loops is gone, and so is its port."""
    address = kernel.text("%wash load example:hello\nprint(wash.serve(0))").split()[-1]
    assert urlopen(address).status == 200
    kernel.run("%wash load example:loop")
    kernel.begin("%wash send / --timeout 60")
    time.sleep(0.5)
    process = kernel.process
    begun = time.monotonic()
    kernel.manager.shutdown_kernel()
    assert time.monotonic() - begun < 4, "it had to be killed"
    assert not process.is_running()
    with pytest.raises(URLError):
        urlopen(address, timeout=2)


def test_restart_begins_anew(kernel):
    """After a restart the same port is free again."""
    port = kernel.text("%wash load example:hello\nprint(wash.serve(0))").rpartition(":")[2].strip()
    kernel.manager.restart_kernel()
    kernel.client.wait_for_ready(timeout=30)
    kernel.run("%load_ext washnb")
    assert port in kernel.text(f"%wash load example:hello\n%wash serve {port}")


def test_server_answers_while_a_cell_runs(kernel):
    """A cell that asks its own host over a socket gets the answer."""
    kernel.run("%wash load example:hello\naddress = wash.serve(0)")
    cell = "from urllib.request import urlopen\nprint(urlopen(address).status)"
    assert kernel.text(cell).strip() == "200"


def test_line_of_a_verb_is_all_it_shows(kernel):
    """A verb that changes something says so in a line, and its value is shown only when it is asked for again."""
    said = kernel.run("handle = %wash load example:adder\n%wash attach keyvalue")
    assert [each["msg_type"] for each in said if each["msg_type"] != "execute_input"] == ["status", "stream"]
    said = kernel.run("%wash serve 0")
    assert not [each for each in said if each["msg_type"] == "execute_result"]
    assert [each for each in kernel.run("wash.serve()") if each["msg_type"] == "execute_result"]


def test_output_lands_in_the_cell_that_asked(kernel):
    """What a plugin prints belongs to the cell that sent the request."""
    kernel.run(
        "from washnb import Interface\n"
        "class Roll(Interface, wit='workshop:dice/roll'):\n"
        "    def roll(self, sides: int) -> int:\n"
        "        print('rolled')\n"
        "        return sides\n"
        "wash.load('example:lucky', attach=[Roll])"
    )
    assert "rolled" in kernel.text("r = wash.send('/')")


def test_view_is_a_widget_and_its_last_state(kernel):
    """A view puts two outputs on the page; the second one is plain, without ids and times."""
    kernel.run("%wash load example:counter --attach keyvalue\n%wash send /x")
    said = [each["content"] for each in kernel.run("%wash kv") if each["msg_type"] == "display_data"]
    live, still = said
    assert "application/vnd.jupyter.widget-view+json" in live["data"]
    assert set(still["data"]) == {"text/plain", "text/html"}
    assert "default" in still["data"]["text/html"]
    again = [each["content"] for each in kernel.run("%wash kv") if each["msg_type"] == "display_data"]
    assert again[1]["data"] == still["data"]


def test_shift_tab_documents_exports(kernel):
    """As they stand in the cell, and through a variable; what is Python's own is documented as ever."""
    kernel.run("add = wash.load('example:adder').add")
    for code, said in (('wash["adder"].add(1, ', "add(a: int, b: int) -> int"), ("add(", "u32"), ("print(", "Prints")):
        reply = kernel.client.inspect(code, len(code), reply=True, timeout=20)["content"]
        assert said in reply["data"]["text/plain"]


def test_load_ext_is_quick(kernel):
    """Loading the extension loads neither the host nor the widgets."""
    cell = "import sys\nprint([m for m in ('wasmtime', 'aiohttp', 'ipywidgets', 'anywidget') if m in sys.modules])"
    assert kernel.text(cell).strip() == "[]"


def test_progress_is_one_line_that_moves(kernel):
    """While a component compiles, one output is written again and again."""
    kernel.run("from washnb.events import CompileProgress\nfrom washnb.notebook.progress import ProgressLines")
    said = kernel.run(
        "lines = ProgressLines()\n"
        "for stage, elapsed in (('read', 0), ('compile', 0.1), ('compile', 2), ('compile', 3), ('done', 4)):\n"
        "    lines.take(CompileProgress('guest', stage, 2048, elapsed))"
    )
    shown = [each for each in said if "display" in each["msg_type"]]
    assert [each["msg_type"] for each in shown] == ["display_data", "update_display_data", "update_display_data"]
    assert "compiling guest (2.0 KiB) ... 2 s" in shown[0]["content"]["data"]["text/plain"]
    assert "compiled guest (2.0 KiB) in 4 s" in shown[2]["content"]["data"]["text/plain"]


def test_skeleton_is_a_cell_of_the_front_end(kernel):
    """The class that `plugin new` writes becomes a new cell; the one that ran stays."""
    message = kernel.begin("%wash plugin new wasi:keyvalue/store --from example:counter")
    kernel.finish(message)
    while (reply := kernel.client.get_shell_msg(timeout=20))["parent_header"]["msg_id"] != message:
        pass
    (payload,) = reply["content"]["payload"]
    assert (payload["source"], payload["replace"]) == ("set_next_input", False)
    assert "class Store(Interface" in payload["text"]
    assert not payload["text"].endswith("\n")

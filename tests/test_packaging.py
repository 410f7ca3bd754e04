"""The wheel is whole, and works by itself."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SMOKE = """
import washnb
from washnb import Session
print(washnb.__file__)
with Session() as wash:
    wash.load("example:hello")
    print(wash.send("/").status)
"""


def run(*command: str, cwd: Path) -> str:
    """Run a command without the variables of the surrounding environment, and return what it printed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(name="built", scope="module")
def _built(tmp_path_factory) -> Path:
    """Build the source distribution and, from that, the wheel."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT), cwd=folder)
    return folder


def test_wheel_holds_the_whole_package(built):
    """Each file of the package is in the wheel: code, types marker, examples, scripts and styles of the widgets."""
    (wheel,) = built.glob("*.whl")
    inside = set(zipfile.ZipFile(wheel).namelist())
    files = {path for path in (ROOT / "washnb").rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert {str(path.relative_to(ROOT)) for path in files} <= inside
    assert {name for name in inside if ".dist-info/" not in name and not name.startswith("washnb/")} == set()


def test_source_distribution_can_be_tested(built):
    """Tests, notebooks and documents are in the source distribution."""
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        names = {name.partition("/")[2] for name in tar.getnames()}
    assert {"dev.py", "README.md", "LICENSE", "tests/conftest.py", "notebooks/03_nats.ipynb"} <= names


def test_wheel_works_in_an_empty_environment(built, tmp_path):
    """Installed alone into a new environment, washnb serves a component that ships with it."""
    (wheel,) = built.glob("*.whl")
    venv.EnvBuilder(with_pip=True).create(tmp_path / "env")
    python = str(tmp_path / "env/bin/python")
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel), cwd=tmp_path)
    where, status = run(python, "-c", SMOKE, cwd=tmp_path).split()
    assert where.startswith(str(tmp_path))
    assert status == "200"

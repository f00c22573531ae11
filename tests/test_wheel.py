"""The wheel in an environment of its own, outside of the repository, without make and git."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

import build_wheel
import pytest

from .contents import LESSONS, ROOT

HTML = ROOT / "_build" / "html"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel.build(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def home(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with an environment in which the wheel is installed."""
    folder = tmp_path_factory.mktemp("elsewhere")
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", str(folder / "venv")], check=True)
    python = folder / "venv" / "bin" / "python"
    options = ["--quiet", "--python", str(python), "--constraint", str(ROOT / "requirements.lock")]
    subprocess.run([*uv, "pip", "install", *options, f"{wheel}[lessons]"], check=True)
    return folder


def alone(home: Path) -> dict[str, str]:
    """Return variables with nothing on the path but the environment."""
    active = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")
    variables = {key: value for key, value in os.environ.items() if key not in active}
    return {**variables, "PATH": str(home / "venv" / "bin")}


def call(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Call a program of the environment as a person would."""
    program = str(home / "venv" / "bin" / arguments[0])
    result = subprocess.run(
        [program, *arguments[1:]], cwd=home, env=alone(home), capture_output=True, text=True,
        check=False, timeout=240,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    return result


def test_it_holds_the_book_and_nothing_of_this_machine(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {f"lessons_lib/shipped/book/{page}.ipynb" for page in LESSONS} <= names
    assert {f"lessons_lib/shipped/html/{page}.html" for page in LESSONS} <= names
    assert {"lessons_lib/conventions/libraries.toml", "lessons_lib/data/mnist_2500.npz"} <= names
    assert not [name for name in names if "__pycache__" in name or "tests/" in name]


def test_the_doctor_is_content(home: Path) -> None:
    assert "All is well." in call(home, "overfit", "doctor").stdout


def test_the_book_is_read_from_it(home: Path) -> None:
    program = [str(home / "venv" / "bin" / "overfit"), "read", "02-l2", "--no-browser"]
    options = {"cwd": home, "env": alone(home), "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(program, **options) as server:
        try:
            address = server.stdout.readline().split()[-1]
            with urllib.request.urlopen(address, timeout=10) as reply:
                assert b"<h1>L2" in reply.read()
        finally:
            server.terminate()


def test_a_lesson_runs_from_its_pages_download_link(home: Path) -> None:
    call(home, "overfit", "lab", "mine", "--copy-only")
    page = random.SystemRandom().choice(LESSONS)
    print(page)
    downloaded = home / f"{page}.ipynb"
    downloaded.write_bytes((HTML / "_sources" / f"{page}.ipynb").read_bytes())
    call(
        home, "jupyter", "execute", "--KernelManager.transport=ipc", str(downloaded)
    )  # from nbclient
    assert (home / "mine" / f"{page}.ipynb").is_file()

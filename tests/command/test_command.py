"""The command ``overfit``, as a person calls it."""

from __future__ import annotations

import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from lessons_lib.command import doctor, lab, main
from lessons_lib.command._files import CommandError


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "api").mkdir(parents=True)
    (folder / "index.ipynb").write_text("home")
    (folder / "api" / "linear.md").write_text("reference")
    (folder / "_ignored").mkdir()
    (folder / "_ignored" / "style.css").touch()
    return folder


def files(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in folder.rglob("*")
        if path.is_file() and path.name != lab.RECORD
    }


def test_the_notebooks_are_copied_once(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "mine" / "lessons"
    assert list(lab.copy_notebooks(source, target)) == [f"2 files copied to {target}"]
    assert files(target) == {"index.ipynb": "home", "api/linear.md": "reference"}
    assert list(lab.copy_notebooks(source, target)) == [f"{target} is up to date"]


def test_what_a_reader_changed_is_never_overwritten(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "mine"
    list(lab.copy_notebooks(source, target))
    (target / "index.ipynb").write_text("my answers")
    list(lab.copy_notebooks(source, target))
    assert files(target)["index.ipynb"] == "my answers"
    assert "index.new.ipynb" not in files(target)  # nothing newer has come

    (source / "index.ipynb").write_text("a newer home")
    (source / "api" / "linear.md").write_text("a newer reference")
    kept, copied = lab.copy_notebooks(source, target)
    assert kept == "index.ipynb: you changed it, so it is kept; the newer one is index.new.ipynb"
    assert copied.startswith("1 files copied")
    assert files(target) == {
        "index.ipynb": "my answers",
        "index.new.ipynb": "a newer home",
        "api/linear.md": "a newer reference",
    }
    assert len(list(lab.copy_notebooks(source, target))) == 1  # told once


def test_a_file_that_was_there_before_is_the_readers(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "mine"
    target.mkdir()
    (target / "index.ipynb").write_text("something else")
    (target / lab.RECORD).write_text("not JSON")
    list(lab.copy_notebooks(source, target))
    assert files(target)["index.ipynb"] == "something else"
    assert files(target)["index.new.ipynb"] == "home"


def test_a_folder_that_is_a_file_is_named(source: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    with pytest.raises(CommandError, match="mine' cannot be made"):
        list(lab.copy_notebooks(source, tmp_path / "mine"))


def test_help_version_and_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, code, text in [
        (["--help"], 0, "read "),
        (["lab", "--help"], 0, "never overwritten"),
        (["--version"], 0, r"overfit \d"),
        ([], 2, "required: COMMAND"),
        (["reed"], 2, "invalid choice: 'reed'"),
    ]:
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        assert stop.value.code == code
        captured = capsys.readouterr()
        assert re.search(text, captured.out + captured.err)


def test_reading_a_page_that_is_none(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "html").mkdir()
    (tmp_path / "html" / "index.html").touch()
    monkeypatch.setattr("lessons_lib.command._files.SHIPPED", tmp_path)
    assert main(["read", "02-l3"]) == 1
    assert "there is no page '02-l3'" in capsys.readouterr().err
    assert main(["read", "--port", "99999"]) == 1
    assert "port 99999 cannot be used" in capsys.readouterr().err


def test_a_book_that_is_not_there(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("lessons_lib.command._files.SHIPPED", tmp_path)
    monkeypatch.setattr("lessons_lib.command._files.PACKAGE", tmp_path / "package")
    assert main(["read"]) == 1
    assert "make book" in capsys.readouterr().err
    assert main(["lab", str(tmp_path / "mine"), "--copy-only"]) == 1


def test_pages_are_served(tmp_path: Path) -> None:
    (tmp_path / "html").mkdir()
    (tmp_path / "html" / "index.html").write_text("the book")
    code = (
        "import sys, pathlib\nfrom lessons_lib.command import _files, main\n"
        f"_files.SHIPPED = pathlib.Path({str(tmp_path)!r})\n"
        "sys.exit(main(['read', '--no-browser']))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            address = server.stdout.readline().split()[-1]
            with urllib.request.urlopen(address, timeout=10) as reply:
                assert reply.read() == b"the book"
        finally:
            server.terminate()


def test_the_doctor_finds_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = ["numpy>=999", "no-such-package>=1", "numpy>=1", "uv; extra == 'book'"]
    monkeypatch.setattr(doctor, "requires", lambda name: wanted)
    monkeypatch.setenv("LESSONS_LIB_PROGRESS", "")
    found = list(doctor.findings())
    assert [good for good, _ in found][:3] == [False, False, True]
    assert "pip install --upgrade numpy" in found[0][1]
    assert 'pip install "no-such-package>=1"' in found[1][1]
    assert not any("uv" in text.split() for _, text in found)
    assert found[-1] == (True, found[-1][1])
    assert "switched off" in found[-1][1]


def test_the_doctor_is_content_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LESSONS_LIB_PROGRESS", str(tmp_path / "new" / "progress.json"))
    assert all(good for good, text in doctor.findings() if "make book" not in text)

import dataclasses
import errno
import json
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from lessons_lib.exercises._progress import ProgressStore, Record, open_store


@pytest.fixture
def path(tmp_path):
    return tmp_path / "folder" / "progress.json"


@pytest.fixture
def reports():
    return []


@pytest.fixture
def store(path, reports):
    return ProgressStore(path, reports.append)


def attempted(record):
    return dataclasses.replace(record, attempts=record.attempts + 1)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_reading_creates_nothing(store, path):
    assert store.read() == {}
    assert not path.parent.exists()


def test_records_survive(store, path, reports):
    assert store.update("a.b", attempted) == Record(attempts=1)
    store.update(
        "a.b", lambda r: dataclasses.replace(r, passed="2030-01-02", last_attempt="é\ud800")
    )
    store.update("a.c", attempted)
    again = ProgressStore(path, reports.append)
    assert again.read() == {
        "a.b": Record(1, 0, "2030-01-02", "é\ud800"),
        "a.c": Record(attempts=1),
    }
    assert json.loads(path.read_text())["schema"] == 1
    assert names(path.parent) == ["progress.json", "progress.json.lock"]
    assert reports == []


def test_changes_of_another_kernel_are_kept(store, path, reports):
    other = ProgressStore(path, reports.append)
    store.update("a.b", attempted)
    other.update("a.b", attempted)
    other.update("a.c", attempted)
    store.update("a.d", attempted)
    assert {name: r.attempts for name, r in store.read().items()} == {"a.b": 2, "a.c": 1, "a.d": 1}


WRITER = textwrap.dedent("""
    import dataclasses, sys
    from pathlib import Path
    from lessons_lib.exercises._progress import ProgressStore
    store = ProgressStore(Path(sys.argv[1]), print)
    print("ready", flush=True)
    input()
    for _ in range(int(sys.argv[2])):
        store.update("a.b", lambda r: dataclasses.replace(r, attempts=r.attempts + 1))
""")


def start_writer(path, n_updates):
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), str(n_updates)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout.readline() == "ready\n"
    return writer


def test_kernels_that_write_at_once_lose_nothing(store, path):
    writers = [start_writer(path, 20) for _ in range(2)]
    for writer in writers:
        writer.stdin.write("\n")
        writer.stdin.flush()
    for writer in writers:
        output, _ = writer.communicate(timeout=60)
        assert (output, writer.returncode) == ("", 0)
    assert store.read()["a.b"].attempts == 40


def test_a_kernel_killed_while_writing_leaves_the_file_whole(store, path, reports):
    with start_writer(path, 10**9) as writer:
        writer.stdin.write("\n")
        writer.stdin.flush()
        deadline = time.monotonic() + 30
        while store.read().get("a.b", Record()).attempts < 5:
            assert time.monotonic() < deadline
        writer.kill()
        writer.communicate()
    before = store.read()["a.b"].attempts
    started = time.monotonic()
    assert store.update("a.b", attempted).attempts == before + 1
    assert time.monotonic() - started < 4  # its lock has died with it
    assert reports == []


# --- damaged files ---

WHOLE = json.dumps({"schema": 1, "exercises": {"a.b": dataclasses.asdict(Record(3))}})


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        WHOLE[:-1].encode(),
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"schema": 1}',
        b'{"schema": 1, "exercises": 3}',
        WHOLE.replace("3", '"3"').encode(),
        WHOLE.replace("3", "-3").encode(),
        WHOLE.replace("3", "true").encode(),
        WHOLE.replace("null", "[]").encode(),
        b'{"schema": 1, "exercises": {"a.b": null}}',
    ],
    ids=range(12),
)
def test_a_damaged_file_is_put_aside(content, store, path, reports):
    path.parent.mkdir()
    path.write_bytes(content)
    aside = path.with_name("progress.json.corrupt-1")
    assert store.read() == {}
    assert reports == [
        f"the progress file was damaged: it is now {aside}, and progress starts anew"
    ]
    assert aside.read_bytes() == content
    store.update("a.b", attempted)
    assert store.read() == {"a.b": Record(attempts=1)}
    path.write_bytes(content)
    store.update("a.b", attempted)
    assert path.with_name("progress.json.corrupt-2").read_bytes() == content
    assert aside.read_bytes() == content
    assert len(reports) == 2


def test_whole_files_are_not_put_aside(store, path, reports):
    path.parent.mkdir()
    path.write_text(WHOLE.replace('"attempts"', '"added later": 1, "attempts"'))
    assert store.read() == {"a.b": Record(attempts=3)}
    assert reports == []


@pytest.mark.parametrize("content", ['{"schema": 2, "new": []}', '{"name": "mine"}', "[1, 2]", "3"])
def test_a_file_of_another_program_or_version_stays_as_it_is(content, store, path, reports):
    path.parent.mkdir()
    path.write_text(content)
    store.update("a.b", attempted)
    assert store.update("a.b", attempted) == Record(attempts=2)
    assert store.read() == {"a.b": Record(attempts=2)}
    assert path.read_text() == content
    assert reports == [
        f"{path} is no progress file of this version; it stays as is; "
        "progress is kept until the kernel stops"
    ]


# --- places that cannot be written ---


@pytest.mark.parametrize("place", ["folder is a file", "path is a folder", "loop", "too long"])
def test_unusable_places_are_reported_once(place, tmp_path, reports):
    path = tmp_path / "folder" / "progress.json"
    if place == "folder is a file":
        path.parent.touch()
    elif place == "path is a folder":
        path.mkdir(parents=True)
    elif place == "loop":
        path.parent.symlink_to(path.parent)
    else:
        path = path.with_name("x" * 300)
    store = ProgressStore(path, reports.append)
    store.read()
    store.update("a.b", attempted)
    assert store.update("a.b", attempted) == Record(attempts=2)
    assert store.read() == {"a.b": Record(attempts=2)}
    assert len(reports) == 1
    assert reports[0].startswith(f"the progress file {path} cannot be used (")
    assert reports[0].endswith("); progress is kept until the kernel stops")
    assert "\n" not in reports[0]


@pytest.mark.parametrize("call", ["fsync", "mkstemp"])
def test_a_full_or_readonly_disk(call, store, path, reports, monkeypatch):
    store.update("a.b", attempted)
    before = path.read_bytes()

    def fail(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(
        f"lessons_lib.exercises._progress.{'os' if call == 'fsync' else 'tempfile'}.{call}", fail
    )
    assert store.update("a.b", attempted) == Record(attempts=2)
    assert store.update("a.c", attempted) == Record(attempts=1)
    assert store.read() == {"a.b": Record(attempts=2), "a.c": Record(attempts=1)}
    assert path.read_bytes() == before
    assert names(path.parent) == ["progress.json", "progress.json.lock"]
    assert reports == [
        f"the progress file {path} cannot be used (No space left on device); "
        "progress is kept until the kernel stops"
    ]


def test_a_folder_that_can_only_be_read(store, path, reports, monkeypatch):
    store.update("a.b", attempted)
    path.with_name("progress.json.lock").unlink()

    def refuse(*args, **kwargs):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("lessons_lib.exercises._progress._lock_file", refuse)
    monkeypatch.setattr("lessons_lib.exercises._progress.tempfile.mkstemp", refuse)
    assert store.read() == {"a.b": Record(attempts=1)}
    assert reports == []
    assert store.update("a.b", attempted) == Record(attempts=2)
    assert store.read() == {"a.b": Record(attempts=2)}
    assert len(reports) == 1


def test_a_lock_held_for_long_stops_nobody(store, path, reports, monkeypatch):
    monkeypatch.setattr("lessons_lib.exercises._progress._LOCK_WAIT", 0.05)
    monkeypatch.setattr("lessons_lib.exercises._progress._try_lock", lambda file: False)
    assert store.update("a.b", attempted) == Record(attempts=1)
    assert reports == []


def test_a_link_stays_a_link(path, tmp_path, reports):
    link = tmp_path / "link.json"
    link.symlink_to(path)
    ProgressStore(link, reports.append).update("a.b", attempted)
    assert link.is_symlink()
    assert ProgressStore(path, reports.append).read() == {"a.b": Record(attempts=1)}


def test_replacing_is_tried_again(store, path, monkeypatch):
    """As on Windows while a virus scanner reads the file."""
    replace = Path.replace
    refusals = iter([True, True, False])

    def busy_replace(self, target):
        if next(refusals):
            raise PermissionError
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", busy_replace)
    store.update("a.b", attempted)
    assert json.loads(path.read_text())["exercises"]["a.b"]["attempts"] == 1


# --- which file ---


def test_the_environment_names_the_file(path, reports, monkeypatch):
    monkeypatch.setenv("LESSONS_LIB_PROGRESS", str(path))
    open_store(reports.append).update("a.b", attempted)
    assert path.exists()


def test_nothing_is_written_on_demand(tmp_path, reports, monkeypatch):
    monkeypatch.setenv("LESSONS_LIB_PROGRESS", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    store = open_store(reports.append)
    store.update("a.b", attempted)
    assert store.read() == {"a.b": Record(attempts=1)}
    assert names(tmp_path) == []


def test_by_default_the_file_is_at_home(tmp_path, reports, monkeypatch):
    monkeypatch.delenv("LESSONS_LIB_PROGRESS")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    open_store(reports.append).update("a.b", attempted)
    assert (tmp_path / ".regularization-book" / "progress.json").exists()
    monkeypatch.setenv("LESSONS_LIB_PROGRESS", str(Path("~") / "own.json"))
    open_store(reports.append).update("a.b", attempted)
    assert (tmp_path / "own.json").exists()


def test_without_a_home(reports, monkeypatch):
    def no_home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("LESSONS_LIB_PROGRESS")
    monkeypatch.setattr(Path, "home", no_home)
    store = open_store(reports.append)
    assert store.update("a.b", attempted) == Record(attempts=1)
    assert reports == ["there is no home folder; progress is kept until the kernel stops"]

import dataclasses
import errno
import json
import os
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
        b'{"schema": 1, "exercises": [1]}',
    ],
    ids=range(8),
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


@pytest.mark.parametrize(
    ("entry", "record", "fault"),
    [
        ({"attempts": "3", "passed": "2030-01-02"}, Record(0, 0, "2030-01-02"), "attempts"),
        ({"attempts": -3, "hints": 1}, Record(0, 1), "attempts"),
        ({"attempts": True}, Record(), "attempts"),
        ({"passed": [], "last_attempt": 3, "attempts": 2}, Record(2), "passed, last_attempt"),
        (None, Record(), "the whole entry"),
        ([1], Record(), "the whole entry"),
    ],
)
def test_an_ill_typed_entry_loses_only_itself(entry, record, fault, store, path, reports):
    path.parent.mkdir()
    content = {"schema": 1, "exercises": {"a.b": entry, "a.c": {"attempts": 5}}}
    path.write_text(json.dumps(content))
    assert store.read() == {"a.b": record, "a.c": Record(5)}
    store.update("a.c", attempted)
    assert store.read() == {"a.b": record, "a.c": Record(6)}
    assert json.loads(path.read_text())["exercises"]["a.b"] == entry  # as it was
    assert reports == [f"the progress file {path} has entries that cannot be read: {fault} of a.b"]
    assert store.update("a.b", attempted).attempts == record.attempts + 1
    assert names(path.parent) == ["progress.json", "progress.json.lock"]


def test_what_a_later_version_has_added_is_kept(store, path, reports):
    path.parent.mkdir()
    content = {
        "schema": 1,
        "reader": {"name": "Ada"},
        "exercises": {"a.b": {"attempts": 3, "seconds": 12.5}, "a.c": {"stars": [1, 2]}},
    }
    path.write_text(json.dumps(content))
    store.update("a.b", attempted)
    store.update("a.d", attempted)
    after = json.loads(path.read_text())
    assert after["reader"] == {"name": "Ada"}
    assert after["exercises"]["a.b"]["seconds"] == 12.5
    assert after["exercises"]["a.b"]["attempts"] == 4
    assert after["exercises"]["a.c"] == {"stars": [1, 2]}
    assert list(after["exercises"]) == ["a.b", "a.c", "a.d"]
    assert reports == []


# --- files that are to stay as they are ---


def test_a_read_only_file_is_respected(store, path, reports):
    """Also by root, whom the system would let write."""
    store.update("a.b", attempted)
    before = path.read_bytes()
    path.chmod(0o444)
    assert store.update("a.b", attempted) == Record(attempts=2)
    assert store.update("a.c", attempted) == Record(attempts=1)
    assert store.read() == {"a.b": Record(2), "a.c": Record(1)}
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (before, 0o444)
    assert reports == [
        f"the progress file {path} is read-only and stays as it is; "
        "progress is kept until the kernel stops"
    ]


def test_a_damaged_read_only_file_stays_where_it_is(store, path, reports):
    path.parent.mkdir()
    path.write_text("{")
    path.chmod(0o444)
    store.read()
    assert store.update("a.b", attempted) == Record(attempts=1)
    assert path.read_text() == "{"
    assert names(path.parent) == ["progress.json", "progress.json.lock"]
    assert len(reports) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows read-only files only")
@pytest.mark.parametrize("mode", [0o640, 0o666, 0o600])
def test_the_mode_of_the_file_is_kept(mode, store, path):
    store.update("a.b", attempted)
    path.chmod(mode)
    store.update("a.b", attempted)
    assert path.stat().st_mode & 0o777 == mode


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes")
def test_what_is_no_regular_file_is_neither_read_nor_replaced(store, path, reports):
    path.parent.mkdir()
    os.mkfifo(path)  # reading it would wait for ever
    assert store.read() == {}
    assert store.update("a.b", attempted) == Record(attempts=1)
    assert path.is_fifo()
    assert names(path.parent) == ["progress.json", "progress.json.lock"]
    assert reports == [
        f"the progress file {path} cannot be used (it is no regular file); "
        "progress is kept until the kernel stops"
    ]


@pytest.mark.parametrize("setting", ["", "  ", os.devnull, "link to it"])
def test_the_null_device_means_off(setting, tmp_path, reports, monkeypatch):
    """A natural way to say so; root could put the device aside and write a file in its place."""
    if setting == "link to it":
        setting = str(tmp_path / "null")
        Path(setting).symlink_to(os.devnull)
    before = names(tmp_path)
    monkeypatch.setenv("LESSONS_LIB_PROGRESS", setting)
    monkeypatch.setattr("lessons_lib.exercises._progress._put_aside", None)
    store = open_store(reports.append)
    assert store.update("a.b", attempted) == Record(attempts=1)
    assert store.read() == {"a.b": Record(attempts=1)}
    assert names(tmp_path) == before
    assert reports == []
    assert not Path(os.devnull).is_file()


def test_a_relative_path_does_not_follow_the_current_folder(tmp_path, reports, monkeypatch):
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LESSONS_LIB_PROGRESS", "own.json")
    store = open_store(reports.append)
    store.update("a.b", attempted)
    monkeypatch.chdir(tmp_path / "data")
    assert store.update("a.b", attempted) == Record(attempts=2)
    assert names(tmp_path / "data") == []


def test_what_a_killed_kernel_left_is_removed(store, path):
    path.parent.mkdir()
    left = path.with_name("progress.json.abc123.tmp")
    left.write_text("{")
    (path.parent / "other.tmp").touch()
    store.update("a.b", attempted)
    assert names(path.parent) == ["other.tmp", "progress.json", "progress.json.lock"]


def test_without_a_lock_nothing_of_others_is_removed(store, path, monkeypatch):
    monkeypatch.setattr("lessons_lib.exercises._progress._try_lock", lambda file: None)
    path.parent.mkdir()
    being_written = path.with_name("progress.json.abc123.tmp")
    being_written.touch()
    store.update("a.b", attempted)
    assert being_written.exists()


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

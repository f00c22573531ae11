"""Whatever arrives from the process of an answer, the notebook reads it in bounded memory."""

import base64
import io
import json
import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lessons_lib.exercises import _replies
from lessons_lib.exercises._model import Verdict
from lessons_lib.exercises._replies import (
    DisturbedError,
    Message,
    Reader,
    cleaned,
    parse,
    sender,
)

PASSED = Message("verdict", verdict=Verdict("passed"))
PLAN, STARTED, ENDED = Message("plan", data=b"x"), Message("started", 0.5, 7), Message("ended")


def written(*messages, secret="secret"):
    file = io.BytesIO()
    send = sender(file, secret)
    for message in messages:
        send(message)
    return file.getvalue()


def read(data, *, wants_plan=False):
    """Return the messages, and whether a disturbance ended them."""
    reader = Reader(io.BytesIO(data), "secret", wants_plan=wants_plan)
    messages = []
    try:
        while (message := reader.read()) is not None:
            messages.append(message)
    except DisturbedError:
        return messages, True
    return messages, False


def test_messages_arrive_as_they_were_sent():
    plan = Message("plan", data=bytes(range(256)), modules=("scipy", "sklearn.base"))
    wrong = Message(
        "verdict",
        verdict=Verdict("not yet", "value", "é\ud800", "a\nb", 3, "printed", "Traceback"),
    )
    sent = [plan, STARTED, Message("imports", 0.25), Message("imports", 0.5), ENDED, wrong]
    assert read(written(*sent), wants_plan=True) == (sent, False)


@pytest.mark.parametrize(
    ("messages", "wants_plan", "n_believed"),
    [
        ([STARTED, STARTED], False, 1),  # it would put off the deadline for ever
        ([STARTED, ENDED, STARTED], False, 2),
        ([STARTED, ENDED, ENDED], False, 2),
        ([STARTED, ENDED, Message("imports", 9.0)], False, 2),
        ([STARTED, PASSED, STARTED], False, 2),
        ([PASSED, PASSED], False, 1),
        ([PLAN], False, 0),  # nobody has asked for one
        ([STARTED, PLAN], False, 1),
        ([STARTED], True, 0),
        ([PLAN, PLAN], True, 1),
    ],
)
def test_only_what_may_come_now_is_believed(messages, wants_plan, n_believed):
    data = written(*messages)
    assert read(data, wants_plan=wants_plan) == (messages[:n_believed], True)


def test_a_verdict_may_come_at_any_time():
    assert read(written(PASSED), wants_plan=True) == ([PASSED], False)
    assert read(written(PLAN, PASSED), wants_plan=True) == ([PLAN, PASSED], False)


@pytest.mark.parametrize(
    "forged",
    [
        written(PASSED, secret="guessed"),
        written(PASSED)[7:],
        b'{"verdict": {"state": "passed"}}\n',
        b"\n",
        b"secret\n",
        b"secret \n",
        b"junk" + written(PASSED),
        b"\xff\xfe\x00",
    ],
)
def test_without_the_secret_nothing_is_believed(forged):
    assert read(forged + written(PASSED)) == ([], True)


VALID = {"kind": "verdict", "number": 0.0, "process": 0, "data": "", "modules": []}


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": {"state": "perfect"}},
        {"verdict": {"state": ["passed"]}},
        {"verdict": {"state": "passed", "message": 3}},
        {"verdict": {"state": "passed", "misconception": "1"}},
        {"verdict": {"state": "passed", "misconception": True}},
        {"verdict": {"state": "passed", "unknown": ""}},
        {"verdict": {}},
        {"verdict": []},
        {"verdict": 3},
        {"verdict": None},
        {"kind": []},
        {"kind": "unknown"},
        {"kind": "started"},
        {"number": "x"},
        {"number": 1e999},
        {"number": float("nan")},
        {"number": [1]},
        {"number": 10**400},
        {"process": 1.5},
        {"process": -1},
        {"process": 10**30},
        {"process": "1"},
        {"data": "ä"},
        {"data": 3},
        {"data": "abc"},
        {"modules": 3},
    ],
)
def test_malformed_messages_raise_one_error_only(change):
    content = {**VALID, "verdict": {"state": "passed"}, **change}
    with pytest.raises(DisturbedError):
        parse(json.dumps(content).encode())


@pytest.mark.parametrize("text", [b"", b"3", b"null", b"[" * 100_000, b"\xff", b"9" * 5000])
def test_what_is_no_object_raises_that_error_too(text):
    with pytest.raises(DisturbedError):
        parse(text)


@given(st.binary(max_size=60) | st.recursive(st.none() | st.floats() | st.text(), st.lists).map(
    lambda value: json.dumps({**VALID, "verdict": value, "number": value}).encode()
))  # fmt: skip
def test_no_bytes_make_reading_fail(data):
    assert read(b"secret " + data)[0] in ([], [PASSED])


class Endless(io.RawIOBase):
    """A pipe that never ends; it counts what is taken from it."""

    def __init__(self, start):
        self.start = start
        self.n_read = 0

    def readable(self):
        return True

    def readinto(self, buffer):
        n = len(buffer)
        chunk = (self.start + b"x" * n)[:n] if not self.n_read else b"x" * n
        buffer[:n] = chunk
        self.n_read += n
        return n


@pytest.mark.parametrize("start", [b"", b"secret "])
def test_a_reply_without_end_is_cut(start):
    pipe = Endless(start)
    reader = Reader(io.BufferedReader(pipe), "secret", wants_plan=False)
    with pytest.raises(DisturbedError):
        reader.read()
    assert pipe.n_read < 2**26


def test_many_messages_are_cut_too(monkeypatch):
    monkeypatch.setattr(_replies, "_MOST_BYTES", 10_000)
    flood = written(STARTED) + written(Message("imports", 1.0)) * 1000
    messages, is_disturbed = read(flood)
    assert is_disturbed
    assert 10 < len(messages) < 200


def test_long_texts_are_cut_before_they_are_sent():
    verdict = Verdict("not yet", "raised", "m" * 10**6, traceback="t" * 10**6)
    (message,), _ = read(written(Message("verdict", verdict=verdict)))
    assert len(message.verdict.message) == len(message.verdict.traceback) == 20_000
    assert message.verdict.traceback.endswith("t…")


def test_two_threads_do_not_mix_their_lines():
    file = io.BytesIO()
    send = sender(file, "secret")
    long = Message("verdict", verdict=Verdict("not yet", details="d" * 15_000))
    threads = [threading.Thread(target=send, args=(long,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = file.getvalue().splitlines()
    assert {parse(line.removeprefix(b"secret ")) for line in lines} == {long}
    assert len(lines) == 8


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork")
def test_a_copy_of_the_process_sends_nothing():
    import subprocess
    import sys

    code = (
        "import os, sys\n"
        "from lessons_lib.exercises._replies import Message, sender\n"
        "send = sender(sys.stdout.buffer, 'secret')\n"
        "if not os.fork():\n    send(Message('ended'))\n    os._exit(3)\n"
        "print(os.waitstatus_to_exitcode(os.wait()[1]))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "0\n"


def test_texts_of_a_verdict_are_cleaned():
    verdict = cleaned(
        Verdict(
            "not yet", "type", "of type A\n✓ passed", "a\x1b[2J\nb", 2, "\x1b[31mred", "\x07trace\n"
        )
    )
    assert verdict == Verdict("not yet", "type", "of type A ✓ passed", "a\nb", 2, "red", "trace\n")


def test_the_data_is_text_in_between():
    line = written(Message("plan", data=b"\n\n"))
    assert line.count(b"\n") == 1
    assert base64.b64encode(b"\n\n") in line

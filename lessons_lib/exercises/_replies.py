"""What the process that judges an answer tells the notebook, and how much of it is believed.

Each message is one line: a secret that was part of the request, then JSON. The answer's code runs
in the process that writes them. It does not find the secret lying about, and what it writes into
the pipe is recognized as not being a message; but no secret can be kept from code in the same
process that looks for it. Whatever arrives, reading costs bounded memory and raises only
:class:`DisturbedError`.
"""

import base64
import dataclasses
import hmac
import json
import math
import os
import threading
from collections.abc import Callable
from typing import IO, Any, get_args

from lessons_lib.exercises._model import State, Verdict
from lessons_lib.exercises._texts import one_line, printable

_MOST_BYTES = 2**24  # of all messages together
_LONGEST_TEXT = 20_000  # characters of each text of a verdict
_ORDER = {"plan": 0, "started": 1, "imports": 2, "ended": 3, "verdict": 4}


class DisturbedError(Exception):
    """What arrived is no message, or not one that may come now."""


@dataclasses.dataclass(frozen=True)
class Message:
    """One message.

    Parameters
    ----------
    kind : {"plan", "started", "imports", "ended", "verdict"}
        ``"plan"``: what the reference does, before any of the answer's code has run; ``"started"``
        and ``"ended"``: when the answer's code runs; ``"imports"``: how much of its time went to
        imports.
    number : float
        Seconds: used before the start, or used by imports.
    process : int
        The id of the process that has started.
    data : bytes
        The plan; empty if it cannot be kept.
    modules : tuple of str
        What was imported for the plan, beyond what every check imports.
    verdict : Verdict, optional
        The verdict.
    """

    kind: str
    number: float = 0.0
    process: int = 0
    data: bytes = b""
    modules: tuple[str, ...] = ()
    verdict: Verdict | None = None


# --- the process's side ---

Send = Callable[[Message], None]


def sender(file: IO[bytes], secret: str) -> Send:
    """Return the function that writes messages to ``file``."""
    owner = os.getpid()
    lock = threading.Lock()

    def send(message: Message) -> None:
        if os.getpid() != owner:
            os._exit(0)  # the answer has called os.fork, and this is the copy
        content = dataclasses.asdict(_shortened(message))
        content["data"] = base64.b64encode(message.data).decode()
        with lock:
            file.write(f"{secret} {json.dumps(content)}\n".encode())
            file.flush()

    return send


def _shortened(message: Message) -> Message:
    if message.verdict is None:
        return message
    texts: dict[str, Any] = {
        name: text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"
        for name, text in vars(message.verdict).items()
        if isinstance(text, str)
    }
    return dataclasses.replace(message, verdict=dataclasses.replace(message.verdict, **texts))


# --- the notebook's side ---


class Reader:
    """Reads messages from a pipe and keeps to the order in which they may come.

    Parameters
    ----------
    file : file
        The pipe.
    secret : str
        What each message must begin with.
    wants_plan : bool
        Whether the request had no plan, so that one must come first.
    """

    def __init__(self, file: IO[bytes], secret: str, *, wants_plan: bool) -> None:
        self._file = file
        self._start = secret.encode() + b" "
        self._left = _MOST_BYTES
        self._stage = -1 if wants_plan else 0

    def read(self) -> Message | None:
        """Return the next message, ``None`` at the end of the pipe.

        Raises
        ------
        DisturbedError
            If what arrives is no message, too much, or out of order.
        """
        line = self._file.readline(self._left)
        if not line:
            return None
        self._left -= len(line)
        if self._left <= 0 or not hmac.compare_digest(line[: len(self._start)], self._start):
            raise DisturbedError
        message = parse(line[len(self._start) :])
        stage = _ORDER[message.kind]
        is_next = stage > self._stage or (stage == self._stage and message.kind == "imports")
        if not is_next or (self._stage == -1 and message.kind not in ("plan", "verdict")):
            raise DisturbedError
        self._stage = stage
        return message


def parse(text: bytes) -> Message:
    """Return the message that ``text`` says; raise :class:`DisturbedError` if it says none."""
    try:
        content = json.loads(text)
        kind, number, process = content["kind"], float(content["number"]), content["process"]
        data = base64.b64decode(content["data"], validate=True)
        modules = tuple(map(str, content["modules"]))
        verdict = None if content["verdict"] is None else _as_verdict(content["verdict"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise DisturbedError from error
    is_process = type(process) is int and 0 <= process < 2**31
    if (
        not isinstance(kind, str)
        or kind not in _ORDER
        or (kind == "verdict") != (verdict is not None)
        or not math.isfinite(number)
        or not is_process
    ):
        raise DisturbedError
    return Message(kind, number, process, data, modules, verdict)


def _as_verdict(content: Any) -> Verdict:
    """Return the verdict, after a look at the type of everything in it."""
    verdict = Verdict(**content)
    for field in dataclasses.fields(Verdict):
        value = getattr(verdict, field.name)
        expected = str if isinstance(field.default, str) or field.name == "state" else int
        if type(value) is not expected and value != field.default:
            raise TypeError(f"{field.name} must be {expected.__name__}")
    if verdict.state not in get_args(State):
        raise ValueError("there is no such state")
    return verdict


def cleaned(verdict: Verdict) -> Verdict:
    """Return the verdict with texts that can be printed: what they quote is the learner's."""
    texts: dict[str, Any] = {
        name: one_line(value) if name == "message" else printable(value)
        for name, value in vars(verdict).items()
        if isinstance(value, str) and name != "state"
    }
    return dataclasses.replace(verdict, **texts)

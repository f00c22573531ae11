"""The process that judges one notebook: ``python -m lessons_lib.grading._grader``.

It runs a student's code, and each answer once more in a process of its own; so it believes nothing
that the code leaves behind, writes one line for each verdict as it comes, and ends without the
student's clean-up code.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import io
import json
import linecache
import os
import re
import sys
from pathlib import Path
from typing import Any

from lessons_lib import exercises
from lessons_lib.exercises import Verdict
from lessons_lib.exercises._api import Session
from lessons_lib.exercises._registry import UnknownExerciseError
from lessons_lib.grading.slicing import answer_cells


def main(notebook: str, reply: str, package: str, memory: str, seconds: str) -> None:
    """Judge the notebook and write a line for each of its checks."""
    sources = _sources(Path(notebook))
    session = Session(package)
    checks: list[tuple[str, Any]] = []
    _limit(int(memory), float(seconds))

    def record(name: str, answer: Any = ..., **options: Any) -> None:
        checks.append((name, answer))

    def nothing(*arguments: Any, **options: Any) -> None:
        pass

    # What the notebook imports as `check` only notes what it is asked.
    exercises.check = record
    for name in ("hint", "solution", "progress", "last_attempt"):
        setattr(exercises, name, nothing)
    with Path(reply).open("w", encoding="utf-8", buffering=1) as file:
        for number, (before, own, source) in enumerate(answer_cells(sources)):
            checks.clear()
            space: dict[str, Any] = {"__name__": "__main__", "check": record}
            error = _execute(before, space, f"<before check {number}>", "")
            if not error:
                space["check"] = record
                error = _execute(own, space, f"<cell {number}>", source)
            noted = list(checks) or [(name, ...) for name in _names(source)]
            for name, answer in noted:
                verdict = (
                    Verdict("not checked", "cell", f"the cell raises {error}")
                    if error and not checks
                    else _judge(session, name, answer)
                )
                if verdict is not None:
                    file.write(json.dumps(_line(name, verdict, source)) + "\n")
    session.close()
    os._exit(0)  # a student's atexit, or threads, are not waited for


def _sources(notebook: Path) -> list[str]:
    content = json.loads(notebook.read_text(encoding="utf-8"))
    cells = [cell for cell in content["cells"] if cell.get("cell_type") == "code"]
    return ["".join(cell.get("source", "")) for cell in cells]


def _judge(session: Session, name: str, answer: Any) -> Verdict | None:
    try:
        return session.verdict(name, answer)
    except UnknownExerciseError:
        return None  # a check of something else


def _line(name: str, verdict: Verdict, source: str) -> dict[str, str]:
    return {
        "exercise": name,
        "state": verdict.state,
        "reason": verdict.reason,
        "message": verdict.message,
        "details": verdict.details,
        "source": source,
    }


def _execute(statements: list[ast.stmt], space: dict[str, Any], name: str, source: str) -> str:
    """Run statements one by one; return what the first that fails raises."""
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    quiet = io.StringIO()
    for statement in statements:
        code = compile(ast.Module([statement], []), name, "exec")
        try:
            with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
                exec(code, space)
        except BaseException as error:
            return f"{type(error).__name__}: {error}"[:300]
    return "" if statements or not source else "SyntaxError: Python cannot read this cell"


def _names(source: str) -> list[str]:
    """Return the exercises of a cell that could not be run, as they stand in its text."""
    return re.findall(r"""check\(\s*["']([a-z0-9_]+\.[a-z0-9_]+)["']""", source)


def _limit(memory: int, seconds: float) -> None:
    """Bound what the process may use, where the system can."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 5, int(seconds) + 10))
        resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 2**20, 64 * 2**20))
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))

    def refuse(*arguments: Any, **options: Any) -> str:
        raise EOFError("there is nobody to ask")

    builtins.input = refuse


if __name__ == "__main__":
    main(*sys.argv[1:])

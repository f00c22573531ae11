import re
from html.parser import HTMLParser

import bs4
import pytest
from sample_lessons.shrinkage import exercises as shrinkage

import lessons_lib.exercises as public
from lessons_lib.exercises import Exercise, Misconception
from lessons_lib.exercises._api import Session
from lessons_lib.exercises._model import Verdict
from lessons_lib.exercises._page import help_page


class StubRunner:
    """Stands for the separate process: gives the verdicts it was given."""

    def __init__(self, *verdicts):
        self.verdicts = list(verdicts)

    def judge(self, exercise, answer):
        verdict = self.verdicts.pop(0)
        if isinstance(verdict, BaseException):
            raise verdict
        return verdict

    def warm_up(self, lesson):
        """Start nothing."""


def stubbed(*verdicts):
    return Session("sample_lessons", StubRunner(*verdicts))


PASSED = Verdict("passed")
WRONG = Verdict("not yet", "value", "the result is wrong", details="for  x = 1\ngot  2")


def test_the_public_names():
    assert set(public.__all__) == {
        "Exercise", "Misconception", "Verdict", "check", "hint", "judge_answer", "last_attempt",
        "progress", "solution", "verify_exercise",
    }  # fmt: skip


def test_public_functions_are_connected(capsys):
    public.check("no.such", 1)
    public.hint("no.such")
    public.solution("no.such")
    public.last_attempt("no.such")
    public.progress("no-such-lesson")
    lines = capsys.readouterr().out.splitlines()
    assert lines[:4] == 4 * ['there is no exercise "no.such"']
    assert lines[4].startswith('there is no lesson "no-such-lesson"')


# --- check ---


def test_check_end_to_end(session, capsys, run_cell):
    """Through the separate process, all three states."""
    notebook = run_cell("""
        def stub(theta, weight_decay):
            ...

        def wrong(theta, weight_decay):
            return weight_decay * np.sum(theta**2)

        def right(theta, weight_decay):
            return weight_decay * np.sum(theta**2) / 2
    """)
    for name in ("stub", "wrong", "right"):
        assert session.check("shrinkage.penalty", notebook[name]) is None
    session.progress("shrinkage")
    session.last_attempt("shrinkage.penalty")
    assert capsys.readouterr().out.splitlines() == [
        "not attempted yet: replace the `...` with your answer",
        '(a first hint: hint("shrinkage.penalty"))',
        "not yet: You leave out the factor one half & write `λ < 1` wrong.",
        "✓ passed — shrinkage.penalty",
        "shrinkage.penalty  ★☆☆  passed",
        "shrinkage.step     ★★☆  not attempted",
        "shrinkage.summary  ★★☆  not attempted",
        "shrinkage.counts   ★☆☆  not attempted",
        "shrinkage.refuse   ★☆☆  not attempted",
        "shrinkage.factor   ★☆☆  not attempted",
        "shrinkage.word     ★☆☆  not attempted",
        "1 of 7 passed",
        "def right(theta, weight_decay):",
        "    return weight_decay * np.sum(theta**2) / 2",
    ]


def test_details_and_prints_are_indented(capsys):
    verdict = Verdict("not yet", "value", "wrong", details="a\nb", printed="c\nd\ud800")
    stubbed(verdict).check("shrinkage.factor", 1)
    assert capsys.readouterr().out == (
        "not yet: wrong\n    a\n    b\nyour function printed:\n    c\n    d?\n"
    )


def test_traceback_only_on_demand(capsys):
    verdict = Verdict("not yet", "raised", "it raises", traceback="Traceback …\nError\n")
    session = stubbed(verdict, verdict)
    session.check("shrinkage.factor", 1)
    assert capsys.readouterr().out == "not yet: it raises\n"
    session.check("shrinkage.factor", 1, traceback=True)
    assert capsys.readouterr().out == "not yet: it raises\nTraceback …\nError\n"


def test_not_checked(capsys):
    session = stubbed(Verdict("not checked", "startup", "no process"))
    session.last_attempt("shrinkage.factor")
    session.check("shrinkage.factor", 1)
    session.last_attempt("shrinkage.factor")
    assert capsys.readouterr().out == (
        "no attempt at shrinkage.factor is kept\nnot checked: no process\n1\n"
    )
    session.progress("shrinkage")
    assert "shrinkage.factor   ★☆☆  not attempted" in capsys.readouterr().out


def test_unknown_names_raise_nothing(session, capsys):
    session.check("shrinkage.penalti", 1)
    session.check(abs, "shrinkage.penalty")
    assert capsys.readouterr().out == (
        'there is no exercise "shrinkage.penalti"; did you mean "shrinkage.penalty"?\n'
        'the first argument is the exercise\'s name, a text such as "lesson.exercise"\n'
    )


# --- attempts ---


def status(session, capsys):
    capsys.readouterr()
    session.progress("folds")
    return capsys.readouterr().out.splitlines()[0].split("  ")[-1]


def test_attempts_are_counted_and_kept(run_cell, capsys):
    session = stubbed(WRONG, WRONG, WRONG, PASSED, WRONG)
    first = run_cell("def f(n, rng):\n    return 1")["f"]
    second = run_cell("def f(n, rng):\n    return 2")["f"]
    assert status(session, capsys) == "not attempted"
    session.check("folds.shuffle", first)
    session.check("folds.shuffle", first)  # the same cell again
    assert status(session, capsys) == "attempted 1×"
    session.check("folds.shuffle", second)
    assert status(session, capsys) == "attempted 2×"
    session.check("folds.shuffle", second)
    assert status(session, capsys) == "passed"
    session.check("folds.shuffle", first)
    assert status(session, capsys) == "passed"
    session.last_attempt("folds.shuffle")
    assert capsys.readouterr().out == "def f(n, rng):\n    return 1\n"


def test_progress_survives_the_session(capsys):
    stubbed(PASSED).check("shrinkage.word", ("ridge", 1.25))
    stubbed().hint("shrinkage.penalty")
    session = stubbed()
    capsys.readouterr()
    session.last_attempt("shrinkage.word")
    session.hint("shrinkage.penalty")
    session.progress()
    assert capsys.readouterr().out.splitlines() == [
        "('ridge', 1.25)",
        "hint 2 of 3: Sum, then halve.",
        "folds       0 of  1  next: folds.shuffle ★★★",
        "shrinkage   1 of  7  next: shrinkage.penalty ★☆☆",
        "1 of 8 passed",
    ]


def test_an_answer_without_source_does_not_show_the_one_before(capsys, run_cell):
    session = stubbed(WRONG, WRONG, WRONG)
    session.check("folds.shuffle", run_cell("def f(n, rng):\n    return 1")["f"])
    session.check("folds.shuffle", len)
    capsys.readouterr()
    session.last_attempt("folds.shuffle")
    assert capsys.readouterr().out == (
        "# the source of this answer is not known: the built-in function len\n"
    )
    session.check("folds.shuffle", len)  # perhaps another answer than before
    assert status(session, capsys) == "attempted 3×"


def test_trouble_with_the_file_is_told_and_the_session_goes_on(tmp_path, capsys, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("LESSONS_LIB_PROGRESS", str(tmp_path / "file" / "progress.json"))
    session = stubbed(PASSED, PASSED)
    session.check("folds.shuffle", len)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("the progress file ")
    assert lines[1:] == ["✓ passed — folds.shuffle"]
    session.check("folds.shuffle", len)
    assert capsys.readouterr().out == "✓ passed — folds.shuffle\n"
    assert status(session, capsys) == "passed"


# --- hints and solutions ---


def test_hints_come_one_at_a_time(session, capsys):
    for _ in range(4):
        session.hint("shrinkage.penalty")
    assert capsys.readouterr().out.splitlines() == [
        "hint 1 of 3: Square the weights, `theta`.",
        "hint 2 of 3: Sum, then halve.",
        "hint 3 of 3: It is 0.5·λ·Σθ² & no more.",
        'that was the last hint; solution("shrinkage.penalty") shows the solution. All hints:',
        "1. Square the weights, `theta`.",
        "2. Sum, then halve.",
        "3. It is 0.5·λ·Σθ² & no more.",
    ]


def test_solution_shows_source_with_helpers(session, capsys):
    session.solution("shrinkage.penalty")
    assert capsys.readouterr().out == (
        "def sum_of_squares(theta):\n"
        "    return float(np.sum(theta**2))\n\n\n"
        "def penalty(theta, weight_decay):\n"
        '    """Return λ/2·‖θ‖²."""\n'
        "    return weight_decay / 2 * sum_of_squares(theta)\n\n"
        "likely wrong answers:\n"
        "- You leave out the factor one half & write `λ < 1` wrong.\n"
        "- You sum absolute values: that is the L1 penalty.\n"
        "- You multiply matrices whose shapes do not fit.\n"
    )
    session.solution("shrinkage.counts")
    assert capsys.readouterr().out == "lambda x: np.bincount(x).astype(np.int64)\n"


# --- the static page ---


class StrictParser(HTMLParser):
    """Fails unless every element is closed in its turn."""

    def __init__(self):
        super().__init__()
        self.open = []
        self.seen = []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def parse(html):
    parser = StrictParser()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    return parser.seen


def test_help_page_is_well_formed():
    html = help_page(shrinkage.PENALTY)
    elements = parse(html)
    assert not any("id" in attributes for _, attributes in elements)
    soup = bs4.BeautifulSoup(html, "html.parser")
    root = soup.div
    assert root["class"] == ["exercise-help"]
    assert root["data-exercise"] == "shrinkage.penalty"
    assert [summary.text for summary in soup.find_all("summary")] == [
        "Hint 1 of 3",
        "Hint 2 of 3",
        "Hint 3 of 3",
        "Solution",
        "Likely wrong answers",
    ]
    hints = [fold.p for fold in soup.find_all("details")[:3]]
    assert hints[0].decode() == "<p>Square the weights, <code>theta</code>.</p>"
    assert hints[2].text == "It is 0.5·λ·Σθ² & no more."
    solution, mistakes = soup.find_all("details")[3:]
    assert solution.select_one("div.highlight > pre > code.language-python").text.startswith(
        "def sum_of_squares(theta):\n    return float(np.sum(theta**2))\n\n\ndef penalty("
    )
    assert all(pre["tabindex"] == "0" for pre in soup.find_all("pre"))
    items = mistakes.find_all("li")
    assert len(items) == 3
    assert items[0].p.code.text == "λ < 1"
    assert items[0].pre.text.startswith("def without_half(theta, weight_decay):")
    assert items[1].pre.text == "lambda theta, weight_decay: weight_decay / 2 * np.abs(theta).sum()"


def test_help_page_escapes():
    exercise = Exercise(
        name="a.b",
        title="<T>",
        level=1,
        hints=("<script>alert(1)</script> & `a < b`",),
        reference=lambda: "</pre><script>",
        misconceptions=(Misconception(lambda: "</code>", "<b>"),),
    )
    html = help_page(exercise)
    assert {tag for tag, _ in parse(html)} == {
        "div", "details", "summary", "p", "code", "pre", "span", "ul", "li",
    }  # fmt: skip
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; <code>a &lt; b</code>" in html


def test_help_page_without_misconceptions():
    html = help_page(shrinkage.COUNTS)
    assert "Likely wrong answers" not in html
    parse(html)


def test_static_page_shows_help_for_stubs_only(monkeypatch, tmp_path, capsys):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append(data))
    monkeypatch.setenv("LESSONS_LIB_STATIC", "1")
    unfinished = Verdict("not attempted", message="part of your answer is still `...`")
    session = stubbed(PASSED, unfinished)
    session.check("shrinkage.penalty")
    session.check("shrinkage.penalty", lambda theta, weight_decay: ...)
    session.check("shrinkage.factor", 4 / 4.1)
    session.check("shrinkage.penalty", lambda theta, weight_decay: theta * ...)
    session.hint("shrinkage.penalty")
    assert capsys.readouterr().out == (
        "✓ passed — shrinkage.factor\nhint 1 of 3: Square the weights, `theta`.\n"
    )
    assert [data["text/html"] for data in shown] == 3 * [help_page(shrinkage.PENALTY)]
    assert re.match("not attempted yet: part of", shown[2]["text/plain"])
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setenv("LESSONS_LIB_STATIC", "0")
    stubbed(unfinished).check("shrinkage.penalty")
    assert capsys.readouterr().out.startswith("not attempted yet: ")


def test_closing_a_session_ends_its_process(monkeypatch):
    session = Session("sample_lessons")
    session._runner.warm_up("shrinkage")
    process = session._runner._idle._popen
    assert process.poll() is None
    session.close()
    assert process.poll() is not None
    session.close()


@pytest.mark.parametrize("name", public.__all__)
def test_public_names_are_documented(name):
    assert getattr(public, name).__doc__

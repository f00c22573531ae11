"""Grade a folder of notebooks, and see what a class believes.

``overfit grade`` is made of this: :func:`find_submissions` finds who handed in which notebook,
:func:`grade_notebook` judges the answers of one in a process of its own, :func:`grade_all` those of
a class, and :func:`write_reports` writes marks, feedback and a page about the class. Answers are
judged anew; what a student's record claims is never read. The judging itself is done by
:mod:`lessons_lib.exercises`, and :func:`lessons_lib.exercises.judge_answer` says what it does not
protect from.
"""

from lessons_lib.grading.notebooks import Answer, Result, grade_all, grade_notebook
from lessons_lib.grading.reports import PRESETS, write_reports
from lessons_lib.grading.submissions import Submission, find_submissions

__all__ = [
    "PRESETS",
    "Answer",
    "Result",
    "Submission",
    "find_submissions",
    "grade_all",
    "grade_notebook",
    "write_reports",
]

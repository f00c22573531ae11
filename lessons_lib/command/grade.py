"""Grade a class: judge all answers of a folder or zip of notebooks, and write reports.

Writes marks.csv, exercises.csv, one feedback page a student and class.html: which mistakes the
class makes, how often, each with an example without a name. Each notebook runs in a process of its
own with limits on time, memory and files. References are public, and the process is no sandbox:
marks that matter need exercises of your own, and a container.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from lessons_lib.command._files import CommandError
from lessons_lib.grading import PRESETS, find_submissions, grade_all, write_reports

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the subcommand takes."""
    parser.add_argument("submissions", type=Path, help="folder, zip file or notebook")
    parser.add_argument("--out", type=Path, default=Path("report"), help="folder of the reports")
    parser.add_argument("--columns", choices=PRESETS, default="plain", help="format of marks.csv")
    parser.add_argument("--jobs", type=int, default=2, help="notebooks at once (2)")
    parser.add_argument("--seconds", type=float, default=120.0, help="limit for a notebook (120)")
    parser.add_argument("--package", default="lessons_lib.lessons", help="package of the exercises")
    parser.add_argument("--solutions", action="store_true", help="show solutions in the feedback")


def run(arguments: argparse.Namespace) -> int:
    """Judge and report; finished notebooks are kept, so that the command can be run again."""
    try:
        submissions = find_submissions(arguments.submissions)
        results = grade_all(
            submissions,
            n_jobs=arguments.jobs,
            seconds=arguments.seconds,
            package=arguments.package,
            kept=arguments.out / ".judged",
            progress=lambda done, total: print(f"\r{done} of {total}", end="", flush=True),
        )
        print()
        solutions = _solutions(arguments.package) if arguments.solutions else None
        write_reports(results, arguments.out, preset=arguments.columns, solutions=solutions)
    except (OSError, ValueError) as error:
        raise CommandError(str(error)) from None
    n_unjudged = sum(bool(result.problem) for result in results)
    print(
        f"{len(results)} notebooks judged, {n_unjudged} with problems: {arguments.out}/class.html"
    )
    return 0


def _solutions(package: str) -> dict[str, str]:
    from lessons_lib.exercises._page import solution_source
    from lessons_lib.exercises._registry import exercises_of, lesson_names

    return {
        exercise.name: solution_source(exercise)
        for lesson in lesson_names(package)
        for exercise in exercises_of(lesson, package)
    }

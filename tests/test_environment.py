"""What a stranger installs: the lock files, Binder's environment, and public CI."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from uv import find_uv_bin

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
NOTEBOOKS = sorted(path.name for path in (ROOT / "book").glob("*.ipynb"))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def run(*command: str | Path, cwd: Path, timeout: int = 120) -> subprocess.CompletedProcess[str]:
    """Run a command as in a shell of its own, where no virtual environment is active."""
    active = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")
    environment = {name: value for name, value in os.environ.items() if name not in active}
    result = subprocess.run(
        command,
        cwd=cwd,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=timeout,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result


def pip_section() -> list[str]:
    (section,) = (entry["pip"] for entry in ENVIRONMENT["dependencies"] if isinstance(entry, dict))
    return list(section)


def locked_versions() -> dict[str, str]:
    """Return what the lock wants on this Python and system."""
    entries = map(Requirement, LOCK)
    return {
        canonicalize_name(entry.name): str(entry.specifier).removeprefix("==")
        for entry in entries
        if entry.marker is None or entry.marker.evaluate()
    }


# --------------------------------------------------------------------------------- lock files


def test_the_lock_pins_versions_and_names_no_host() -> None:
    assert sorted(LOCK, key=lambda line: canonicalize_name(re.split("==", line)[0])) == LOCK
    for line in LOCK:
        assert re.fullmatch(r"[a-z0-9.-]+==[a-z0-9.]+( ; .+)?", line), line
        assert "://" not in line


def test_the_lock_has_all_that_the_project_asks_for() -> None:
    groups = {"": PROJECT["dependencies"], **PROJECT["optional-dependencies"]}
    locked: dict[str, list[SpecifierSet]] = {}
    for entry in map(Requirement, LOCK):
        locked.setdefault(canonicalize_name(entry.name), []).append(entry.specifier)
    for group, requirements in groups.items():
        for requirement in map(Requirement, requirements):
            versions = locked.get(canonicalize_name(requirement.name), [])
            assert versions, f"{requirement} of [{group}] is not locked: run `make lock`"
            for version in versions:
                pinned = str(version).removeprefix("==")
                assert requirement.specifier.contains(pinned), f"{requirement}, locked: {pinned}"


def test_the_lock_of_npm_has_checksums_and_names_no_host() -> None:
    text = (ROOT / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in text
    packages = json.loads(text)["packages"]
    assert all(package["integrity"] for name, package in packages.items() if name)
    assert (
        json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["dependencies"]
        == (packages[""]["dependencies"])
    )


# ------------------------------------------------------------------------------------- Binder


def test_environment_yml_pins_a_python_that_the_project_supports() -> None:
    pins = [Requirement(str(e).replace("=", "==")) for e in ENVIRONMENT["dependencies"][:1]]
    assert [pin.name for pin in pins] == ["python"]
    version = str(pins[0].specifier).removeprefix("==")
    assert SpecifierSet(PROJECT["requires-python"]).contains(version)


def test_environment_yml_installs_this_project_at_locked_versions() -> None:
    assert pip_section() == ["-c requirements.lock", "-e .[lessons]"]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the files that a clone would have, so that nothing is left in ours."""
    folder = tmp_path_factory.mktemp("clone")
    listing = run("git", "ls-files", "-z", "-co", "--exclude-standard", cwd=ROOT).stdout
    for name in filter(None, listing.split("\0")):
        if (ROOT / name).is_file():  # and not deleted since
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def binder(clone: Path) -> Path:
    """Return the Python of an empty environment after conda has seen to the pip section."""
    uv = find_uv_bin()
    python = clone.parent / f"{clone.name}-venv" / "bin" / "python"
    run(uv, "venv", "--python", sys.executable, python.parents[1], cwd=clone)
    # conda and mamba write the section to a file next to environment.yml, and run pip there.
    (clone / "pip-section.txt").write_text("\n".join(pip_section()), encoding="utf-8")
    install = ("pip", "install", "--python", python, "-r", "pip-section.txt")
    run(uv, *install, cwd=clone, timeout=240)
    return python


@pytest.mark.timeout(300)
def test_the_pip_section_installs_the_locked_versions(binder: Path, clone: Path) -> None:
    listing = run(find_uv_bin(), "pip", "list", "--format=json", "--python", binder, cwd=clone)
    installed = {entry["name"]: entry["version"] for entry in json.loads(listing.stdout)}
    assert installed.pop(canonicalize_name(PROJECT["name"])) == PROJECT["version"]
    locked = locked_versions()
    assert installed == {name: locked.get(name) for name in installed}
    assert {"jupyterlab", "jupyterlab-myst", "ipywidgets"} <= set(installed)
    assert not {"pytest", "jupyter-book"} & set(installed), "more than a reader needs"


def test_the_modules_come_from_there(binder: Path, clone: Path, tmp_path: Path) -> None:
    script = (
        "import jupyterlab_myst, lessons_lib; print(jupyterlab_myst.__file__, lessons_lib.__file__)"
    )
    theirs, ours = run(binder, "-c", script, cwd=tmp_path).stdout.split()
    assert Path(theirs).is_relative_to(binder.parents[1])
    assert Path(ours).is_relative_to(clone)


def imports_of(path: Path) -> set[str]:
    """Return a file's imports from outside of the standard library, also those inside functions."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        cells = json.loads(text)["cells"]
        text = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
    statements = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            continue
        if not {name.partition(".")[0] for name in names} <= sys.stdlib_module_names:
            statements.add(ast.unparse(node))
    return statements


def test_all_that_is_imported_is_there(binder: Path, clone: Path, tmp_path: Path) -> None:
    sources = [*(clone / "lessons_lib").rglob("*.py"), *(clone / "book").glob("*.ipynb")]
    statements = set().union(*map(imports_of, sources))
    assert "import numpy as np" in statements
    script = tmp_path / "imports.py"
    script.write_text("\n".join(sorted(statements)), encoding="utf-8")
    run(binder, script, cwd=tmp_path)


@pytest.mark.timeout(300)
def test_a_lesson_runs_there(binder: Path, clone: Path) -> None:
    """One stands for all: what a lesson needs besides its imports is the kernel."""
    execute = binder.with_name("jupyter-execute")
    run(execute, "--kernel_name=python3", NOTEBOOKS[0], cwd=clone / "book", timeout=280)


def test_repo2docker_builds_with_conda_and_copies_the_project_first(clone: Path) -> None:
    arguments = ["--no-build", "--debug", "--user-id=1000", "--user-name=reader", "."]
    result = run(sys.executable, "-m", "repo2docker", *arguments, cwd=clone)
    (python,) = (e for e in ENVIRONMENT["dependencies"] if str(e).startswith("python="))
    assert f"Building conda environment for {python}" in result.stderr.replace("==", "=")
    dockerfile = result.stdout
    copied = dockerfile.index("COPY --chown=1000:1000 src/ ${REPO_DIR}/")
    installed = dockerfile.index('env update -p ${NB_PYTHON_PREFIX} --file "environment.yml"')
    assert copied < installed


# ---------------------------------------------------------------------------------- workflows


def steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_official_and_pinned(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    used = [step["uses"] for step in steps(workflow) if "uses" in step]
    assert used
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", action) for action in used)
    assert workflow["permissions"] == {"contents": "read"}


def test_the_workflows_call_what_the_readme_says() -> None:
    commands = {
        path.stem: {
            step["run"]
            for step in steps(yaml.safe_load(path.read_text(encoding="utf-8")))
            if "run" in step
        }
        for path in WORKFLOWS
    }
    assert ".ci/run" in commands["test"]
    assert "make book" in commands["publish"]


def test_the_matrix_has_every_python_that_the_project_supports() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text("utf-8"))
    tested = workflow["jobs"]["python"]["strategy"]["matrix"]["python-version"]
    supported = SpecifierSet(PROJECT["requires-python"])
    assert tested == [f"3.{i}" for i in range(30) if supported.contains(f"3.{i}")]

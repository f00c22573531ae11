"""Execute notebooks again when the library behind them has changed.

jupyter-cache reuses the outputs of a notebook whose code cells are unchanged, and Sphinx does not
even read a page whose file is unchanged. Neither knows that the notebooks import ``lessons_lib``.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Set
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

ROOT = Path(__file__).resolve().parents[3]
EXECUTED = (
    "lessons_lib/**/*.py",
    "lessons_lib/**/*.toml",
    "requirements.lock",
)  # what outputs depend on
RENDERED = (  # what pages depend on beyond that
    "site/extensions/**/*.py",
    "site/static/*",
    "site/templates/**/*.html",
)

logger = logging.getLogger(__name__)


def fingerprint(root: Path, patterns: tuple[str, ...]) -> str:
    """Return a digest of all files that match the patterns, names and contents."""
    digest = hashlib.sha256()
    for path in sorted(path for pattern in patterns for path in root.glob(pattern)):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def find_outdated(
    app: Sphinx, env: BuildEnvironment, added: Set[str], changed: Set[str], removed: Set[str]
) -> list[str]:
    """Return the pages to read again, and drop cached outputs that the library no longer gives."""
    executed = fingerprint(ROOT, EXECUTED)
    marker = Path(app.outdir).parent / ".executed-with"
    if not marker.is_file() or marker.read_text() != executed:
        cache = env.mystnb_config.execution_cache_path  # type: ignore[attr-defined]
        shutil.rmtree(cache, ignore_errors=True)
        logger.info("lessons_lib has changed: executing all notebooks")
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.write_text(executed)
    state = (executed, fingerprint(ROOT, RENDERED))
    outdated = getattr(env, "book_site_state", None) != state
    env.book_site_state = state  # type: ignore[attr-defined]
    return sorted(env.found_docs) if outdated else []


def setup(app: Sphinx) -> None:
    app.connect("env-get-outdated", find_outdated)

"""What the book's site needs beyond jupyter-book's settings: one Sphinx extension.

Each concern is a module with a ``setup(app)`` of its own:

``accessibility``  markup that checks of accessibility ask for
``discovery``      what search engines, previews and programs read
``environment``    what the notebooks' kernels are told during a build
``execution``      execute several notebooks at once
``freshness``      execute notebooks again when the library has changed
``glossary``       links to the glossary that lead to the word
``labels``         links to a label of another page that JupyterLab follows, too
``mathematics``    KaTeX at build time, from local files
``repository``     launch and source buttons, only when the repository's address is known
``search``         a search that forgives slips and finds sections
``verdicts``       effects and conditions from what was measured of verdicts
``weight``         remove from the built site what no page uses
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

sys.path.append(str(Path(__file__).resolve().parents[3] / "tools"))  # has kernels

from . import (
    accessibility,
    discovery,
    environment,
    execution,
    freshness,
    glossary,
    labels,
    mathematics,
    repository,
    search,
    verdicts,
    weight,
)

CONCERNS = (
    accessibility,
    discovery,
    environment,
    execution,
    freshness,
    glossary,
    labels,
    mathematics,
    repository,
    search,
    verdicts,
    weight,
)


def setup(app: Sphinx) -> dict[str, Any]:
    for concern in CONCERNS:
        concern.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

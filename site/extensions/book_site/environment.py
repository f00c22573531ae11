"""Tell the notebooks' kernels that their outputs go into a static page."""

from __future__ import annotations

import os

import kernels
from sphinx.application import Sphinx


def setup(app: Sphinx) -> None:
    # Kernels are child processes of the build and inherit its environment. Figures, explorables
    # and exercises then emit HTML that needs no kernel.
    os.environ.update(kernels.ENVIRONMENT | {"LESSONS_LIB_STATIC": "1"})

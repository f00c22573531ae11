"""Tell the notebooks' kernels that their outputs go into a static page."""

from __future__ import annotations

import os

from sphinx.application import Sphinx

KERNEL_ENVIRONMENT = {
    # Figures, explorables and exercises then emit HTML that needs no kernel.
    "LESSONS_LIB_STATIC": "1",
    # A build must neither read nor change the exercise record of whoever builds.
    "LESSONS_LIB_PROGRESS": "",
    # Results must not depend on the number of cores.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    # The kernel's debugger warns about frozen modules on stderr.
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}


def setup(app: Sphinx) -> None:
    # Kernels are child processes of the build and inherit its environment.
    os.environ.update(KERNEL_ENVIRONMENT)

"""How each kernel of this project is started: by make refresh, by nbval, by the book's build."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from uuid import uuid4

from traitlets.config import Config

# What any kernel needs: no record of exercises, and numbers that do not depend on how many cores
# there are. The debugger warns about frozen modules on stderr.
ENVIRONMENT = {
    "LESSONS_LIB_PROGRESS": "",
    "LESSONS_LIB_STATIC": "0",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}


def private_channel() -> Config:
    """Return settings that let one kernel be talked to by files instead of by TCP.

    Over TCP each kernel warns that everybody on the machine can listen. A socket's file has a short
    path, since the system allows about a hundred characters; Windows has none.
    """
    if os.name == "nt":
        return Config()
    connection = Path(tempfile.gettempdir()) / f"kernel-{uuid4().hex[:12]}.json"
    return Config({"KernelManager": {"transport": "ipc", "connection_file": str(connection)}})

"""The API reference of ``lessons_lib``, and links between it and the lessons: a Sphinx extension.

``inventory``  what is public, and under which name
``reference``  the directive ``{library}``, which documents a module by autodoc
``usage``      what a notebook uses
``links``      "Used in" at an object, "From the library" at the end of a lesson
"""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx

from . import links, reference


def setup(app: Sphinx) -> dict[str, Any]:
    for extension in ("sphinx.ext.autodoc", "sphinx.ext.viewcode"):
        app.setup_extension(extension)
    reference.setup(app)
    links.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

"""Launch and source buttons, shown only when the repository's address is known.

Set ``BOOK_REPOSITORY_URL`` (and ``BOOK_REPOSITORY_BRANCH``, default ``main``) when building: public
CI does. Without it no page carries a link that leads nowhere.
"""

from __future__ import annotations

import os
import re

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError

ADDRESS = re.compile(r"https://[\w.-]+/[\w.-]+/[\w.-]+")


def configure(app: Sphinx, config: Config) -> None:
    url = os.environ.get("BOOK_REPOSITORY_URL", "").rstrip("/")
    if not url:
        return
    if not ADDRESS.fullmatch(url):
        raise ExtensionError(
            f"BOOK_REPOSITORY_URL is {url!r}; it must look like https://host/owner/repository."
        )
    config.html_theme_options |= {
        "repository_url": url,
        "repository_branch": os.environ.get("BOOK_REPOSITORY_BRANCH", "main"),
        "path_to_docs": "book",
        "use_repository_button": True,
        "use_issues_button": True,
        "launch_buttons": {
            "binderhub_url": "https://mybinder.org",
            "notebook_interface": "jupyterlab",
        },
    }


def setup(app: Sphinx) -> None:
    # Before the theme reads its options at builder-inited.
    app.connect("config-inited", configure)

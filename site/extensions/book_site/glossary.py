"""Lead a link to the glossary to the word it shows, not to the top of the page.

A notebook links to the glossary as to any page, ``{doc}`soft threshold <glossary>```, since
JupyterLab knows pages but no terms of other pages. In the built book such a link goes on to the
entry of the word.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import docname_join, logging

PAGE = "glossary"

logger = logging.getLogger(__name__)


def find_term(word: str, terms: Mapping[str, str]) -> str | None:
    """Return the entry that explains a word, also in the plural or with a capital, if there is one.

    `terms` maps the entries in lower case to themselves.
    """
    word = " ".join(word.lower().split())
    forms = [word]
    for ending, singular in (("ies", "y"), ("es", ""), ("s", "")):
        if word.endswith(ending):
            forms.append(word.removesuffix(ending) + singular)
    return next((terms[form] for form in forms if form in terms), None)


class TermLinks(SphinxPostTransform):
    """Turn explicit links to the glossary's page into links to its terms."""

    default_priority = 5  # before references are resolved

    def run(self, **kwargs: Any) -> None:
        """Change the references of one page."""
        if self.env.docname == PAGE:
            return
        terms = {
            name.lower(): name
            for name, _, kind, *_ in self.env.get_domain("std").get_objects()
            if kind == "term"
        }
        for link in self.document.findall(addnodes.pending_xref):
            if not (link["reftype"] == "doc" and link["refexplicit"]):
                continue
            if docname_join(self.env.docname, link["reftarget"]) != PAGE:
                continue
            term = find_term(link.astext(), terms)
            if term is None:
                logger.warning("the glossary has no %r", link.astext(), location=link)
            else:
                link["reftype"], link["reftarget"] = "term", term


def setup(app: Sphinx) -> None:
    app.add_post_transform(TermLinks)

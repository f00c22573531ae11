"""Let a notebook link to a label of another page in a way that JupyterLab understands, too.

``[text](05-dropout.ipynb#real-dropout)`` opens the notebook there. In the built book it leads on to
the label, which is a section's or a figure's.
"""

from __future__ import annotations

from typing import Any, cast

from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.domains.std import StandardDomain
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging

logger = logging.getLogger(__name__)


class LabelLinks(SphinxPostTransform):
    """Turn links to a place in a file into references to the label of that name."""

    default_priority = 5  # before MyST looks for a heading of that name

    def run(self, **kwargs: Any) -> None:
        """Change the references of one page."""
        labels = cast(StandardDomain, self.env.get_domain("std")).anonlabels
        for link in self.document.findall(addnodes.pending_xref):
            if link["reftype"] != "myst" or link["refdomain"] != "doc":
                continue
            label = (link.get("reftargetid") or "").lower()
            page = labels.get(label, ("", ""))[0]
            if page == link["reftarget"]:
                link.update_all_atts({"refwarn": True, "refexplicit": True}, replace=True)
                link["refdomain"], link["reftype"], link["reftarget"] = "std", "ref", label
            elif page:
                logger.warning("label %r is in %r, not there", label, page, location=link)


def setup(app: Sphinx) -> None:
    app.add_post_transform(LabelLinks)

"""Let a page take effects and conditions from measured verdicts, so that no number is typed.

``{effect}`l1.relaxed` `` becomes the effect at the base with its interval and its unit, and leads
to the map; ``{conditions}`l1.relaxed` `` becomes the words about where it holds.
"""

from __future__ import annotations

from docutils import nodes
from docutils.nodes import Node, system_message
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxRole

from lessons_lib.measure import RobustnessMap, read_map
from lessons_lib.page.verdicts import anchor, effect_text

PAGE = "verdicts"


class VerdictRole(SphinxRole):
    """A role whose text is the name of a verdict."""

    def run(self) -> tuple[list[Node], list[system_message]]:
        """Return what was measured as text, or say what is wrong with the name."""
        try:
            return [self.node(read_map(self.text.strip()))], []
        except ValueError as error:
            message = self.inliner.reporter.error(str(error), line=self.lineno)
            return [self.inliner.problematic(self.rawtext, self.rawtext, message)], [message]

    def node(self, measured: RobustnessMap) -> Node:
        """Return what stands in the page."""
        raise NotImplementedError


class Effect(VerdictRole):
    """The effect at the base."""

    def node(self, measured: RobustnessMap) -> Node:
        """Return the effect, which leads to the map if the book has it."""
        text = effect_text(measured)
        if PAGE not in self.env.found_docs:
            return nodes.inline(text, text)
        page = self.env.app.builder.get_relative_uri(self.env.docname, PAGE)
        return nodes.reference(text, text, refuri=f"{page}#{anchor(measured.verdict)}")


class Conditions(VerdictRole):
    """The words about where it holds."""

    def node(self, measured: RobustnessMap) -> Node:
        """Return the words."""
        text = measured.conditions()
        return nodes.inline(text, text)


def setup(app: Sphinx) -> None:
    app.add_role("effect", Effect())
    app.add_role("conditions", Conditions())

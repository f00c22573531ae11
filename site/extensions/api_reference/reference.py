"""The directive ``{library}``: everything public in a module, from its docstrings by autodoc."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import Any, NamedTuple

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.ext import viewcode
from sphinx.ext.autodoc import Options
from sphinx.ext.napoleon import Config, NumpyDocstring
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.docutils import SphinxDirective

from .inventory import PACKAGE, Entry, entries, public_classes

FIELD = type(NamedTuple("Example", [("field", int)]).field)  # described under Attributes

# Types are words, not links; so all sections are lists like that of the parameters.
LAYOUT = Config(
    napoleon_use_param=False,
    napoleon_use_rtype=False,
    napoleon_custom_sections=[(name, "params_style") for name in ("Attributes", "Raises", "Warns")],
)


class LibraryDirective(SphinxDirective):
    """Document the module that its argument names: docstring, then each object at home there."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Parse what autodoc writes."""
        module = self.arguments[0]
        at_home = [entry for entry in entries() if entry.home == module]
        lines = ["```{eval-rst}", f".. automodule:: {module}"]
        if module in {entry.name for entry in entries()}:
            lines.append("   :no-index:")  # a function has the same name, and is looked for more
        lines.append("")
        for entry in at_home:
            lines += [*describe(entry), ""]
        lines.append("```")
        container = nodes.Element()
        self.state.nested_parse(StringList(lines, source=module), 0, container)
        for target in container.findall(nodes.target):
            # Else Sphinx gives the section its name, with dots, which the search cannot look up.
            target.attributes.pop("ismod", None)
        domain = self.env.domains["py"]
        for entry in at_home:
            known = domain.objects.get(entry.name)
            for alias in entry.aliases:
                if known is not None and alias not in domain.objects:
                    domain.note_object(alias, known.objtype, known.node_id, aliased=True)
        return container.children


def describe(entry: Entry) -> list[str]:
    """Return the lines that document an object."""
    if entry.directive == "data":
        return describe_data(entry)
    lines = [f".. {entry.directive}:: {entry.name}"]
    if inspect.isclass(entry.value):
        # Members of a base class that has an entry of its own are described there.
        ancestors = entry.value.__mro__[1:]
        elsewhere = [c.__name__ for c in ancestors if is_described_elsewhere(c)]
        lines += ["   :members:", f"   :inherited-members: {', '.join(elsewhere)}"]
        if public_classes() & set(entry.value.__bases__):
            lines.append("   :show-inheritance:")
    return lines


def describe_data(entry: Entry) -> list[str]:
    """Return the lines that document a constant or an alias of a type, which autodoc would unfold.

    A value of more than one line is left to the source.
    """
    module, _, name = entry.name.rpartition(".")
    source = ModuleAnalyzer.for_module(origin(entry.home, name))
    value = ast.get_source_segment(source.code, assignments(source.code)[name].value)
    lines = [f".. py:data:: {name}", f"   :module: {module}"]
    if value and "\n" not in value:
        lines.append(f"   :value: {value}")
    text = source.find_attr_docs().get(("", name), [])
    return [*lines, "", *(f"   {line}" for line in text)]


def is_described_elsewhere(ancestor: type) -> bool:
    return ancestor in public_classes() or not _is_ours(ancestor)


def _is_ours(value: Any) -> bool:
    return str(getattr(value, "__module__", "")).split(".")[0] == PACKAGE


def skip_foreign(
    app: Sphinx, what: str, name: str, member: Any, skip: bool, options: Options
) -> bool | None:
    """Leave out what others put into our classes: methods by scikit-learn, fields by ``tuple``."""
    function = inspect.unwrap(getattr(member, "__func__", member))
    foreign = callable(function) and not _is_ours(function)
    return True if foreign or isinstance(member, FIELD) else None


def keep_public_bases(
    app: Sphinx, name: str, cls: type, options: Options, bases: list[type]
) -> None:
    bases[:] = [base for base in bases if base in public_classes()]


def lay_out(
    app: Sphinx, what: str, name: str, value: Any, options: Options, lines: list[str]
) -> None:
    """Turn the sections of a docstring into field lists.

    As the extension napoleon does, but that takes the words before a colon in the docstring of a
    property for its type.
    """
    kind = "method" if what == "property" else what
    lines[:] = NumpyDocstring("\n".join(lines), LAYOUT, app, kind, name, value, options).lines()


def origin(module: str, name: str) -> str:
    """Return the module that assigns a name, also where another one imports it."""
    for statement in ast.parse(ModuleAnalyzer.for_module(module).code).body:
        if isinstance(statement, ast.ImportFrom) and name in {a.name for a in statement.names}:
            return origin(str(statement.module), name)
    return module


def assignments(code: str) -> dict[str, ast.Assign | ast.AnnAssign]:
    """Return the statements of a module that give a value to a name of its own."""
    found = {}
    for statement in ast.parse(code).body:
        if isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            found.update({t.id: statement for t in targets if isinstance(t, ast.Name)})
    return found


def find_data(app: Sphinx, module: str | None, name: str) -> str | None:
    """Tell viewcode where a constant is defined, which the constant itself does not know."""
    entry = next((e for e in entries() if e.name == f"{module}.{name}"), None)
    return origin(entry.home, name) if entry and entry.directive == "data" else None


def find_source(app: Sphinx, module: str) -> tuple[str, dict[str, tuple[str, int, int]]]:
    """Return code and places of definitions for viewcode, constants included."""
    analyzer = ModuleAnalyzer.for_module(module)
    tags = dict(analyzer.find_tags())
    for name, statement in assignments(analyzer.code).items():
        end = statement.end_lineno or statement.lineno
        tags.setdefault(name, ("data", statement.lineno, end))
    return analyzer.code, tags


def plan_source_pages(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Write the pages with source again only after the reference was read again.

    viewcode compares times of files, and imports the library to find them. The reference is read
    again whenever a file of the library has changed.
    """
    reference_read = any(name.startswith("api/") for name in docnames)

    def is_needed(app: Sphinx, module: str) -> bool:
        page = Path(app.outdir, "_modules", *module.split(".")).with_suffix(".html")
        return reference_read or not page.is_file()

    viewcode.should_generate_module_page = is_needed


BACK = re.compile(
    r'(<div class="viewcode-block" id="([^"]+)">\n<a class="viewcode-back" href=")[^"#]*#([^"]+)'
)


def mend_back_links(
    app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    """Lead the links of a page with source to the names that the reference uses.

    viewcode takes the public module of one object for that of all in the same file.
    """
    if not pagename.startswith("_modules/"):
        return
    module = pagename.removeprefix("_modules/").replace("/", ".")
    objects = app.env.domains["py"].objects  # type: ignore[attr-defined]

    def mend(match: re.Match[str]) -> str:
        before, name, fragment = match.groups()
        top, dot, member = name.partition(".")
        entry = objects.get(f"{module}.{top}") or objects[fragment.removesuffix(f"{dot}{member}")]
        address = app.builder.get_relative_uri(pagename, entry.docname)
        return f"{before}{address}#{entry.node_id}{dot}{member}"

    context["body"] = BACK.sub(mend, context["body"])


def setup(app: Sphinx) -> None:
    app.add_directive("library", LibraryDirective)
    app.connect("autodoc-skip-member", skip_foreign)
    app.connect("autodoc-process-docstring", lay_out)
    app.connect("autodoc-process-bases", keep_public_bases)
    app.connect("env-before-read-docs", plan_source_pages)
    app.connect("html-page-context", mend_back_links)
    app.connect("viewcode-follow-imported", find_data)
    app.connect("viewcode-find-source", find_source)

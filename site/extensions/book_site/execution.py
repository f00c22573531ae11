"""Execute several notebooks at once, before Sphinx reads their pages one after the other.

MyST-NB executes a notebook when it reads the page, unless jupyter-cache has its outputs. Here they
get there first.
"""

from __future__ import annotations

from pathlib import Path

import kernels
import nbformat
from joblib import Parallel, cpu_count, delayed
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.executors.utils import ExecutionResult, single_nb_execution
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util import logging

JOBS = min(4, max(2, cpu_count()))  # not more, since each kernel may need half a gigabyte

logger = logging.getLogger(__name__)


def execute_notebooks(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Put the outputs of all notebooks that Sphinx will read into the cache, or raise."""
    settings = env.mystnb_config  # type: ignore[attr-defined]
    if settings.execution_mode != "cache":
        return
    cache = get_cache(settings.execution_cache_path)
    notebooks = {}
    for path in (env.doc2path(name) for name in docnames):
        if path.endswith(".ipynb"):
            notebook = nbformat.read(path, as_version=4)
            try:
                cache.match_cache_notebook(notebook)
            except KeyError:
                notebooks[path] = notebook

    def execute(path: str, notebook: NotebookNode) -> ExecutionResult:
        try:
            return single_nb_execution(
                notebook,
                cwd=str(Path(path).parent),
                timeout=settings.execution_timeout,
                allow_errors=settings.execution_allow_errors,
                config=kernels.private_channel(),
            )
        except RuntimeError as error:  # of the kernel, not of a cell
            raise ExtensionError(f"{path}: {error}") from error

    # Threads: each waits for a kernel, which is a process.
    parallel = Parallel(n_jobs=JOBS, prefer="threads", return_as="generator")
    results = parallel(delayed(execute)(*item) for item in notebooks.items())
    failures = []
    for path, result in zip(notebooks, results, strict=True):
        if result.err is None:
            logger.info("executed %s in %.0f seconds", path, result.time)
            bundle = CacheBundleIn(result.nb, path, data={"execution_seconds": result.time})
            cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
        else:
            failures.append(f"{path}: {result.err}")
    if failures:
        raise ExtensionError("\n".join(["cells raise:", *failures]))


def setup(app: Sphinx) -> None:
    app.connect("env-before-read-docs", execute_notebooks)

"""What every test run needs: quiet kernels, nbval's settings, and no silent skips in CI."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "tools"))

import kernels  # noqa: E402
import nbval.kernel  # noqa: E402

# Kernels (nbval's, JupyterLab's) are child processes and inherit these.
os.environ.update(kernels.ENVIRONMENT)
_KernelManager = nbval.kernel.KernelManager
nbval.kernel.KernelManager = lambda **options: _KernelManager(
    config=kernels.private_channel(), **options
)


def pytest_collectstart(collector: pytest.Collector) -> None:
    """Let nbval compare what the notebooks store: text, not what HTML shows of it."""
    if collector.path.suffix == ".ipynb" and hasattr(collector, "skip_compare"):
        collector.skip_compare += ("text/html",)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI everything is installed, so a test that skips there is a failure."""
    report = yield
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI, where nothing may skip: {report.longrepr}"
    return report

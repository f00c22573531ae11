"""What exercises need that accept more than one right answer."""

from typing import Any

from lessons_lib.exercises._values import Tolerance, compare, plain


def agrees(result: Any, expected: Any, *, rtol: float = 1e-6, atol: float = 1e-9) -> bool:
    """Return whether a result is the expected one, as in an exercise without an ``accept``.

    Parameters
    ----------
    result, expected : object
        Numbers, arrays, or collections of them.
    rtol, atol : float
        Numbers agree when ``|result − expected| ≤ atol + rtol·|expected|``.
    """
    return compare(plain(result), plain(expected), Tolerance(rtol, atol)) is None

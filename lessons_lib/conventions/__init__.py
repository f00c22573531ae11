r"""Say one penalty strength in every library's own words.

Libraries agree on what ridge, lasso and Elastic Net are, and disagree on every factor: some add the
penalty to a sum over samples and some to a mean, some halve the squared error, some halve the
squared norm, one takes the inverse of the strength, one divides it by the batch size. The number
called `alpha` in one of them can mean :math:`n` times less in the next.

`translate` goes through the one objective that this book uses everywhere,

.. math:: D(w, b) + \lambda \bigl(\rho \|w\|_1 + \tfrac{1-\rho}{2} \|w\|_2^2\bigr),

where the data loss is :math:`D = \frac{1}{2n} \|y - Xw - b\|_2^2` for regression (``"squared"``)
and the mean log-loss :math:`D = \frac{1}{n} \sum_i \ell_i` for classification (``"logistic"``),
with :math:`\ell_i = \log(1 + e^{-y_i (x_i^T w + b)})` for labels ±1, or its softmax version.

Every library's objective is a multiple of this one, :math:`c\, D + s_1 \|w\|_1 +
\frac{s_2}{2} \|w\|_2^2`. Dividing by :math:`c` changes no minimizer, hence
:math:`\lambda\rho = s_1 / c` and :math:`\lambda(1-\rho) = s_2 / c`. That is all there is to it; the
rest of this package is a record of who uses which :math:`c`, :math:`s_1` and :math:`s_2`
(``libraries.toml``), the translation and its table. Nothing here fits a model.
"""

from lessons_lib.conventions.libraries import CONVENTIONS
from lessons_lib.conventions.objects import Convention, Strength
from lessons_lib.conventions.tables import Row, notes_to_markdown, table, to_markdown
from lessons_lib.conventions.translation import translate

__all__ = [
    "CONVENTIONS",
    "Convention",
    "Row",
    "Strength",
    "notes_to_markdown",
    "table",
    "to_markdown",
    "translate",
]

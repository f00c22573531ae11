r"""Slices: the loss along a line or over a plane through parameter space, to look at.

A slice shows two directions out of thousands. What it looks like depends on their lengths, so
directions to compare networks by are *filter-normalized*; and a plane shows a training run only as
far as it contains it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from sklearn.decomposition import PCA

from lessons_lib._validation import FloatArray
from lessons_lib.landscape.objective import Objective, check_point, value_function
from lessons_lib.network import Module

__all__ = [
    "TrajectoryPlane",
    "along_gradient",
    "filter_normalized_direction",
    "loss_slice",
    "loss_surface",
    "trajectory_plane",
]


def filter_normalized_direction(
    model: Module, random_state: int | np.random.Generator | None = None
) -> FloatArray:
    r"""Draw a random direction in which every filter moves in proportion to its own length.

    .. math::

        d_{ij} \leftarrow \frac{d_{ij}}{\lVert d_{ij} \rVert}\,\lVert w_{ij} \rVert, \qquad
        d \sim N(0, I)

    :math:`w_{ij}` is filter :math:`j` of layer :math:`i`: all weights into one unit or channel, a
    row of the weight matrix. Biases and the parameters of batch normalization stay where they are
    (:math:`d = 0`). One unit along :math:`d` is thus a change of 100 % in every filter, whatever
    the scale of the weights.

    Parameters
    ----------
    model : Module
        The network, with the weights that set the lengths.
    random_state : int, Generator or None, default=None
        Source of the direction.

    Returns
    -------
    ndarray of shape (n_parameters,)
        The direction, in the order of :func:`~lessons_lib.landscape.parameters_to_vector`.

    References
    ----------
    H. Li, Z. Xu, G. Taylor, C. Studer, T. Goldstein, "Visualizing the Loss Landscape of Neural
    Nets", NeurIPS 2018, section 4.

    Examples
    --------
    >>> from lessons_lib.network import Linear
    >>> layer = Linear(2, 1, random_state=0)
    >>> layer.weight.data = np.array([[3.0, 4.0]])
    >>> direction = filter_normalized_direction(layer, random_state=0)
    >>> float(np.linalg.norm(direction[:2]).round(12)), float(direction[2])
    (5.0, 0.0)
    """
    rng = np.random.default_rng(random_state)
    pieces = []
    for parameter in model.parameters():
        if parameter.data.ndim < 2:
            pieces.append(np.zeros(parameter.size))
            continue
        filters = parameter.data.reshape(len(parameter.data), -1)
        draw = rng.standard_normal(filters.shape)
        lengths = np.linalg.norm(filters, axis=1, keepdims=True)
        pieces.append((draw / np.linalg.norm(draw, axis=1, keepdims=True) * lengths).ravel())
    if not pieces:
        raise ValueError("model must have parameters, got none.")
    return np.concatenate(pieces, dtype=np.float64)


def loss_slice(
    objective: Objective, w: ArrayLike, direction: ArrayLike, steps: ArrayLike
) -> FloatArray:
    r"""Return the loss along a line, :math:`L(w + \alpha d)`.

    Parameters
    ----------
    objective : callable
        Returns value and gradient of a vector, see :class:`~lessons_lib.landscape.NetworkLoss`.
    w : array-like of shape (n_parameters,)
        The point at :math:`\alpha = 0`.
    direction : array-like of shape (n_parameters,)
        :math:`d`, such as a :func:`filter_normalized_direction`, an eigenvector, or the difference
        to another solution.
    steps : array-like of shape (n_steps,)
        The :math:`\alpha`.

    Returns
    -------
    ndarray of shape (n_steps,)
        The losses.

    Examples
    --------
    >>> loss_slice(lambda w: (float(w @ w), 2 * w), [1.0, 0.0], [1.0, 0.0], [-1, 0, 1])
    array([0., 1., 4.])
    """
    value_of = value_function(objective)
    point = check_point(w)
    d = _check_direction("direction", direction, point)
    return np.array([value_of(point + step * d) for step in check_point(steps, "steps")])


def along_gradient(
    objective: Objective, w: ArrayLike, steps: ArrayLike
) -> tuple[FloatArray, FloatArray]:
    r"""Follow the negative gradient and watch the loss and the gradient on the way.

    With :math:`g = \nabla L(w)` and :math:`w_t = w - t g` it returns

    .. math::

        L(w_t) \qquad\text{and}\qquad \frac{\|\nabla L(w_t) - g\|}{\|g\|}

    for every step length :math:`t`. A gradient that is nearly constant along the way (a small
    second number) is one that a long step may trust. Divided by :math:`t`, the second number is a
    lower bound for the Lipschitz constant of the gradient.

    Parameters
    ----------
    objective : callable
        Returns value and gradient of a vector, see :class:`~lessons_lib.landscape.NetworkLoss`.
    w : array-like of shape (n_parameters,)
        Where the walk starts.
    steps : array-like of shape (n_steps,)
        The step lengths :math:`t`.

    Returns
    -------
    losses, changes : ndarrays of shape (n_steps,)
        As above.

    Raises
    ------
    ValueError
        If the gradient at `w` is zero: there is no way to follow.

    References
    ----------
    S. Santurkar, D. Tsipras, A. Ilyas, A. Madry, "How Does Batch Normalization Help
    Optimization?", NeurIPS 2018, section 3.1 and figure 4.

    Examples
    --------
    For a quadratic with curvature 2 the gradient changes by twice the step:

    >>> _, changes = along_gradient(lambda w: (float(w @ w), 2 * w), [3.0], [0.1, 0.2])
    >>> changes.round(3)
    array([0.2, 0.4])
    """
    point, lengths = check_point(w), check_point(steps, "steps")
    _, gradient = objective(point)
    length = float(np.linalg.norm(gradient))
    if length == 0:
        raise ValueError("the gradient at w is zero, so there is no direction to follow")
    visited = [objective(point - t * gradient) for t in lengths]
    changes = [float(np.linalg.norm(there - gradient)) / length for _, there in visited]
    return np.array([value for value, _ in visited]), np.array(changes)


def loss_surface(
    objective: Objective,
    w: ArrayLike,
    direction_1: ArrayLike,
    direction_2: ArrayLike,
    steps_1: ArrayLike,
    steps_2: ArrayLike,
) -> FloatArray:
    r"""Return the loss over a plane, :math:`L(w + \alpha d_1 + \beta d_2)`.

    Parameters
    ----------
    objective : callable
        Returns value and gradient of a vector, see :class:`~lessons_lib.landscape.NetworkLoss`.
    w : array-like of shape (n_parameters,)
        The point at :math:`\alpha = \beta = 0`.
    direction_1, direction_2 : array-like of shape (n_parameters,)
        :math:`d_1` and :math:`d_2`. Two random ones are nearly orthogonal in many dimensions.
    steps_1, steps_2 : array-like of shape (n_1,) and (n_2,)
        The :math:`\alpha` and the :math:`\beta`.

    Returns
    -------
    ndarray of shape (n_2, n_1)
        The losses, a row for each :math:`\beta`: ``plt.contour(steps_1, steps_2, surface)``.

    Examples
    --------
    >>> loss_surface(lambda w: (float(w @ w), 2 * w), [0, 0], [1, 0], [0, 1], [0, 1, 2], [0, 3])
    array([[ 0.,  1.,  4.],
           [ 9., 10., 13.]])
    """
    value_function(objective)  # raises unless it can be called
    point = check_point(w)
    d_2 = _check_direction("direction_2", direction_2, point)
    rows = check_point(steps_2, "steps_2")
    _check_direction("direction_1", direction_1, point)
    return np.array(
        [loss_slice(objective, point + step * d_2, direction_1, steps_1) for step in rows]
    )


class TrajectoryPlane(NamedTuple):
    r"""The plane in which a training run moves most.

    Attributes
    ----------
    directions : ndarray of shape (2, n_parameters)
        Two orthogonal directions of length 1, the more important first.
    coordinates : ndarray of shape (n_points, 2)
        The run in the plane: :math:`\alpha` and :math:`\beta` of each point, for
        :func:`loss_surface` around the last one, which is at (0, 0).
    explained : ndarray of shape (2,)
        The part of the run's variance that each direction explains.
    """

    directions: FloatArray
    coordinates: FloatArray
    explained: FloatArray


def trajectory_plane(vectors: ArrayLike) -> TrajectoryPlane:
    r"""Project a training run onto its first two principal components.

    The principal components :math:`d_1, d_2` of the points :math:`w_0, \dots, w_T` span a plane
    through :math:`w_T`, in which :math:`w_t` has the coordinates :math:`(w_t-w_T)^\top d_k`.

    A large explained part is no discovery: a random walk in many dimensions also gets
    :math:`6/\pi^2 = 61\,\%` and :math:`15\,\%`.

    Parameters
    ----------
    vectors : array-like of shape (n_points, n_parameters)
        The parameters along the run, at least three points, such as the ``vectors`` of a
        :class:`~lessons_lib.landscape.TrajectoryRecorder`.

    Returns
    -------
    TrajectoryPlane
        Directions, coordinates and explained parts.

    References
    ----------
    H. Li, Z. Xu, G. Taylor, C. Studer, T. Goldstein, "Visualizing the Loss Landscape of Neural
    Nets", NeurIPS 2018, section 7.

    J. Antognini, J. Sohl-Dickstein, "PCA of high dimensional random walks with comparison to neural
    network training", NeurIPS 2018 (the two percentages).

    Examples
    --------
    >>> plane = trajectory_plane([[0, 4, 1], [0, 2, 1], [0, 0, 1], [1, 0, 1]])
    >>> float(plane.explained.sum().round(6)), plane.coordinates[-1].tolist()
    (1.0, [0.0, 0.0])
    """
    points = np.asarray(vectors, dtype=np.float64)
    if points.ndim != 2 or len(points) < 3 or points.shape[1] < 2:
        raise ValueError(
            "vectors must be a matrix of at least three points in at least two dimensions, "
            f"got shape {points.shape}."
        )
    pca = PCA(n_components=2, svd_solver="full").fit(points)
    coordinates: FloatArray = (points - points[-1]) @ pca.components_.T
    return TrajectoryPlane(pca.components_, coordinates, pca.explained_variance_ratio_)


def _check_direction(name: str, direction: ArrayLike, w: FloatArray) -> FloatArray:
    d = check_point(direction, name)
    if d.shape != w.shape:
        raise ValueError(f"{name} must have the shape {w.shape} of w, got {d.shape}.")
    return d

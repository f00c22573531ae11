r"""The loss landscape and the noise with which SGD walks in it.

Everything here looks at an *objective*: a function of one long vector that returns the loss and its
gradient. :class:`NetworkLoss` makes one from a network, a loss and data; the parameters of the
network become that vector by :func:`parameters_to_vector`.

>>> import numpy as np
>>> from lessons_lib.landscape import NetworkLoss, parameters_to_vector, top_eigenvalue
>>> from lessons_lib.network import CrossEntropyLoss, Linear, ReLU, Sequential
>>> rng = np.random.default_rng(0)
>>> model = Sequential(Linear(2, 8, random_state=rng), ReLU(), Linear(8, 2, random_state=rng))
>>> X = rng.standard_normal((100, 2))
>>> y = (X[:, 0] > X[:, 1]).astype(int)
>>> objective = NetworkLoss(model, CrossEntropyLoss(), X, y)
>>> w = parameters_to_vector(model.parameters())
>>> loss, gradient = objective(w)
>>> gradient.shape == w.shape
True
>>> top_eigenvalue(objective, w, random_state=0).value > 0
True

======================  ============================================================================
gradient noise          :func:`per_sample_gradients`, :func:`gradient_covariance`,
                        :func:`minibatch_variance`, :func:`minibatch_gradients`, :func:`noise_scale`
curvature               :func:`hessian_vector_product`, :func:`top_eigenvalue`,
                        :func:`hessian_trace`
sharpness               :func:`sam_sharpness`, :func:`expected_sharpness`,
                        :func:`along_gradient`
pictures                :func:`filter_normalized_direction`, :func:`loss_slice`,
                        :func:`loss_surface`, :func:`trajectory_plane`, :class:`TrajectoryRecorder`
same function           :func:`rescale_layers`
======================  ============================================================================
"""

from lessons_lib.landscape.curvature import (
    Eigenpair,
    Estimate,
    hessian_trace,
    hessian_vector_product,
    top_eigenvalue,
)
from lessons_lib.landscape.noise import (
    gradient_covariance,
    minibatch_gradients,
    minibatch_variance,
    noise_scale,
    per_sample_gradients,
)
from lessons_lib.landscape.objective import (
    NetworkLoss,
    Objective,
    TrajectoryRecorder,
    parameters_to_vector,
    vector_to_parameters,
)
from lessons_lib.landscape.reparametrization import rescale_layers
from lessons_lib.landscape.sharpness import expected_sharpness, sam_sharpness
from lessons_lib.landscape.slices import (
    TrajectoryPlane,
    along_gradient,
    filter_normalized_direction,
    loss_slice,
    loss_surface,
    trajectory_plane,
)

__all__ = [
    "Eigenpair",
    "Estimate",
    "NetworkLoss",
    "Objective",
    "TrajectoryPlane",
    "TrajectoryRecorder",
    "along_gradient",
    "expected_sharpness",
    "filter_normalized_direction",
    "gradient_covariance",
    "hessian_trace",
    "hessian_vector_product",
    "loss_slice",
    "loss_surface",
    "minibatch_gradients",
    "minibatch_variance",
    "noise_scale",
    "parameters_to_vector",
    "per_sample_gradients",
    "rescale_layers",
    "sam_sharpness",
    "top_eigenvalue",
    "trajectory_plane",
    "vector_to_parameters",
]

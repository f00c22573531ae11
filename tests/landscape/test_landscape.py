"""The loss landscape: quadratics with known answers, enumeration, torch's derivatives."""

import itertools

import numpy as np
import pytest
from scipy.sparse.linalg import LinearOperator, eigsh
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning

from lessons_lib.landscape import (
    NetworkLoss,
    TrajectoryRecorder,
    along_gradient,
    expected_sharpness,
    filter_normalized_direction,
    gradient_covariance,
    hessian_trace,
    hessian_vector_product,
    loss_slice,
    loss_surface,
    minibatch_gradients,
    minibatch_variance,
    noise_scale,
    parameters_to_vector,
    per_sample_gradients,
    rescale_layers,
    sam_sharpness,
    top_eigenvalue,
    trajectory_plane,
    vector_to_parameters,
)
from lessons_lib.network import (
    SGD,
    BatchNorm1d,
    Conv2d,
    CrossEntropyLoss,
    Dropout,
    Flatten,
    Linear,
    MaxPool2d,
    MSELoss,
    ReLU,
    Sequential,
    Tanh,
    evaluate,
    fit,
    numerical_gradient,
)

RNG = np.random.default_rng
X = RNG(0).standard_normal((30, 4))
Y = RNG(1).integers(0, 3, 30)


def network(kind="relu", seed=0, dtype=np.float64):
    rng = RNG(seed)
    first = Linear(4, 6, dtype=dtype, random_state=rng)
    last = Linear(6, 3, dtype=dtype, random_state=rng)
    between = {
        "relu": [ReLU()],
        "tanh": [Tanh()],
        "norm": [BatchNorm1d(6, dtype=dtype), ReLU(), Dropout(0.5, random_state=rng)],
    }[kind]
    model = Sequential(first, *between, last)
    if kind == "norm":  # running statistics that differ from those of X, and no trivial parameters
        model[1].running_mean[:] = rng.standard_normal(6)
        model[1].running_var[:] = rng.uniform(0.5, 2, 6)
        model[1].weight.data = rng.standard_normal(6)
    return model


def objective_and_point(kind="relu", **options):
    model = network(kind)
    objective = NetworkLoss(model, CrossEntropyLoss(), X, Y, **options)
    return objective, parameters_to_vector(model.parameters())


def torch_loss(kind="relu", batch_statistics=False, X=X, Y=Y):
    """The same loss as a function of a flat tensor, written with torch alone."""
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional
    model = network(kind)
    inputs, labels = torch.from_numpy(X), torch.from_numpy(Y)
    shapes = [p.shape for p in model.parameters()]
    sizes = [p.size for p in model.parameters()]

    def loss(w):
        pieces = [p.reshape(s) for p, s in zip(w.split(sizes), shapes, strict=True)]
        hidden = functional.linear(inputs, *pieces[:2])
        if kind == "norm":
            mean, var = (torch.tensor(b) for b in (model[1].running_mean, model[1].running_var))
            hidden = functional.batch_norm(hidden, mean, var, *pieces[2:4], batch_statistics)
        hidden = torch.tanh(hidden) if kind == "tanh" else torch.relu(hidden)
        return functional.cross_entropy(functional.linear(hidden, *pieces[-2:]), labels)

    return torch, loss


def torch_hessian(kind, w, **options):
    torch, loss = torch_loss(kind, **options)
    return torch.autograd.functional.hessian(loss, torch.from_numpy(w)).numpy()


def quadratic(H, center=0.0):
    return lambda w: (0.5 * (w - center) @ H @ (w - center), H @ (w - center))


def symmetric(eigenvalues, seed=0):
    Q, _ = np.linalg.qr(RNG(seed).standard_normal((len(eigenvalues), len(eigenvalues))))
    return Q @ np.diag(eigenvalues) @ Q.T, Q


# Parameters as a vector


def test_vectors_have_torchs_order():
    torch = pytest.importorskip("torch")
    model = network()
    theirs = torch.nn.utils.parameters_to_vector(
        torch.from_numpy(parameter.data.copy()) for parameter in model.parameters()
    )
    np.testing.assert_array_equal(parameters_to_vector(model.parameters()), theirs)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_vector_goes_back_into_the_same_memory(dtype):
    model = network(dtype=dtype)
    optimizer = SGD(model.parameters(), lr=0.1)
    vector = parameters_to_vector(model.parameters())
    assert vector.dtype == np.float64
    vector_to_parameters(2 * vector, model.parameters())
    np.testing.assert_array_equal(parameters_to_vector(model.parameters()), 2 * vector)
    optimizer.step()  # raises if the parameters had left the optimizer's array


def test_vectors_that_do_not_fit():
    model = network()
    with pytest.raises(ValueError, match=r"vector must have shape \(51,\), got \(50,\)"):
        vector_to_parameters(np.zeros(50), model.parameters())
    with pytest.raises(ValueError, match="parameters is empty"):
        parameters_to_vector(ReLU().parameters())


# The loss of a network


@pytest.mark.parametrize(
    ("kind", "batch_statistics"),
    [("relu", False), ("tanh", False), ("norm", False), ("norm", True)],
)
def test_value_and_gradient_equal_torch(kind, batch_statistics):
    torch, loss = torch_loss(kind, batch_statistics)
    objective, w = objective_and_point(kind, batch_statistics=batch_statistics)
    for point in (w, 2 * w):
        theirs = torch.from_numpy(point.copy()).requires_grad_()
        expected = loss(theirs)
        expected.backward()
        value, gradient = objective(point)
        assert value == pytest.approx(expected.item(), rel=1e-12)
        assert objective.value(point) == value
        np.testing.assert_allclose(gradient, theirs.grad, atol=1e-12)


def test_gradient_equals_numerical_derivatives():
    objective, w = objective_and_point("norm", batch_statistics=True)
    gradient = objective(w)[1]
    numerical = numerical_gradient(lambda: objective.value(w), w)
    np.testing.assert_allclose(gradient, numerical, atol=1e-8)


def test_float32_networks_are_evaluated_in_float64():
    model = network(dtype=np.float32)
    objective = NetworkLoss(model, CrossEntropyLoss(), X.astype(np.float32), Y)
    value, gradient = objective(parameters_to_vector(model.parameters()))
    assert gradient.dtype == np.float64
    rounded = X.astype(np.float32).astype(np.float64)
    expected = evaluate(model.to(np.float64), CrossEntropyLoss(), rounded, Y)
    assert value == expected["loss"]


def test_the_network_never_changes():
    model = network("norm").train()
    model[2].eval()  # a mode of its own
    for parameter in model.parameters():
        parameter.grad += 1
    before = model.state_dict()
    objective = NetworkLoss(model, CrossEntropyLoss(), X, Y, batch_statistics=True)
    w = parameters_to_vector(model.parameters())
    objective(w + 1)
    top_eigenvalue(objective, w + 1, max_iter=300, tol=0.1, random_state=0)
    broken = NetworkLoss(model, CrossEntropyLoss(), X, Y + 1)
    with pytest.raises(ValueError, match="labels must be in"):
        broken(w + 1)
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[name], err_msg=name)
    assert all((parameter.grad == 1).all() for parameter in model.parameters())
    assert [layer.training for layer in model] == [True, True, False, True, True]


def test_training_on_does_not_change_the_function():
    model = network("norm")
    objective = NetworkLoss(model, CrossEntropyLoss(), X, Y)
    w = parameters_to_vector(model.parameters())
    before = objective.value(w)
    fit(model, CrossEntropyLoss(), SGD(model.parameters(), lr=0.5), X, Y, epochs=2, random_state=0)
    assert objective.value(w) == before
    assert objective.value(parameters_to_vector(model.parameters())) < before


def test_subsets_average_to_the_whole():
    objective, w = objective_and_point()
    parts = [objective.subset(slice(0, 10)), objective.subset(np.arange(10, 30))]
    assert [len(part) for part in parts] == [10, 20]
    average = np.average([part.value(w) for part in parts], weights=[10, 20])
    assert objective.value(w) == pytest.approx(average, rel=1e-12)
    with pytest.raises(ValueError, match="indices must select at least one"):
        objective.subset([])


def test_bad_data():
    with pytest.raises(ValueError, match="equally many samples, at least one, got 30 and 29"):
        NetworkLoss(network(), CrossEntropyLoss(), X, Y[:-1])
    with pytest.raises(ValueError, match=r"vector must have shape \(51,\)"):
        objective_and_point()[0](np.zeros(3))


# Gradient noise


@pytest.mark.parametrize("kind", ["relu", "norm"])
def test_per_sample_gradients_equal_torch(kind):
    objective, w = objective_and_point(kind)
    gradients = per_sample_gradients(objective, w)
    for i in range(len(X)):
        torch, loss = torch_loss(kind, X=X[i : i + 1], Y=Y[i : i + 1])
        theirs = torch.from_numpy(w.copy()).requires_grad_()
        loss(theirs).backward()
        np.testing.assert_allclose(gradients[i], theirs.grad, atol=1e-12)
    np.testing.assert_allclose(gradients.mean(axis=0), objective(w)[1], atol=1e-12)


def test_per_sample_gradients_need_samples_with_a_loss_of_their_own():
    model = network("norm")
    w = parameters_to_vector(model.parameters())
    with pytest.raises(ValueError, match="batch_statistics must be False"):
        per_sample_gradients(NetworkLoss(model, CrossEntropyLoss(), X, Y, batch_statistics=True), w)
    for criterion in (CrossEntropyLoss(reduction="sum"), CrossEntropyLoss([1.0, 2.0, 5.0])):
        with pytest.raises(ValueError, match="plain average"):
            per_sample_gradients(NetworkLoss(model, criterion, X, Y), w)
    with pytest.raises(TypeError, match="must be a NetworkLoss, got function"):
        per_sample_gradients(quadratic(np.eye(2)), [0.0, 0.0])


def test_linear_regression_has_the_gradients_of_the_formula():
    model = Linear(4, 1, bias=False, random_state=0)
    target = RNG(2).standard_normal((30, 1))
    w = parameters_to_vector(model.parameters())
    gradients = per_sample_gradients(NetworkLoss(model, MSELoss(), X, target), w)
    np.testing.assert_allclose(gradients, 2 * (X @ w - target[:, 0])[:, None] * X, atol=1e-12)


def test_covariance_equals_numpys():
    gradients = RNG(0).standard_normal((20, 5))
    covariance = gradient_covariance(gradients)
    np.testing.assert_allclose(covariance, np.cov(gradients.T, bias=True), atol=1e-14)
    assert minibatch_variance(gradients) == pytest.approx(np.trace(covariance))


@pytest.mark.parametrize("batch_size", [1, 2, 3, 5])
@pytest.mark.parametrize("replace", [True, False])
def test_noise_of_all_possible_batches(batch_size, replace):
    gradients = RNG(0).standard_normal((5, 3)) + 1
    if replace:
        batches = itertools.product(range(5), repeat=batch_size)
    else:
        batches = itertools.combinations(range(5), batch_size)
    means = np.array([gradients[list(batch)].mean(axis=0) for batch in batches])
    mean = gradients.mean(axis=0)
    np.testing.assert_allclose(means.mean(axis=0), mean, atol=1e-12)  # unbiased
    expected = ((means - mean) ** 2).sum(axis=1).mean()
    predicted = minibatch_variance(gradients, batch_size, replace=replace)
    assert predicted == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("replace", [True, False])
def test_drawn_batches_have_the_predicted_noise(replace):
    gradients = RNG(0).standard_normal((40, 6)) + 1
    draws = minibatch_gradients(gradients, 10, 4000, replace=replace, random_state=0)
    mean = gradients.mean(axis=0)
    distances = ((draws - mean) ** 2).sum(axis=1)
    error = distances.std() / np.sqrt(len(draws))
    assert abs(distances.mean() - minibatch_variance(gradients, 10, replace=replace)) < 4 * error
    assert (np.abs(draws.mean(axis=0) - mean) < 5 * draws.std(axis=0) / np.sqrt(4000)).all()


def test_a_drawn_batch_is_a_mean_of_rows():
    gradients = 10.0 ** np.arange(6)[:, None]  # the digits of a sum show which rows are in it
    for replace, most in ((False, 1), (True, 3)):
        sums = 3 * minibatch_gradients(gradients, 3, 200, replace=replace, random_state=1)
        digits = np.array([[int(d) for d in f"{round(s):06d}"] for s in sums.ravel()])
        assert (digits.sum(axis=1) == 3).all()
        assert digits.max() == most
    full = minibatch_gradients(gradients, 6, 2, replace=False, random_state=0)
    np.testing.assert_allclose(full, gradients.mean(axis=0)[None].repeat(2, axis=0))


def test_noise_scale_is_the_batch_whose_noise_equals_its_signal():
    gradients = RNG(0).standard_normal((50, 4)) + np.eye(4)[0]
    scale = noise_scale(gradients)
    mean = gradients.mean(axis=0)
    assert minibatch_variance(gradients) / scale == pytest.approx(mean @ mean)
    assert noise_scale(10 * gradients) == pytest.approx(scale)
    assert noise_scale([[1.0], [-1.0]]) == np.inf


def test_bad_gradients():
    with pytest.raises(ValueError, match=r"matrix with one gradient a row, got shape \(3,\)"):
        noise_scale([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="at most the 2 samples without replacement, got 3"):
        minibatch_variance([[1.0], [2.0]], 3, replace=False)
    with pytest.raises(ValueError, match="batch_size must be at least 1, got 0"):
        minibatch_gradients([[1.0], [2.0]], 0, 5)
    with pytest.raises(ValueError, match="n_draws must be at least 1"):
        minibatch_gradients([[1.0], [2.0]], 1, 0)


# Curvature


def test_products_with_the_hessian_of_a_quadratic():
    H, _ = symmetric([-3.0, 0.5, 2.0, 10.0])
    w, v = RNG(1).standard_normal((2, 4))
    np.testing.assert_allclose(hessian_vector_product(quadratic(H), w, v), H @ v, atol=1e-8)
    assert not hessian_vector_product(quadratic(H), w, np.zeros(4)).any()


@pytest.mark.parametrize(
    ("kind", "batch_statistics"),
    [("relu", False), ("tanh", False), ("norm", False), ("norm", True)],
)
def test_products_equal_torch(kind, batch_statistics):
    torch, loss = torch_loss(kind, batch_statistics)
    objective, w = objective_and_point(kind, batch_statistics=batch_statistics)
    for v in RNG(1).standard_normal((3, w.size)):
        _, expected = torch.autograd.functional.hvp(loss, torch.from_numpy(w), torch.from_numpy(v))
        np.testing.assert_allclose(hessian_vector_product(objective, w, v), expected, atol=1e-7)


def test_the_step_does_not_depend_on_the_length_of_the_vector():
    objective, w = objective_and_point("tanh")
    v = RNG(1).standard_normal(w.size)
    product = hessian_vector_product(objective, w, v)
    for factor in (1e-8, 1e8):
        scaled = hessian_vector_product(objective, w, factor * v)
        np.testing.assert_allclose(scaled, factor * product, rtol=1e-6, atol=1e-9 * factor)
    coarse = hessian_vector_product(objective, w, v, step=1.0)
    assert np.abs(coarse - product).max() > 1e-4  # where the formula's error is not hidden


def test_gates_that_switch_within_the_step_do_not_matter():
    objective, w = objective_and_point("relu")
    hidden = X[0] @ w[:4] + w[24]
    w[24] -= hidden - 1e-7  # the first unit is almost closed for the first sample
    v = np.zeros_like(w)
    v[24] = 1.0
    expected = torch_hessian("relu", w) @ v
    np.testing.assert_allclose(hessian_vector_product(objective, w, v), expected, atol=1e-7)
    r = 1e-5
    naive = (objective(w + r * v)[1] - objective(w - r * v)[1]) / (2 * r)
    assert np.abs(naive - expected).max() > 10  # what the kink adds


def test_fixed_gates_change_nothing_nearby():
    objective, w = objective_and_point("norm")
    smooth = objective.with_fixed_gates(w)
    near = w + 1e-9 * RNG(0).standard_normal(w.size)
    assert smooth.value(near) == objective.value(near)
    np.testing.assert_array_equal(smooth(near)[1], objective(near)[1])
    assert smooth.value(-w) != objective.value(-w)  # far away gates would have switched


@pytest.mark.parametrize("which", ["LA", "LM"])
@pytest.mark.parametrize("eigenvalues", [[0.5, 1.0, 4.0], [-9.0, 1.0, 4.0], [-3.0, -2.0, -1.0]])
def test_top_eigenvalue_of_a_quadratic(which, eigenvalues):
    H, Q = symmetric(eigenvalues)
    pair = top_eigenvalue(quadratic(H), np.ones(3), which=which, tol=1e-6, random_state=0)
    best = int(np.argmax(eigenvalues if which == "LA" else np.abs(eigenvalues)))
    assert pair.value == pytest.approx(eigenvalues[best], rel=1e-6)
    assert abs(pair.vector @ Q[:, best]) == pytest.approx(1, abs=1e-6)
    assert pair.residual <= 1e-6 * abs(pair.value)


@pytest.mark.parametrize("kind", ["relu", "tanh", "norm"])
def test_top_eigenvalue_and_trace_equal_torch(kind):
    objective, w = objective_and_point(kind)
    H = torch_hessian(kind, w)
    pair = top_eigenvalue(objective, w, tol=1e-4, random_state=0)
    assert pair.value == pytest.approx(np.linalg.eigvalsh(H)[-1], rel=1e-4)
    np.testing.assert_allclose(H @ pair.vector, pair.value * pair.vector, atol=2e-4 * pair.value)
    value, error = hessian_trace(objective, w, n_draws=100, random_state=0)
    assert abs(value - np.trace(H)) < 4 * error
    assert error < 0.2 * abs(np.trace(H))


def test_top_eigenvalue_equals_scipys():
    objective, w = objective_and_point("tanh")
    operator = LinearOperator(
        (w.size, w.size), matvec=lambda v: hessian_vector_product(objective, w, v.ravel())
    )
    largest = eigsh(operator, k=1, which="LA", return_eigenvectors=False, v0=np.ones(w.size))[0]
    assert top_eigenvalue(objective, w, random_state=0).value == pytest.approx(largest, rel=1e-3)


def test_top_eigenvalue_says_when_it_did_not_converge():
    H = np.diag([1.0, 0.999, 0.5])
    with pytest.warns(ConvergenceWarning, match="max_iter=3 products"):
        pair = top_eigenvalue(quadratic(H), np.zeros(3), tol=1e-6, max_iter=3, random_state=0)
    assert pair.n_iter == 3
    eigenvalues = np.diag(H)
    assert np.abs(eigenvalues - pair.value).min() <= pair.residual + 1e-9
    assert pair.value == pytest.approx(pair.vector @ H @ pair.vector, abs=1e-9)


def test_number_of_products_counts_both_iterations():
    calls = []
    f = quadratic(np.diag([-5.0, 2.0, 1.0]))
    pair = top_eigenvalue(lambda w: calls.append(w) or f(w), np.zeros(3), random_state=0)
    assert 2 * pair.n_iter == len(calls)


def test_a_plane_has_no_curvature():
    pair = top_eigenvalue(lambda w: (w.sum(), np.ones_like(w)), np.ones(3), random_state=0)
    assert (pair.value, pair.n_iter) == (0.0, 1)


def test_trace_of_a_quadratic():
    H, _ = symmetric([-1.0, 2.0, 3.0, 5.0])
    value, error = hessian_trace(quadratic(H), np.zeros(4), n_draws=400, random_state=0)
    off_diagonal = (H**2).sum() - (np.diag(H) ** 2).sum()
    assert error == pytest.approx(np.sqrt(2 * off_diagonal / 400), rel=0.1)
    assert abs(value - 9) < 4 * error
    assert np.isnan(hessian_trace(quadratic(H), np.zeros(4), n_draws=1).standard_error)


def test_standard_error_of_two_draws():
    H = np.array([[1.0, 1.0], [1.0, 3.0]])  # each draw is 4 + 2 or 4 - 2
    estimates = {
        tuple(np.round(hessian_trace(quadratic(H), np.zeros(2), n_draws=2, random_state=seed), 6))
        for seed in range(20)
    }
    assert estimates == {(6.0, 0.0), (4.0, 2.0), (2.0, 0.0)}


def test_bad_arguments_of_curvature():
    H = np.eye(2)
    with pytest.raises(ValueError, match="which must be 'LA' or 'LM', got 'SA'"):
        top_eigenvalue(quadratic(H), np.zeros(2), which="SA")
    with pytest.raises(ValueError, match=r"v must have the shape \(2,\) of w, got \(3,\)"):
        hessian_vector_product(quadratic(H), np.zeros(2), np.zeros(3))
    with pytest.raises(ValueError, match=r"w must be a vector, got shape \(2, 2\)"):
        hessian_vector_product(quadratic(H), H, H)
    with pytest.raises(ValueError, match="w must be finite"):
        hessian_trace(quadratic(H), [np.nan, 0.0])
    with pytest.raises(TypeError, match=r"objective must be a function .* got ndarray"):
        top_eigenvalue(H, np.zeros(2))
    with pytest.raises(ValueError, match="step must lie in"):
        hessian_vector_product(quadratic(H), np.zeros(2), np.ones(2), step=0.0)


# Sharpness


def test_sam_on_a_quadratic():
    H, Q = symmetric([0.5, 1.0, 4.0])
    w = Q[:, 2] * 3  # along the steepest eigenvector: from 3 to 3.1 with curvature 4
    assert sam_sharpness(quadratic(H), w, 0.1) == pytest.approx(2 * (3.1**2 - 3**2))
    other = RNG(0).standard_normal(3)
    rise = sam_sharpness(quadratic(H), other, 0.1)
    on_sphere = RNG(1).standard_normal((20000, 3))
    on_sphere *= 0.1 / np.linalg.norm(on_sphere, axis=1, keepdims=True)
    rises = [quadratic(H)(other + e)[0] for e in on_sphere[:2000]]
    best = max(rises) - quadratic(H)(other)[0]
    assert 0.95 * best < rise < 1.01 * best  # near the maximum over the ball


@pytest.mark.parametrize("adaptive", [False, True])
def test_sam_equals_torch(adaptive):
    torch, loss = torch_loss()
    objective, w = objective_and_point()
    theirs = torch.from_numpy(w.copy()).requires_grad_()
    value = loss(theirs)
    (gradient,) = torch.autograd.grad(value, theirs)
    size = theirs.detach().abs() if adaptive else torch.ones_like(theirs)
    step = 0.3 * size**2 * gradient / (size * gradient).norm()
    assert (step / size).norm().item() == pytest.approx(0.3)  # on the border of the ball
    expected = (loss(theirs + step) - value).item()
    assert sam_sharpness(objective, w, 0.3, adaptive=adaptive) == pytest.approx(expected, rel=1e-10)


def test_sam_needs_a_gradient():
    with pytest.raises(ValueError, match="gradient is zero at w"):
        sam_sharpness(quadratic(np.eye(2)), np.zeros(2), 0.1)
    with pytest.raises(ValueError, match="rho must lie in"):
        sam_sharpness(quadratic(np.eye(2)), np.ones(2), 0.0)


def test_expected_sharpness_of_a_quadratic():
    H, _ = symmetric([0.5, 1.0, 4.0])
    w = np.array([1.0, 2.0, -3.0])
    value, error = expected_sharpness(quadratic(H), w, 0.1, n_draws=2000, random_state=0)
    assert abs(value - 0.01 * 5.5 / 2) < 4 * error
    # The variance of z'Hz/2 is tr(H^2)/2: the gradient, which is much larger, is not in it.
    assert error == pytest.approx(0.01 * np.sqrt((H**2).sum() / 2 / 2000), rel=0.1)
    value, error = expected_sharpness(
        quadratic(H), w, 0.1, adaptive=True, n_draws=2000, random_state=0
    )
    assert abs(value - 0.01 * (np.diag(H) * w**2).sum() / 2) < 4 * error
    with pytest.raises(ValueError, match="sigma must lie in"):
        expected_sharpness(quadratic(H), w, -1.0)


def test_small_expected_sharpness_is_half_the_trace():
    objective, w = objective_and_point("tanh")
    trace = np.trace(torch_hessian("tanh", w))
    value, error = expected_sharpness(objective, w, 1e-3, n_draws=400, random_state=0)
    assert abs(value - 1e-6 * trace / 2) < 4 * error


# Slices


def test_filters_move_in_proportion_to_their_length():
    rng = RNG(0)
    model = Sequential(
        Conv2d(2, 3, 3, random_state=rng), BatchNorm1d(3), Linear(5, 4, random_state=rng)
    )
    vector = filter_normalized_direction(model, random_state=1)
    lengths = parameters_to_vector(model.parameters())
    vector_to_parameters(vector, model.parameters())
    directions = [parameter.data.copy() for parameter in model.parameters()]
    vector_to_parameters(lengths, model.parameters())
    for direction, parameter in zip(directions, model.parameters(), strict=True):
        if parameter.data.ndim == 1:
            assert not direction.any()
            continue
        axes = tuple(range(1, parameter.data.ndim))
        np.testing.assert_allclose(
            (direction**2).sum(axis=axes), (parameter.data**2).sum(axis=axes), rtol=1e-12
        )
    other = filter_normalized_direction(model, random_state=2)
    cosine = vector @ other / (vector @ vector)
    assert 0 < abs(cosine) < 0.5
    with pytest.raises(ValueError, match="model must have parameters"):
        filter_normalized_direction(ReLU())


def test_slices_and_surfaces_of_a_quadratic():
    H, Q = symmetric([1.0, 2.0, 8.0])
    w = Q @ [1.0, 0.0, 0.0]
    steps = np.linspace(-2, 2, 5)
    np.testing.assert_allclose(
        loss_slice(quadratic(H), w, Q[:, 2], steps), 0.5 + 4 * steps**2, atol=1e-12
    )
    surface = loss_surface(quadratic(H), w, Q[:, 1], Q[:, 2], steps, steps[:2])
    assert surface.shape == (2, 5)
    alpha, beta = np.meshgrid(steps, steps[:2])  # the layout that plt.contour takes
    np.testing.assert_allclose(surface, 0.5 + alpha**2 + 4 * beta**2, atol=1e-12)


def test_along_the_gradient_of_a_quadratic():
    """With L(w) = w² the walk is L(w - t 2w) = (1 - 2t)² w²."""
    steps = np.array([0.1, 0.5, 2.0])
    losses, changes = along_gradient(quadratic(np.array([[2.0]])), [0.7], steps)
    np.testing.assert_allclose(losses, (1 - 2 * steps) ** 2 * 0.7**2)
    np.testing.assert_allclose(changes, 2 * steps, rtol=1e-12)
    with pytest.raises(ValueError, match="no direction"):
        along_gradient(quadratic(np.eye(2)), [0.0, 0.0], steps)


def test_bad_directions():
    f = quadratic(np.eye(2))
    with pytest.raises(ValueError, match=r"direction must have the shape \(2,\) of w, got \(3,\)"):
        loss_slice(f, [0.0, 0.0], [0.0, 0.0, 0.0], [0.0])
    for name, first, second in (("direction_1", [1.0], [1.0, 0]), ("direction_2", [1.0, 0], [1.0])):
        with pytest.raises(ValueError, match=f"{name} must have the shape"):
            loss_surface(f, [0.0, 0.0], first, second, [0.0], [0.0])
    with pytest.raises(ValueError, match="steps must be a vector"):
        loss_slice(f, [0.0, 0.0], [1.0, 0.0], [])


def test_a_run_within_a_plane_is_shown_completely():
    frame, _ = np.linalg.qr(RNG(0).standard_normal((20, 2)))
    angles = np.linspace(0, 6, 40)
    spiral = np.column_stack([3 * angles * np.cos(angles), angles * np.sin(angles)])
    vectors = 5 + spiral @ frame.T
    plane = trajectory_plane(vectors)
    np.testing.assert_allclose(
        vectors[-1] + plane.coordinates @ plane.directions, vectors, atol=1e-12
    )
    np.testing.assert_allclose(plane.directions @ plane.directions.T, np.eye(2), atol=1e-12)
    np.testing.assert_allclose(plane.coordinates[-1], 0, atol=1e-12)
    assert plane.explained.sum() == pytest.approx(1)


def test_principal_directions_are_scikit_learns():
    vectors = RNG(0).standard_normal((15, 6)) * [5, 3, 1, 1, 1, 1]
    plane = trajectory_plane(vectors)
    scores = PCA(n_components=2).fit_transform(vectors)
    np.testing.assert_allclose(plane.coordinates, scores - scores[-1], atol=1e-10)
    singular = np.linalg.svd(vectors - vectors.mean(axis=0), compute_uv=False)
    np.testing.assert_allclose(plane.explained, (singular**2 / (singular**2).sum())[:2])


def test_a_random_walk_seems_to_have_a_plane():
    walk = RNG(0).standard_normal((300, 3000)).cumsum(axis=0)
    explained = trajectory_plane(walk).explained
    np.testing.assert_allclose(explained, [6 / np.pi**2, 6 / np.pi**2 / 4], rtol=0.05)
    with pytest.raises(ValueError, match="at least three points"):
        trajectory_plane(walk[:2])


def test_recorder_keeps_the_parameters_of_a_run():
    model = network()
    start = parameters_to_vector(model.parameters())
    recorder = TrajectoryRecorder(every=2)
    optimizer = SGD(model.parameters(), lr=0.1)
    for _ in range(2):  # the second training replaces the record of the first
        fit(
            model, CrossEntropyLoss(), optimizer, X, Y,
            epochs=2, batch_size=10, callbacks=[recorder], random_state=0,
        )  # fmt: skip
        assert recorder.steps == [0, 2, 4, 6]
        np.testing.assert_array_equal(recorder.vectors[0], start)
        start = parameters_to_vector(model.parameters())
        np.testing.assert_array_equal(recorder.vectors[-1], start)
    with pytest.raises(ValueError, match="every must be at least 1"):
        TrajectoryRecorder(0)


# Reparametrization


def images_network():
    rng = RNG(0)
    return Sequential(
        Conv2d(1, 3, 3, random_state=rng),
        ReLU(),
        MaxPool2d(2),
        Flatten(),
        Dropout(0.5, random_state=rng),
        Linear(12, 5, random_state=rng),
        ReLU(),
        Linear(5, 3, random_state=rng),
    ).eval()


@pytest.mark.parametrize("factor", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("position", [0, 5])
def test_rescaled_networks_compute_the_same(position, factor):
    model = images_network()
    before = model.state_dict()
    x = RNG(1).standard_normal((7, 1, 6, 6))
    rescaled = rescale_layers(model, position, factor)
    np.testing.assert_allclose(rescaled(x), model(x), rtol=1e-10)
    first = rescaled[position].weight.data
    np.testing.assert_allclose(first, factor * before[f"{position}.weight"])
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


def test_rescaling_changes_the_hessian_by_the_squared_factor():
    model, factor = network(), 10.0
    rescaled = rescale_layers(model, 0, factor)
    v = RNG(0).standard_normal(51)
    scale = np.repeat([1 / factor, factor, 1.0], [30, 18, 3])  # of the derivatives
    products = []
    for net, vector, out in ((model, scale * v, scale), (rescaled, v, 1.0)):
        w = parameters_to_vector(net.parameters())
        objective = NetworkLoss(net, CrossEntropyLoss(), X, Y)
        products.append(out * hessian_vector_product(objective, w, vector))
    np.testing.assert_allclose(products[1], products[0], rtol=1e-5, atol=1e-6)


def test_only_the_measures_that_know_the_scale_survive_it():
    model = network()
    values = []
    for net in (model, rescale_layers(model, 0, 20.0)):
        w = parameters_to_vector(net.parameters())
        f = NetworkLoss(net, CrossEntropyLoss(), X, Y)
        direction = filter_normalized_direction(net, random_state=0)
        values.append(
            {
                "invariant": [
                    f.value(w),
                    sam_sharpness(f, w, 0.1, adaptive=True),
                    expected_sharpness(f, w, 0.1, adaptive=True, random_state=0).value,
                    *loss_slice(f, w, direction, [-1.0, 1.0]),
                ],
                "not": [
                    sam_sharpness(f, w, 0.1),
                    expected_sharpness(f, w, 0.01, random_state=0).value,
                    top_eigenvalue(f, w, random_state=0).value,
                ],
            }
        )
    before, after = values
    np.testing.assert_allclose(after["invariant"], before["invariant"], rtol=1e-9)
    assert (np.array(after["not"]) > 5 * np.array(before["not"])).all()


def test_layers_that_cannot_be_rescaled():
    with pytest.raises(ValueError, match="scale does not pass through BatchNorm1d"):
        rescale_layers(network("norm"), 0, 2.0)
    with pytest.raises(ValueError, match="scale does not pass through Tanh"):
        rescale_layers(network("tanh"), 0, 2.0)
    with pytest.raises(ValueError, match="position 1 must be Linear or Conv2d, got ReLU"):
        rescale_layers(network(), 1, 2.0)
    with pytest.raises(ValueError, match="must not be that of the last"):
        rescale_layers(network(), 2, 2.0)
    with pytest.raises(ValueError, match="position must be below the 3 layers, got 3"):
        rescale_layers(network(), 3, 2.0)
    with pytest.raises(ValueError, match="factor must lie in"):
        rescale_layers(network(), 0, 0.0)

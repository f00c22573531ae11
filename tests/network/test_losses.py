"""Losses: equal to PyTorch in value and gradient, and to numerical derivatives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, log_softmax

from lessons_lib.network import BCEWithLogitsLoss, CrossEntropyLoss, Loss, MSELoss, gradient_check

from ..rounding import assert_close


def compare_with_torch(ours, theirs, prediction, target, condition=None):
    torch = pytest.importorskip("torch")
    dtype = prediction.dtype.type
    their_prediction = torch.from_numpy(prediction.copy()).requires_grad_()
    their_loss = theirs(their_prediction, torch.from_numpy(target))
    their_loss.backward()
    loss = ours(prediction, target)
    assert isinstance(loss, float)
    # An exponential turns the rounding of its exponent into a relative error.
    condition = condition or max(1.0, float(np.abs(prediction).max()))
    rounded = {"terms": prediction.size, "condition": condition, "dtype": dtype}
    assert_close(loss, their_loss.item(), **rounded)
    grad = ours.backward()
    assert grad.dtype == dtype
    assert_close(grad, their_prediction.grad, **rounded)


def cross_entropy_cases():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 5, 12)
    labels[:5] = range(5)
    probabilities = rng.dirichlet(np.ones(5), 12)
    weight = np.array([0.5, 2.0, 1.0, 0.0, 3.0])
    for target in (labels, probabilities):
        for options in (
            {},
            {"label_smoothing": 0.1},
            {"weight": weight},
            {"weight": weight, "label_smoothing": 0.3},
            {"reduction": "sum", "label_smoothing": 0.2},
            {"label_smoothing": 1.0},
        ):
            kind = "labels" if target is labels else "probabilities"
            yield pytest.param(target, options, id=f"{kind}-{'-'.join(options)}")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("target", "options"), list(cross_entropy_cases()))
def test_cross_entropy_equals_torch(target, options, dtype):
    torch = pytest.importorskip("torch")
    prediction = (3 * np.random.default_rng(1).standard_normal((12, 5))).astype(dtype)
    target = target.astype(dtype) if target.ndim == 2 else target
    theirs = dict(options)
    if "weight" in options:
        theirs["weight"] = torch.from_numpy(options["weight"].astype(dtype))
    ours = CrossEntropyLoss(**options)
    compare_with_torch(ours, torch.nn.CrossEntropyLoss(**theirs), prediction, target)


@pytest.mark.parametrize(("target", "options"), list(cross_entropy_cases()))
def test_cross_entropy_gradient(target, options):
    prediction = np.random.default_rng(1).standard_normal((12, 5))
    assert gradient_check(CrossEntropyLoss(**options), prediction, target)["x"] < 1e-8


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("pos_weight", [None, 3.0, [0.5, 1.0, 2.0]])
def test_binary_cross_entropy_equals_torch(pos_weight, reduction, dtype):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    prediction = rng.standard_normal((8, 3)).astype(dtype)
    target = rng.uniform(0, 1, (8, 3)).round(1).astype(dtype)
    theirs = torch.nn.BCEWithLogitsLoss(
        reduction=reduction,
        pos_weight=None if pos_weight is None else torch.tensor(pos_weight, dtype=torch.float64),
    ).to(torch.float32 if dtype == np.float32 else torch.float64)
    ours = BCEWithLogitsLoss(reduction=reduction, pos_weight=pos_weight)
    compare_with_torch(ours, theirs, prediction, target)
    if dtype == np.float64:
        assert gradient_check(ours, prediction, target)["x"] < 1e-8


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_mean_squared_error_equals_torch(reduction, dtype):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    prediction, target = rng.standard_normal((2, 6, 2)).astype(dtype)
    ours = MSELoss(reduction=reduction)
    compare_with_torch(ours, torch.nn.MSELoss(reduction=reduction), prediction, target)
    if dtype == np.float64:
        assert gradient_check(ours, prediction, target)["x"] < 1e-8


def test_no_loss_overflows():
    prediction = np.array([[1e4, -1e4]])
    cross_entropy = CrossEntropyLoss()
    assert cross_entropy(prediction, np.array([1])) == 2e4
    np.testing.assert_array_equal(cross_entropy.backward(), [[1, -1]])
    binary = BCEWithLogitsLoss(reduction="sum")
    assert binary(prediction, np.array([[0.0, 1.0]])) == 2e4
    np.testing.assert_array_equal(binary.backward(), [[1, -1]])
    assert binary(prediction, np.array([[1.0, 0.0]])) == 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("logits", "label"),
    [
        ([1.0, 2.0, -np.inf], 0),  # a masked class
        ([1.0, 2.0, -np.inf], 2),  # a masked class that is asked for: infinite
        ([3e38, -3e38], 0),  # the difference is beyond float32
        ([3e38, -3e38, 0.0], 2),
        ([-np.inf, 0.0, -np.inf], 1),
    ],
)
def test_extreme_logits_equal_torch(logits, label, dtype):
    torch = pytest.importorskip("torch")
    prediction, target = np.array([logits], dtype), np.array([label])
    # All exponentials are 0 or of small numbers.
    compare_with_torch(CrossEntropyLoss(), torch.nn.CrossEntropyLoss(), prediction, target, 2.0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("soft", [False, True])
def test_a_masked_class_without_weight_is_as_good_as_absent(dtype, smoothing, soft):
    # PyTorch's loss is NaN with probabilities or a weight of 0; what must come out is the loss of
    # the classes that are left, for which the probabilities are the same.
    rng = np.random.default_rng(0)
    z = rng.standard_normal((5, 3)).astype(dtype)
    masked = np.column_stack([z, np.full(5, -np.inf, dtype)])
    labels = rng.integers(0, 3, 5)
    q = (1 - smoothing) * np.eye(3)[labels] + smoothing / 4
    target = np.eye(4, dtype=dtype)[labels] if soft else labels
    loss = CrossEntropyLoss([1, 1, 1, 0], label_smoothing=smoothing)
    expected = -np.sum(q * log_softmax(z.astype(float), axis=1)) / 5
    assert loss(masked, target) == pytest.approx(expected, rel=1e-6)
    grad = np.exp(log_softmax(z, axis=1)) * q.sum(axis=1, keepdims=True) - q
    np.testing.assert_allclose(loss.backward()[:, :3], grad / 5, atol=1e-6)
    assert np.all(loss.backward()[:, 3] == 0)


EXTREME = st.floats(-1e150, 1e150) | st.sampled_from([np.inf, -np.inf])


@settings(deadline=None)
@given(st.lists(st.tuples(EXTREME, st.sampled_from([0.0, 0.25, 1.0])), min_size=1, max_size=6))
def test_binary_cross_entropy_of_extreme_logits(pairs):
    z, y = np.array(pairs).T
    terms = [
        0.0 if y_i == 1 and z_i > 700 else y_i * np.logaddexp(0, -z_i) if y_i else 0.0
        for z_i, y_i in pairs
    ]
    terms += [(1 - y_i) * np.logaddexp(0, z_i) if y_i < 1 else 0.0 for z_i, y_i in pairs]
    loss = BCEWithLogitsLoss(reduction="sum")
    assert loss(z, y) == pytest.approx(sum(terms), rel=1e-12)
    np.testing.assert_allclose(loss.backward(), expit(z) - y, atol=1e-12)


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize(
    ("loss", "target"),
    [
        (CrossEntropyLoss(), [0, 0]),
        (CrossEntropyLoss([1, 0]), [0, 1]),
        (CrossEntropyLoss(), np.eye(2)),
        (BCEWithLogitsLoss(), np.eye(2)),
        (BCEWithLogitsLoss(), 1 - np.eye(2)),
        (MSELoss(), np.eye(2)),
    ],
)
def test_no_loss_hides_nan(loss, target):
    prediction = np.array([[0.0, 1.0], [1.0, np.nan]])
    assert np.isnan(loss(prediction, np.asarray(target)))
    assert np.isnan(loss.backward()[1, 1])


PREDICTION = np.zeros((4, 3))


@pytest.mark.parametrize(
    ("loss", "target", "error", "message"),
    [
        (CrossEntropyLoss(), [0, 1, 2, 3], ValueError, r"labels must be in 0\.\.2, .* 0 to 3"),
        (CrossEntropyLoss(), [0, 1, -1, 0], ValueError, r"labels must be in 0\.\.2, .* -1 to 1"),
        (CrossEntropyLoss(), [0, 1, 2], ValueError, r"target must have shape \(4,\) for labels"),
        (CrossEntropyLoss(), [0.0, 1, 2, 1], TypeError, "labels must be integers, got float64"),
        (CrossEntropyLoss(), np.ones((4, 3)), ValueError, "sum to 1"),
        (CrossEntropyLoss([1, 2]), [0, 1, 2, 0], ValueError, "weight has 2 classes, .* 3"),
        (MSELoss(), np.zeros(4), ValueError, r"MSELoss: target must have .* \(4, 3\), got \(4,\)"),
        (BCEWithLogitsLoss(), np.full((4, 3), 2), ValueError, r"targets must be in \[0, 1\]"),
        (BCEWithLogitsLoss(), np.full((4, 3), np.nan), ValueError, r"targets must be in \[0, 1\]"),
        (BCEWithLogitsLoss(), np.zeros(3), ValueError, "BCEWithLogitsLoss: target must have"),
        (
            BCEWithLogitsLoss(pos_weight=np.ones((2, 1, 1))),
            np.zeros((4, 3)),
            ValueError,
            r"pos_weight must be a number or fit the last axes .*, got shape \(2, 1, 1\)",
        ),
        (CrossEntropyLoss([0, 1, 1]), [0, 0, 0, 0], ValueError, "classes with weight 0"),
    ],
)
def test_bad_targets(loss, target, error, message):
    with pytest.raises(error, match=message):
        loss(PREDICTION, np.asarray(target))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MSELoss(reduction="none"), "reduction must be 'mean' or 'sum'"),
        (lambda: CrossEntropyLoss(label_smoothing=1.5), r"label_smoothing must be in \[0, 1\]"),
        (lambda: CrossEntropyLoss([1.0, -1.0]), "weight must be one finite number of at least 0"),
        (lambda: CrossEntropyLoss([1.0, np.inf]), "weight must be one finite number"),
        (lambda: BCEWithLogitsLoss(pos_weight=0), "pos_weight must be above 0"),
        (lambda: BCEWithLogitsLoss(pos_weight=np.inf), "pos_weight must be above 0 and finite"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("loss", [MSELoss(), CrossEntropyLoss(), BCEWithLogitsLoss()])
def test_bad_predictions(loss):
    with pytest.raises(RuntimeError, match="backward was called before forward"):
        loss.backward()
    with pytest.raises(ValueError, match="x is empty"):
        loss(np.zeros((0, 3)), np.zeros((0, 3)))
    with pytest.raises(TypeError, match="x must be float32 or float64"):
        loss(np.zeros((2, 3), int), np.zeros((2, 3)))


def test_a_batch_without_weight_has_a_sum():
    loss = CrossEntropyLoss([0, 1, 1], reduction="sum")
    assert loss(PREDICTION, np.zeros(4, int)) == 0
    assert np.all(loss.backward() == 0)


def test_cross_entropy_wants_rows():
    with pytest.raises(ValueError, match="x must have 2 dimensions"):
        CrossEntropyLoss()(np.zeros(3), np.array(0))


def test_the_base_class_is_abstract():
    with pytest.raises(NotImplementedError):
        Loss()(PREDICTION, PREDICTION)

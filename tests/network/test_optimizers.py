"""Optimizers, schedules and clipping: equal to PyTorch over 50 steps."""

import copy
import pickle

import numpy as np
import pytest

from lessons_lib.network import (
    SGD,
    Adam,
    AdamW,
    BatchNorm1d,
    CosineAnnealingLR,
    LambdaLR,
    Linear,
    LinearLR,
    LRScheduler,
    MSELoss,
    Optimizer,
    Parameter,
    Sequential,
    SequentialLR,
    StepLR,
    backpropagate,
    clip_grad_norm_,
    clip_grad_value_,
    clip_weight_norm_,
    clip_weight_value_,
)

from ..rounding import assert_close

SHAPES = [(4, 3), (4,), (2, 2, 3)]

OPTIMIZERS = [
    (SGD, {"lr": 0.1}),
    (SGD, {"lr": 0.1, "weight_decay": 0.2}),
    (SGD, {"lr": 0.1, "momentum": 0.9}),
    (SGD, {"lr": 0.1, "momentum": 0.9, "dampening": 0.5, "weight_decay": 0.1}),
    (SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    (Adam, {"lr": 0.1}),
    (Adam, {"weight_decay": 0.1, "betas": (0.8, 0.9), "eps": 1e-3}),
    (AdamW, {"lr": 0.1}),
    (AdamW, {"weight_decay": 0.3, "betas": (0.5, 0.99)}),
]


def make_parameters(dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    return [Parameter(rng.standard_normal(shape).astype(dtype)) for shape in SHAPES]


def twins(parameters):
    torch = pytest.importorskip("torch")
    return [torch.nn.Parameter(torch.from_numpy(p.data.copy())) for p in parameters]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("cls", "options"), OPTIMIZERS, ids=str)
def test_fifty_steps_equal_torch(cls, options, dtype):
    torch = pytest.importorskip("torch")
    ours = make_parameters(dtype)
    theirs = twins(ours)
    optimizer = cls(ours, **options)
    their_optimizer = getattr(torch.optim, cls.__name__)(theirs, **options)
    rng = np.random.default_rng(1)
    for step in range(50):
        if step == 25:
            for group in (*optimizer.param_groups, *their_optimizer.param_groups):
                group["lr"] *= 0.3
        optimizer.zero_grad()
        for parameter, twin in zip(ours, theirs, strict=True):
            grad = rng.standard_normal(parameter.shape).astype(dtype)
            parameter.grad += grad
            twin.grad = torch.from_numpy(grad)
        optimizer.step()
        their_optimizer.step()
    for parameter, twin in zip(ours, theirs, strict=True):
        expected = twin.detach().numpy()
        # 50 steps of at most 8 operations; a momentum of 0.9 sums up 1 / (1 - 0.9) steps.
        assert_close(parameter.data, expected, terms=50 * 8, condition=10, dtype=dtype)
        assert parameter.data.dtype == dtype


def test_defaults_are_those_of_torch():
    torch = pytest.importorskip("torch")
    for cls in (SGD, Adam, AdamW):
        group = cls(make_parameters()).param_groups[0]
        theirs = getattr(torch.optim, cls.__name__)(twins(make_parameters())).param_groups[0]
        for name in group.keys() - {"params"}:
            assert group[name] == theirs[name]


def test_groups_have_their_own_options():
    torch = pytest.importorskip("torch")
    ours = make_parameters()
    theirs = twins(ours)

    def groups(p):
        return [{"params": p[:2], "weight_decay": 0.5}, {"params": p[2:], "lr": 0.01}]

    optimizer = SGD(groups(ours), lr=0.1, momentum=0.5)
    their_optimizer = torch.optim.SGD(groups(theirs), lr=0.1, momentum=0.5)
    for _ in range(5):
        for parameter, twin in zip(ours, theirs, strict=True):
            parameter.grad = parameter.data**2
            twin.grad = (twin**2).detach()
        optimizer.step()
        their_optimizer.step()
    for parameter, twin in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(parameter.data, twin.detach(), atol=1e-10)
    assert repr(optimizer) == (
        "SGD(lr=0.1, momentum=0.5, dampening=0.0, weight_decay=0.5, nesterov=False)"
    )


def test_weight_decay_and_l2_penalty_agree_for_sgd_but_not_for_adam():
    def shrink(cls, gradient_decay=0.0, **options):
        parameter = Parameter([1.0, 1.0])
        optimizer = cls([parameter], lr=0.01, **options)
        for _ in range(100):
            parameter.grad = np.array([1.0, 0.001]) + gradient_decay * parameter.data
            optimizer.step()
        return parameter.data

    np.testing.assert_allclose(shrink(SGD, weight_decay=0.1), shrink(SGD, gradient_decay=0.1))
    penalty, decay = shrink(Adam, gradient_decay=0.1), shrink(AdamW, weight_decay=0.1)
    np.testing.assert_allclose(penalty, shrink(Adam, weight_decay=0.1))
    assert np.abs(penalty - decay).max() > 0.01


def test_parameters_live_in_one_array_and_keep_their_values():
    ours = make_parameters()
    values = [parameter.data.copy() for parameter in ours]
    ours[0].grad += 3
    SGD(ours)
    for parameter, value in zip(ours, values, strict=True):
        np.testing.assert_array_equal(parameter.data, value)
        assert parameter.data.base is ours[0].data.base
    assert np.all(ours[0].grad == 3)


def test_only_the_newest_optimizer_may_step():
    parameters = make_parameters()
    old = SGD(parameters)
    new = SGD(parameters)
    new.step()
    with pytest.raises(RuntimeError, match="another optimizer has taken them"):
        old.step()


def test_converting_the_model_after_the_optimizer_is_noticed():
    layer = Linear(3, 2)
    optimizer = SGD(layer.parameters())
    layer.to(np.float32)
    with pytest.raises(RuntimeError, match=r"model.to\(\) has converted them"):
        optimizer.step()


@pytest.mark.parametrize("optimized", [False, True])
def test_products_add_to_the_gradient_as_sums_do(optimized):
    rng = np.random.default_rng(0)
    parameter = Parameter(np.asfortranarray(rng.standard_normal((3, 4))))
    if optimized:
        SGD([parameter])
    left, right = rng.standard_normal((3, 5)), rng.standard_normal((5, 4))
    parameter.grad = np.full((3, 4), np.nan)  # must leave no trace
    parameter.zero_grad()
    parameter.add_product(left, right)
    np.testing.assert_allclose(parameter.grad, left @ right)
    parameter.add_product(left, right)
    parameter.grad += 1
    np.testing.assert_allclose(parameter.grad, 2 * left @ right + 1)
    parameter.zero_grad()
    parameter.grad += 1
    assert np.all(parameter.grad == 1)


def test_a_step_knows_of_zeros_that_nobody_has_read():
    parameters = make_parameters()
    values = [parameter.data.copy() for parameter in parameters]
    optimizer = SGD(parameters, lr=1.0)
    for parameter in parameters:
        parameter.grad += 1
    optimizer.zero_grad()
    optimizer.step()
    for parameter, value in zip(parameters, values, strict=True):
        np.testing.assert_array_equal(parameter.data, value)


def test_a_deep_copy_is_independent():
    parameters = make_parameters()
    optimizer = SGD(parameters)
    twin = copy.deepcopy(parameters)
    for parameter in parameters:
        parameter.grad += 1
    optimizer.step()
    assert np.all(twin[0].data != parameters[0].data)
    assert np.all(twin[0].grad == 0)


@pytest.mark.parametrize("cls", [SGD, Adam, AdamW])
@pytest.mark.parametrize("lr", [0, -0.1, np.nan, np.inf])
def test_bad_learning_rates(cls, lr):
    with pytest.raises(ValueError, match="lr must"):
        cls(make_parameters(), lr=lr)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda p: SGD([]), ValueError, "params is empty"),
        (lambda p: SGD([np.ones(3)]), TypeError, "params must contain parameters, got ndarray"),
        (lambda p: SGD([p[0], p[0]]), ValueError, "the same parameter twice"),
        (lambda p: SGD([{"params": p, "beta": 1}]), ValueError, "a parameter group needs 'params'"),
        (lambda p: SGD([{"lr": 1}]), ValueError, "a parameter group needs 'params'"),
        (lambda p: SGD([p[0], make_parameters(np.float32)[0]]), TypeError, "share one dtype"),
        (lambda p: SGD(p, momentum=-1), ValueError, "momentum must"),
        (lambda p: SGD(p, weight_decay=-1), ValueError, "weight_decay must"),
        (lambda p: SGD(p, nesterov=True), ValueError, "nesterov=True needs momentum"),
        (lambda p: SGD(p, nesterov="no"), TypeError, "nesterov must be True or False"),
        (lambda p: Adam(p, betas=(0.9, 1.0)), ValueError, r"betas must be two numbers in \[0, 1\)"),
        (lambda p: Adam(p, eps=-1), ValueError, "eps must"),
    ],
)
def test_bad_arguments(make, error, message):
    with pytest.raises(error, match=message):
        make(make_parameters())


def test_the_base_classes_are_abstract():
    parameters = make_parameters()
    with pytest.raises(NotImplementedError):
        Optimizer(parameters, lr=0.1, weight_decay=0.0).step()
    with pytest.raises(NotImplementedError):
        LRScheduler(SGD(parameters))


SCHEDULES = {
    "StepLR": lambda m, o: m.StepLR(o, step_size=3, gamma=0.4),
    "CosineAnnealingLR": lambda m, o: m.CosineAnnealingLR(o, T_max=8, eta_min=0.01),
    "LinearLR": lambda m, o: m.LinearLR(o, start_factor=0.2, end_factor=0.9, total_iters=6),
    "LambdaLR": lambda m, o: m.LambdaLR(o, lr_lambda=lambda epoch: 1 / (1 + epoch)),
    "SequentialLR": lambda m, o: m.SequentialLR(
        o, [m.LinearLR(o), m.CosineAnnealingLR(o, T_max=7), m.StepLR(o, 2)], milestones=[4, 11]
    ),
}


@pytest.mark.filterwarnings("ignore:The epoch parameter in `scheduler.step")
@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_equal_torch(name):
    torch = pytest.importorskip("torch")
    import lessons_lib.network as ours

    parameters = make_parameters()
    twin = twins(parameters)
    groups = [{"params": parameters[:1]}, {"params": parameters[1:], "lr": 0.5}]
    their_groups = [{"params": twin[:1]}, {"params": twin[1:], "lr": 0.5}]
    schedule = SCHEDULES[name](ours, SGD(groups, lr=0.1))
    their_optimizer = torch.optim.SGD(their_groups, lr=0.1)
    their_schedule = SCHEDULES[name](torch.optim.lr_scheduler, their_optimizer)
    for _ in range(20):
        np.testing.assert_allclose(
            schedule.get_last_lr(), their_schedule.get_last_lr(), rtol=1e-10, atol=1e-12
        )
        assert schedule.get_last_lr() == [g["lr"] for g in schedule.optimizer.param_groups]
        their_optimizer.step()
        schedule.step()
        their_schedule.step()


COMPOSITIONS = {
    "StepLR, LinearLR": ("StepLR", "LinearLR"),
    "LinearLR, CosineAnnealingLR": ("LinearLR", "CosineAnnealingLR"),
    "CosineAnnealingLR, StepLR": ("CosineAnnealingLR", "StepLR"),
    "LambdaLR, StepLR": ("LambdaLR", "StepLR"),
    "StepLR, LambdaLR": ("StepLR", "LambdaLR"),
    "three": ("StepLR", "LinearLR", "CosineAnnealingLR"),
    **{name: (name,) for name in SCHEDULES},
}


@pytest.mark.filterwarnings("ignore:The epoch parameter in `scheduler.step")
@pytest.mark.parametrize("names", COMPOSITIONS.values(), ids=COMPOSITIONS)
@pytest.mark.parametrize("by_hand", [False, True])
def test_schedules_compose_and_respect_a_rate_set_by_hand_as_in_torch(names, by_hand):
    torch = pytest.importorskip("torch")
    import lessons_lib.network as ours

    parameters = make_parameters()
    optimizer = SGD(parameters, lr=0.1)
    their_optimizer = torch.optim.SGD(twins(parameters), lr=0.1)
    schedules = [SCHEDULES[name](ours, optimizer) for name in names]
    theirs = [SCHEDULES[name](torch.optim.lr_scheduler, their_optimizer) for name in names]
    for epoch in range(25):
        expected = their_optimizer.param_groups[0]["lr"]
        assert optimizer.param_groups[0]["lr"] == pytest.approx(expected, rel=1e-10, abs=1e-14)
        their_optimizer.step()
        if by_hand and epoch in (2, 9):
            optimizer.param_groups[0]["lr"] = their_optimizer.param_groups[0]["lr"] = 0.7
        for schedule, their_schedule in zip(schedules, theirs, strict=True):
            schedule.step()
            their_schedule.step()
            np.testing.assert_allclose(
                schedule.get_last_lr(), their_schedule.get_last_lr(), rtol=1e-10, atol=1e-14
            )


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize(("cls", "options"), OPTIMIZERS, ids=str)
def test_training_goes_on_from_its_state(cls, options, name):
    import lessons_lib.network as ours

    def make(seed):
        parameters = make_parameters(seed=seed)
        optimizer = cls([{"params": parameters[:1]}, {"params": parameters[1:]}], **options)
        return parameters, optimizer, SCHEDULES[name](ours, optimizer)

    def train(parameters, optimizer, schedule, n_steps):
        for _ in range(n_steps):
            for parameter in parameters:
                parameter.grad = np.sin(3 * parameter.data)
            optimizer.step()
            schedule.step()

    parameters, optimizer, schedule = make(seed=0)
    train(parameters, optimizer, schedule, 6)
    states = optimizer.state_dict(), schedule.state_dict()
    values = [parameter.data.copy() for parameter in parameters]
    train(parameters, optimizer, schedule, 6)
    others, other_optimizer, other_schedule = make(seed=1)
    for other, value in zip(others, values, strict=True):
        other.data = value
    other_optimizer.load_state_dict(states[0])
    other_schedule.load_state_dict(states[1])
    train(others, other_optimizer, other_schedule, 6)
    for parameter, other in zip(parameters, others, strict=True):
        np.testing.assert_array_equal(parameter.data, other.data)
    assert schedule.get_last_lr() == other_schedule.get_last_lr()


def test_states_that_do_not_fit():
    optimizer = Adam(make_parameters())
    optimizer.step()
    state = optimizer.state_dict()
    with pytest.raises(ValueError, match="must be of 1 parameter groups, got 2"):
        optimizer.load_state_dict({name: 2 * entries for name, entries in state.items()})
    with pytest.raises(ValueError, match="mean must have 4 values in all"):
        Adam(make_parameters()[1:2]).load_state_dict(state)
    with pytest.raises(ValueError, match="StepLR must have the entries"):
        StepLR(optimizer, 1).load_state_dict(LinearLR(optimizer).state_dict())
    schedule = SequentialLR(optimizer, [StepLR(optimizer, 1), LinearLR(optimizer)], [3])
    with pytest.raises(ValueError, match="must be of 2 schedules, got 0"):
        schedule.load_state_dict(StepLR(optimizer, 1).state_dict())


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))])
def test_a_copy_of_model_and_optimizer_trains_like_the_original(copied):
    rng = np.random.default_rng(0)
    model = Sequential(Linear(3, 4, random_state=rng), BatchNorm1d(4), Linear(4, 2))
    criterion, optimizer = MSELoss(), Adam(model.parameters(), lr=0.1)
    x, y = rng.standard_normal((8, 3)), rng.standard_normal((8, 2))

    def train(model, optimizer):
        for _ in range(3):
            optimizer.zero_grad()
            backpropagate(model, criterion, x, y)
            optimizer.step()
        return model(x)

    train(model, optimizer)
    twin, twin_optimizer = copied((model, optimizer))
    before = model(x)
    np.testing.assert_array_equal(twin(x), before)
    result = train(twin, twin_optimizer)
    np.testing.assert_array_equal(model(x), before)  # they share nothing
    np.testing.assert_array_equal(train(model, optimizer), result)
    assert np.abs(result - before).max() > 0.01


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda o: StepLR(o, 0), "step_size must"),
        (lambda o: StepLR(o, 1, gamma=0), "gamma must"),
        (lambda o: CosineAnnealingLR(o, 0), "T_max must"),
        (lambda o: CosineAnnealingLR(o, 5, eta_min=-1), "eta_min must"),
        (lambda o: LinearLR(o, start_factor=0), "start_factor must"),
        (lambda o: LinearLR(o, end_factor=-1), "end_factor must"),
        (lambda o: LinearLR(o, total_iters=0), "total_iters must"),
        (lambda o: SequentialLR(o, [StepLR(o, 1)], [3]), "one milestone fewer"),
        (lambda o: SequentialLR(o, [StepLR(o, 1)] * 3, [5, 3]), "milestones must increase"),
        (
            lambda o: SequentialLR(o, [StepLR(o, 1), LambdaLR(SGD(make_parameters()), abs)], [3]),
            "made for the optimizer",
        ),
    ],
)
def test_bad_schedules(make, message):
    with pytest.raises(ValueError, match=message):
        make(SGD(make_parameters()))


def with_gradients(parameters, factor=1.0):
    rng = np.random.default_rng(2)
    for parameter in parameters:
        parameter.grad = factor * rng.standard_normal(parameter.shape)
    return parameters


@pytest.mark.parametrize("norm_type", [1.0, 2.0, 3.0, np.inf])
@pytest.mark.parametrize("max_norm", [0.5, 1e3])
def test_clip_grad_norm_equals_torch(max_norm, norm_type):
    torch = pytest.importorskip("torch")
    ours = with_gradients(make_parameters())
    theirs = twins(ours)
    for parameter, twin in zip(ours, theirs, strict=True):
        twin.grad = torch.from_numpy(parameter.grad.copy())
    their_norm = torch.nn.utils.clip_grad_norm_(theirs, max_norm, norm_type)
    assert clip_grad_norm_(ours, max_norm, norm_type) == pytest.approx(their_norm.item(), rel=1e-12)
    for parameter, twin in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(parameter.grad, twin.grad, rtol=1e-12)


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_clipping_does_not_hide_trouble(bad):
    torch = pytest.importorskip("torch")
    for clip, their_clip in (
        (clip_grad_norm_, torch.nn.utils.clip_grad_norm_),
        (clip_grad_value_, torch.nn.utils.clip_grad_value_),
    ):
        ours = [Parameter([0.0, 0.0]), Parameter([0.0])]
        theirs = twins(ours)
        for parameter, twin, grad in zip(ours, theirs, ([bad, 1.0], [1e6]), strict=True):
            parameter.grad = grad
            twin.grad = torch.tensor(grad, dtype=torch.float64)
        clip(ours, 1.0)
        their_clip(theirs, 1.0)
        for parameter, twin in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(parameter.grad, twin.grad)


@pytest.mark.parametrize("norm_type", [1.0, 2.0, 3.0, np.inf])
@pytest.mark.parametrize(("dtype", "scale"), [(np.float32, 1e30), (np.float64, 1e200)])
def test_clipping_of_huge_gradients_keeps_their_direction(norm_type, dtype, scale):
    direction = np.array([3.0, -4.0, 0.5])
    parameter = Parameter(np.zeros(3, dtype))
    parameter.grad = scale * direction
    norm = np.linalg.norm(direction, norm_type)
    assert clip_grad_norm_([parameter], 1.0, norm_type) == pytest.approx(scale * norm, rel=1e-6)
    np.testing.assert_allclose(parameter.grad, direction / norm, rtol=1e-6)
    weight = Parameter(np.array([direction, scale * direction], dtype))
    clip_weight_norm_(weight, 5.0)
    length = np.linalg.norm(direction)
    np.testing.assert_allclose(weight.data, direction * (5 / length) * np.ones((2, 1)), rtol=1e-6)


def test_clipping_takes_one_parameter_too():
    for clip, attribute in (
        (clip_grad_norm_, "grad"),
        (clip_grad_value_, "grad"),
        (clip_weight_norm_, "data"),
        (clip_weight_value_, "data"),
    ):
        alone, listed = with_gradients(make_parameters()[:1]), with_gradients(make_parameters()[:1])
        clip(alone[0], 0.1)
        clip(listed, 0.1)
        np.testing.assert_array_equal(getattr(alone[0], attribute), getattr(listed[0], attribute))
        assert np.abs(getattr(alone[0], attribute)).max() <= 0.1


def test_clip_values_equal_torch():
    torch = pytest.importorskip("torch")
    ours = with_gradients(make_parameters())
    theirs = twins(ours)
    for parameter, twin in zip(ours, theirs, strict=True):
        twin.grad = torch.from_numpy(parameter.grad.copy())
        twin.data.clamp_(-0.2, 0.2)
    torch.nn.utils.clip_grad_value_(theirs, 0.3)
    clip_grad_value_(ours, 0.3)
    clip_weight_value_(ours, 0.2)
    for parameter, twin in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(parameter.grad, twin.grad)
        np.testing.assert_array_equal(parameter.data, twin.detach())


def test_clip_weight_norm_equals_torch():
    torch = pytest.importorskip("torch")
    ours = [make_parameters()[0], make_parameters()[2]]
    ours[0].data[1] = 0
    theirs = [torch.renorm(twin.detach(), 2, 0, 0.7) for twin in twins(ours)]
    clip_weight_norm_(ours, 0.7)
    for parameter, twin in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(parameter.data, twin, atol=1e-6)  # torch.renorm adds 1e-7
        assert np.linalg.norm(parameter.data.reshape(len(twin), -1), axis=1).max() <= 0.7 + 1e-12


def test_clipping_after_the_optimizer_reaches_its_memory():
    parameters = with_gradients(make_parameters())
    optimizer = SGD(parameters, lr=1.0)
    before = parameters[0].data.copy()
    clip_grad_norm_(parameters, 1e-3)
    optimizer.step()
    assert 0 < np.abs(parameters[0].data - before).max() <= 1e-3


def test_bad_clipping():
    parameters = with_gradients(make_parameters())
    for clip in (clip_grad_norm_, clip_weight_norm_):
        with pytest.raises(ValueError, match="max_norm must"):
            clip(parameters, 0)
    for clip in (clip_grad_value_, clip_weight_value_):
        with pytest.raises(ValueError, match="clip_value must"):
            clip(parameters, -1)
    with pytest.raises(ValueError, match="norm_type must be at least 1"):
        clip_grad_norm_(parameters, 1, norm_type=0.5)
    with pytest.raises(ValueError, match=r"two axes or more, got shape \(4,\)"):
        clip_weight_norm_(parameters, 1)
    parameters[0].grad[0, 0] = np.nan
    with pytest.raises(RuntimeError, match="the norm of the gradients is nan"):
        clip_grad_norm_(parameters, 1, error_if_nonfinite=True)
    assert np.isnan(clip_grad_norm_(parameters, 1))
    assert clip_grad_norm_([], 1) == 0

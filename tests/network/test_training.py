"""Training: equal to PyTorch and scikit-learn step by step; penalties, callbacks, divergence."""

import sys
import types

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier

from lessons_lib.augment.tabular import Mixup
from lessons_lib.network import (
    SGD,
    AdamW,
    BatchNorm1d,
    BCEWithLogitsLoss,
    Callback,
    Conv2d,
    CrossEntropyLoss,
    DivergenceError,
    Dropout,
    EarlyStopping,
    Flatten,
    Linear,
    MaxPool2d,
    MSELoss,
    ReLU,
    Sequential,
    StepLR,
    Tanh,
    accuracy,
    backpropagate,
    clip_grad_norm_,
    evaluate,
    fit,
    gradient_check,
    monte_carlo_predict,
    numerical_gradient,
    penalty_terms,
    predict,
)
from lessons_lib.penalties import L1, L2, ElasticNet

from ..rounding import assert_close


def blobs(n=60, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n)
    return rng.standard_normal((n, 4)) + 2 * np.eye(4)[y], y


def classifier(seed=0, p=0.3):
    rng = np.random.default_rng(seed)
    return Sequential(
        Linear(4, 8, random_state=rng),
        BatchNorm1d(8),
        ReLU(),
        Dropout(p, random_state=rng),
        Linear(8, 3, random_state=rng),
    )


class TorchTwin:
    """The same network in PyTorch, with the masks of our dropout layers."""

    def __init__(self, ours, make_optimizer):
        self.torch = torch = pytest.importorskip("torch")
        twin = {
            Linear: lambda m: torch.nn.Linear(m.in_features, m.out_features),
            Conv2d: lambda m: torch.nn.Conv2d(
                m.in_channels, m.out_channels, m.kernel_size, m.stride, m.padding
            ),
            MaxPool2d: lambda m: torch.nn.MaxPool2d(m.kernel_size),
            BatchNorm1d: lambda m: torch.nn.BatchNorm1d(m.num_features),
        }
        self.ours = ours
        self.layers = [twin[type(layer)](layer) if type(layer) in twin else layer for layer in ours]
        self.model = torch.nn.ModuleList(
            layer if isinstance(layer, torch.nn.Module) else torch.nn.Identity()
            for layer in self.layers
        ).double()
        state = {name: torch.as_tensor(value) for name, value in ours.state_dict().items()}
        self.model.load_state_dict(state)
        self.optimizer = make_optimizer(self.model.parameters())

    def forward(self, x):
        torch = self.torch
        for layer in self.layers:
            if isinstance(layer, Dropout):
                x = x * torch.from_numpy(layer.fixed_mask) / (1 - layer.p)
            elif isinstance(layer, ReLU):
                x = torch.relu(x)
            elif isinstance(layer, Flatten):
                x = torch.flatten(x, 1)
            else:
                x = layer(x)
        return x

    def assert_equal(self, *, terms, condition=1.0):
        theirs = self.model.state_dict()
        for name, value in self.ours.state_dict().items():
            assert_close(value, theirs[name], terms=terms, condition=condition)


def test_an_epoch_side_by_side_with_torch():
    torch = pytest.importorskip("torch")
    X, y = blobs(96)
    model = classifier()
    optimizer = AdamW(model.parameters(), lr=0.01, weight_decay=0.1)
    twin = TorchTwin(model, lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1))
    criterion = CrossEntropyLoss(label_smoothing=0.1)
    their_criterion = torch.nn.CrossEntropyLoss(label_smoothing=0.1)
    rng = np.random.default_rng(1)
    for start in range(0, 96, 16):
        model[3].fixed_mask = rng.random((16, 8)) >= 0.3
        x, labels = X[start : start + 16], y[start : start + 16]
        optimizer.zero_grad()
        loss, _ = backpropagate(model, criterion, x, labels)
        norm = clip_grad_norm_(model.parameters(), 0.5)
        optimizer.step()
        twin.optimizer.zero_grad()
        their_loss = their_criterion(twin.forward(torch.from_numpy(x)), torch.from_numpy(labels))
        their_loss.backward()
        their_norm = torch.nn.utils.clip_grad_norm_(twin.model.parameters(), 0.5)
        twin.optimizer.step()
        assert loss == pytest.approx(their_loss.item(), rel=1e-10)
        assert norm == pytest.approx(their_norm.item(), rel=1e-10)
        # The bias in front of a batch normalization has the gradient 0 but for rounding, of sums
        # over 16 rows and 8 units, and Adam magnifies it by lr / eps.
        twin.assert_equal(terms=16 * 8, condition=0.01 / 1e-8)


def test_an_epoch_of_images_side_by_side_with_torch():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    images = rng.standard_normal((48, 1, 8, 8))
    labels = rng.integers(0, 3, 48)
    model = Sequential(
        Conv2d(1, 4, 3, padding=1, random_state=rng),
        ReLU(),
        MaxPool2d(2),
        Conv2d(4, 4, 3, padding=1, random_state=rng),
        ReLU(),
        Flatten(),
        Linear(64, 3, random_state=rng),
    )
    twin = TorchTwin(model, lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9))
    fit(
        model,
        CrossEntropyLoss(),
        SGD(model.parameters(), lr=0.1, momentum=0.9),
        images,
        labels,
        epochs=1,
        batch_size=20,
        shuffle=False,
    )
    for start in range(0, 48, 20):
        x, y = (torch.from_numpy(a[start : start + 20]) for a in (images, labels))
        twin.optimizer.zero_grad()
        torch.nn.functional.cross_entropy(twin.forward(x), y).backward()
        twin.optimizer.step()
    twin.assert_equal(terms=3 * images[:20].size)  # three steps with sums over 20 images


def test_full_batch_training_equals_scikit_learn():
    # MLPClassifier penalizes weights but not biases, by alpha/2 ||W||^2 / n_samples.
    X, y = blobs(50)
    theirs = MLPClassifier(
        (6,), activation="tanh", solver="sgd", alpha=5.0, momentum=0, learning_rate_init=0.2
    )
    theirs.partial_fit(X, y, classes=[0, 1, 2])
    model = Sequential(Linear(4, 6), Tanh(), Linear(6, 3))
    for layer, coef, intercept in zip(
        (model[0], model[2]), theirs.coefs_, theirs.intercepts_, strict=True
    ):
        layer.weight.data, layer.bias.data = coef.T, intercept
    history = fit(
        model,
        CrossEntropyLoss(),
        SGD(model.parameters(), lr=0.2),
        X,
        y,
        epochs=20,
        batch_size=50,
        penalty=L2(5.0 / 50),
    )
    for _ in range(20):
        theirs.partial_fit(X, y)
    np.testing.assert_allclose(model[0].weight.data, theirs.coefs_[0].T, atol=1e-10)
    np.testing.assert_allclose(model[2].bias.data, theirs.intercepts_[1], atol=1e-10)
    assert history.penalized == ("0.weight", "2.weight")
    assert history["loss"][-1] + history["penalty"][-1] == pytest.approx(theirs.loss_, rel=1e-10)


def run(seed=0, **options):
    rng = np.random.default_rng(seed)
    model = classifier(rng)
    X, y = blobs()
    options = {"epochs": 4, "batch_size": 16, "validation_data": blobs(30, seed=1), **options}
    optimizer = SGD(model.parameters(), lr=0.1)
    return model, fit(model, CrossEntropyLoss(), optimizer, X, y, random_state=rng, **options)


def test_one_seed_determines_everything():
    (model, history), (twin, twin_history) = run(), run()
    assert history == twin_history
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, twin.state_dict()[name])
    _, other = run(seed=1)
    assert other["loss"] != history["loss"]


def test_history():
    X, y = blobs()
    validation = blobs(30, seed=1)
    model, history = run(metrics={"accuracy": accuracy}, evaluate_train=True)
    assert set(history.values) == {
        "loss",
        "lr",
        "train_loss",
        "train_accuracy",
        "val_loss",
        "val_accuracy",
    }
    assert {len(values) for values in history.values.values()} == {4}
    assert history.n_steps == 4 * 4
    assert history["lr"] == [0.1] * 4
    assert history.penalized == ()
    assert not any(module.training for module in model.modules())
    last = evaluate(model, CrossEntropyLoss(), *validation, {"accuracy": accuracy})
    assert last == {"loss": history["val_loss"][-1], "accuracy": history["val_accuracy"][-1]}
    assert history["train_loss"][-1] == CrossEntropyLoss()(predict(model, X), y)
    assert history["train_accuracy"][-1] > history["train_accuracy"][0]


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_the_epoch_loss_weighs_batches_by_their_size(reduction):
    X, y = blobs(25)
    model = Sequential(Linear(4, 3, random_state=0))
    frozen = SGD(model.parameters(), lr=1e-300)
    criterion = CrossEntropyLoss(reduction=reduction)
    history = fit(model, criterion, frozen, X, y, epochs=1, batch_size=10, random_state=0)
    assert history["loss"][0] == pytest.approx(criterion(model(X), y), rel=1e-12)
    dropped = fit(
        model, criterion, frozen, X, y, epochs=1, batch_size=10, shuffle=False, drop_last=True
    )
    assert dropped.n_steps == 2
    assert dropped["loss"][0] == pytest.approx(criterion(model(X[:20]), y[:20]), rel=1e-12)


def test_each_epoch_visits_every_sample_once_in_a_new_order():
    seen = []

    class Spy(Linear):
        def forward(self, x):
            seen.append(x[:, 0].copy())
            return super().forward(x)

    model = Spy(1, 1, random_state=0)
    X = np.arange(10.0)[:, None]
    fit(
        model,
        MSELoss(),
        SGD(model.parameters()),
        X,
        X.copy(),
        epochs=2,
        batch_size=4,
        random_state=0,
    )
    first, second = np.concatenate(seen[:3]), np.concatenate(seen[3:])
    np.testing.assert_array_equal(np.sort(first), X.ravel())
    np.testing.assert_array_equal(np.sort(second), X.ravel())
    assert np.any(first != second)


def test_augmentation_changes_each_batch_and_not_the_data():
    X, y = blobs()
    original, seen = X.copy(), []

    def shift(x, targets, rng):
        seen.append(rng.standard_normal())
        return x + 100 + seen[-1], np.full_like(targets, 2)

    model = classifier(p=0.0)
    history = fit(
        model,
        CrossEntropyLoss(),
        SGD(model.parameters(), lr=0.1),
        X,
        y,
        epochs=2,
        batch_size=30,
        augment=shift,
        evaluate_train=True,
        random_state=0,
    )
    assert len(set(seen)) == 4, "a new draw for each of the four batches"
    assert np.array_equal(X, original)
    # The training loss is that of the changed targets, all of one class; the evaluation's is not.
    assert history["loss"][-1] < history["train_loss"][-1]


def test_mixup_augments_a_training():
    X, y = blobs()
    model = classifier(p=0.0)
    one_hot = np.eye(3)[y]
    history = fit(
        model,
        CrossEntropyLoss(),
        SGD(model.parameters(), lr=0.1),
        X,
        one_hot,
        epochs=30,
        augment=Mixup(alpha=0.4),
        evaluate_train=True,
        random_state=0,
    )
    assert history["train_loss"][-1] < 0.6 * history["train_loss"][0]


def test_the_scheduler_steps_once_per_epoch():
    X, y = blobs()
    model = classifier()
    optimizer = SGD(model.parameters(), lr=1.0)
    schedule = StepLR(optimizer, 2, gamma=0.1)
    history = fit(model, CrossEntropyLoss(), optimizer, X, y, epochs=5, scheduler=schedule)
    assert history["lr"] == pytest.approx([1, 1, 0.1, 0.1, 0.01])


@pytest.mark.parametrize("penalty", [L1(0.3), L2(0.3), ElasticNet(0.3, 0.5)])
def test_the_gradient_of_the_penalized_loss(penalty):
    X, y = blobs(12)
    model = classifier(p=0)
    model[1].bias.data += 1
    terms = penalty_terms(model, penalty)
    assert [term.name for term in terms] == ["0.weight", "4.weight"]
    criterion = CrossEntropyLoss()
    loss, penalty_value = backpropagate(model, criterion, X, y, terms)
    assert loss == criterion(model(X), y)
    assert penalty_value == pytest.approx(
        penalty.value(model[0].weight.data) + penalty.value(model[4].weight.data)
    )

    def objective():
        return criterion(model(X), y) + sum(t.penalty.value(t.parameter.data) for t in terms)

    for name, parameter in model.named_parameters():
        numerical = numerical_gradient(objective, parameter.data)
        np.testing.assert_allclose(parameter.grad, numerical, atol=1e-8, err_msg=name)


def test_a_dict_of_penalties_names_its_parameters():
    model = classifier()
    start = model.state_dict()
    pull_back = {"4.bias": L2(1.0, center=start["4.bias"]), "1.weight": L1(0.1)}
    assert [term.name for term in penalty_terms(model, pull_back)] == ["4.bias", "1.weight"]
    model[0].bias.regularize = True
    model[4].weight.regularize = False
    assert [term.name for term in penalty_terms(model, L2(1.0))] == ["0.weight", "0.bias"]
    assert penalty_terms(model, None) == []
    with pytest.raises(ValueError, match=r"penalty names \['5.weight'\], but the parameters are"):
        penalty_terms(model, {"5.weight": L2(1.0)})


def test_a_stronger_penalty_gives_smaller_weights():
    norms = [np.linalg.norm(run(penalty=L2(alpha))[0][0].weight.data) for alpha in (0.0, 0.1, 1.0)]
    assert norms[0] > norms[1] > norms[2]


def test_callbacks_are_called_in_order_and_may_stop():
    calls = []

    class Recorder(Callback):
        def on_train_begin(self, state):
            calls.append("begin")

        def on_before_step(self, state):
            calls.append(f"gradient {state.step}")
            assert np.any(state.optimizer.param_groups[0]["params"][0].grad != 0)

        def on_batch_end(self, state):
            calls.append(f"batch {state.step}")

        def on_epoch_end(self, state):
            calls.append(f"epoch {state.epoch} {sorted(state.history)}")
            state.stop_training = state.epoch == 1

        def on_train_end(self, state):
            calls.append("end")

    run(callbacks=[Recorder(), Callback()], batch_size=60)
    assert calls == [
        "begin",
        "gradient 0",
        "batch 1",
        "epoch 0 ['loss', 'lr', 'val_loss']",
        "gradient 1",
        "batch 2",
        "epoch 1 ['loss', 'lr', 'val_loss']",
        "end",
    ]


def test_divergence_names_epoch_and_step():
    X, y = np.ones((40, 1)) * 10, np.zeros((40, 1))
    model = Sequential(Linear(1, 1, random_state=0))
    optimizer = SGD(model.parameters(), lr=1e30)
    with pytest.raises(DivergenceError, match=r"the loss is (inf|nan) in epoch") as caught:
        fit(model, MSELoss(), optimizer, X, y, epochs=50, batch_size=8)
    # Each step multiplies the error by 2e32; after five, its square is beyond float64's 1e308.
    assert (caught.value.epoch, caught.value.step) == (1, 5)
    assert "in epoch 1, step 5 (both counted from 0), at learning rate 1e+30" in str(caught.value)


def test_divergence_on_the_validation_data():
    with pytest.raises(DivergenceError, match="the val_loss is nan in epoch 0, step 4"):
        run(validation_data=(np.full((3, 4), np.nan), np.array([0, 1, 2])))


def test_early_stopping_inside_fit():
    class Scripted(Callback):
        """Replaces the measured validation loss."""

        def on_epoch_end(self, state):
            state.history["val_loss"][-1] = [1.0, 0.5, 0.7, 0.6, 0.8, 0.1][state.epoch]
            weights.append(state.model.state_dict())

    weights = []
    stopper = EarlyStopping(patience=3, restore_best_weights=True)
    model, history = run(epochs=6, callbacks=[Scripted(), stopper])
    assert len(history["loss"]) == 5
    assert (stopper.stopped_epoch, stopper.best_epoch, stopper.best) == (4, 1, 0.5)
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, weights[1][name])
    weights.clear()
    last, _ = run(epochs=6, callbacks=[Scripted(), EarlyStopping(patience=3)])
    np.testing.assert_array_equal(last.state_dict()["0.weight"], weights[-1]["0.weight"])


def test_predict_keeps_modes_and_does_not_depend_on_the_batch_size():
    model = classifier()
    X, _ = blobs()
    model.eval()
    model[3].train()
    np.testing.assert_allclose(predict(model, X, batch_size=7), predict(model, X), rtol=1e-12)
    assert [module.training for module in model] == [False, False, False, True, False]
    np.testing.assert_array_equal(predict(model, X), model.eval()(X))


def test_monte_carlo_predict_leaves_only_dropout_on():
    model = classifier().train()
    X, _ = blobs()
    model(X)
    statistics = model[1].running_mean.copy()
    draws = monte_carlo_predict(model, X, 200)
    assert draws.shape == (200, 60, 3)
    np.testing.assert_array_equal(model[1].running_mean, statistics)
    assert all(module.training for module in model.modules())
    # The last layer is linear, so the mean over masks is the deterministic output.
    error = np.abs(draws.mean(axis=0) - predict(model, X))
    assert np.all(error < 5 * draws.std(axis=0) / np.sqrt(200) + 1e-12)
    with pytest.raises(ValueError, match="a model with at least one Dropout"):
        monte_carlo_predict(Sequential(Linear(4, 3)), X, 2)


def test_accuracy():
    assert accuracy(np.array([[0.2], [-1.0], [3.0]]), np.array([1, 1, 1])) == pytest.approx(2 / 3)
    assert accuracy(np.array([0.2, -1.0]), np.array([[1], [0]])) == 1
    assert accuracy(np.array([[0.0, np.nan], [np.nan, 0.0]]), np.array([1, 1])) == 0
    assert accuracy(np.array([np.nan, -1.0]), np.array([0, 0])) == 0.5
    with pytest.raises(ValueError, match="accuracy: 2 predictions but 3 labels"):
        accuracy(np.zeros((2, 2)), np.zeros(3))


def test_binary_classification_learns():
    X, y = blobs(80)
    target = (y == 0).astype(float)[:, None]
    model = Sequential(Linear(4, 8, random_state=0), Tanh(), Linear(8, 1, random_state=1))
    optimizer = AdamW(model.parameters(), lr=0.05)
    history = fit(
        model,
        BCEWithLogitsLoss(),
        optimizer,
        X,
        target,
        epochs=20,
        metrics={"accuracy": accuracy},
        evaluate_train=True,
        random_state=0,
    )
    assert history["train_accuracy"][-1] > 0.9


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"X": np.ones((3, 4))}, ValueError, "equally many samples, got 3 and 60"),
        ({"X": np.ones((0, 4)), "y": []}, ValueError, "X is empty"),
        ({"X": np.ones((60, 5))}, ValueError, "x must have 4 features"),
        ({"X": np.ones((60, 4), np.float32)}, TypeError, "x is float32 but the parameters are"),
        ({"batch_size": 0}, ValueError, "batch_size must"),
        ({"epochs": 0}, ValueError, "epochs must"),
        ({"batch_size": 61, "drop_last": True}, ValueError, "drop_last=True leaves no batch"),
        ({"batch_size": 59}, ValueError, "more than one value per channel, got one; .*drop_last"),
        ({"callbacks": [EarlyStopping()]}, ValueError, "no 'val_loss' in the history.*need valid"),
    ],
)
def test_bad_arguments_of_fit(change, error, message):
    X, y = blobs()
    model = classifier()
    arguments = {"X": X, "y": y, "epochs": 1, **change}
    with pytest.raises(error, match=message):
        fit(model, CrossEntropyLoss(), SGD(model.parameters()), **arguments)


def fake_tqdm(monkeypatch):
    calls = []

    def tqdm(iterable, **options):
        calls.append(options)
        return iterable

    module = types.ModuleType("tqdm")
    module.tqdm = tqdm
    module.__spec__ = types.SimpleNamespace()
    monkeypatch.setitem(sys.modules, "tqdm", module)
    return calls


def test_progress_bar_only_where_wanted(monkeypatch, capfd):
    calls = fake_tqdm(monkeypatch)
    run(progress=False)
    assert calls == []
    run()  # disable=None is tqdm's way to say: only in a terminal
    run(progress=True)
    assert calls == [
        {"unit": "epoch", "disable": None, "delay": 2, "leave": False},
        {"unit": "epoch"},
    ]
    assert capfd.readouterr() == ("", "")


def test_without_tqdm_there_is_no_bar(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert len(run()[1]["loss"]) == 4
    with pytest.raises(ImportError, match="progress=True needs the package tqdm"):
        run(progress=True)


def test_gradient_check_finds_wrong_gradients():
    class Wrong(Tanh):
        def backward(self, grad):
            return super().backward(grad) * 1.01

    x = np.random.default_rng(0).standard_normal((3, 2))
    assert gradient_check(Tanh(), x)["x"] < 1e-8
    assert gradient_check(Wrong(), x)["x"] > 1e-3


def test_gradient_check_changes_nothing():
    model = classifier()
    X, _ = blobs(6)
    state, copy_of_x = model.state_dict(), X.copy()
    gradient_check(model, X)
    np.testing.assert_array_equal(X, copy_of_x)
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, state[name])
    assert all(np.all(parameter.grad == 0) for parameter in model.parameters())


def test_gradient_check_refuses_what_it_cannot_judge():
    with pytest.raises(TypeError, match="gradient_check needs float64"):
        gradient_check(ReLU(), np.ones((2, 2), np.float32))
    with pytest.raises(ValueError, match="gradient_check of a loss needs a target"):
        gradient_check(MSELoss(), np.ones((2, 2)))

"""Training: mini-batches, validation, penalties, history."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lessons_lib._validation import check_flag, check_integer
from lessons_lib.network._common import FloatArray
from lessons_lib.network.callbacks import Callback, TrainingState
from lessons_lib.network.layers import Dropout
from lessons_lib.network.losses import Loss
from lessons_lib.network.module import Module, Parameter
from lessons_lib.network.optimizers import Optimizer
from lessons_lib.network.sam import SAM
from lessons_lib.network.schedules import LRScheduler

__all__ = [
    "DivergenceError",
    "History",
    "PenaltyTerm",
    "TrainingPenalty",
    "accuracy",
    "backpropagate",
    "evaluate",
    "fit",
    "monte_carlo_predict",
    "penalty_terms",
    "predict",
]

Metric = Callable[[FloatArray, NDArray[Any]], float]
Augment = Callable[[FloatArray, NDArray[Any], np.random.Generator], tuple[FloatArray, NDArray[Any]]]


class TrainingPenalty(Protocol):
    """The part of a penalty that training uses; all in ``lessons_lib.penalties`` have it."""

    def value(self, coef: Any, /) -> float:
        """Return the penalty of an array of weights."""

    def subgradient(self, coef: Any, /) -> Any:
        """Return its gradient, or where there is none a subgradient, in the shape of `coef`."""


@dataclass(frozen=True)
class PenaltyTerm:
    """One penalized parameter, by name."""

    name: str
    parameter: Parameter
    penalty: TrainingPenalty


class DivergenceError(ArithmeticError):
    """The loss became infinite or not a number.

    Attributes
    ----------
    epoch, step : int
        Where: both from 0; `step` counts all batches of the training.
    """

    def __init__(self, what: str, value: float, epoch: int, step: int, lr: list[float]) -> None:
        rates = ", ".join(f"{rate:g}" for rate in lr)
        super().__init__(
            f"training diverged: the {what} is {value} in epoch {epoch}, step {step} (both counted "
            f"from 0), at learning rate {rates}; try a smaller one, or clip the gradients"
        )
        self.epoch = epoch
        self.step = step


@dataclass
class History:
    """What :func:`fit` measured.

    Attributes
    ----------
    values : dict of list of float
        One value per epoch under each name; ``history["val_loss"]`` is short for
        ``history.values["val_loss"]``.
    penalized : tuple of str
        Names of the parameters that the penalty acted on.
    n_steps : int
        Number of optimizer steps.
    """

    values: dict[str, list[float]]
    penalized: tuple[str, ...] = ()
    n_steps: int = 0

    def __getitem__(self, name: str) -> list[float]:
        return self.values[name]


def penalty_terms(
    model: Module, penalty: TrainingPenalty | Mapping[str, TrainingPenalty] | None
) -> list[PenaltyTerm]:
    """Say which parameters a penalty acts on.

    Parameters
    ----------
    model : Module
        The network.
    penalty : TrainingPenalty, dict of TrainingPenalty or None
        One penalty acts on every parameter whose ``regularize`` is True: weight matrices and
        kernels, but no biases and no scale or shift of batch normalization. A dict acts on exactly
        the parameters that it names.

    Returns
    -------
    list of PenaltyTerm
        Empty for None.

    Examples
    --------
    >>> from lessons_lib.network import BatchNorm1d, Linear, Sequential
    >>> from lessons_lib.penalties import L2
    >>> model = Sequential(Linear(2, 3, random_state=0), BatchNorm1d(3))
    >>> [term.name for term in penalty_terms(model, L2(0.1))]
    ['0.weight']
    >>> [term.name for term in penalty_terms(model, {"0.bias": L2(0.1)})]
    ['0.bias']
    """
    if penalty is None:
        return []
    named = dict(model.named_parameters())
    if not isinstance(penalty, Mapping):
        return [PenaltyTerm(n, p, penalty) for n, p in named.items() if p.regularize]
    unknown = sorted(penalty.keys() - named.keys())
    if unknown:
        raise ValueError(f"penalty names {unknown}, but the parameters are {sorted(named)}")
    return [PenaltyTerm(name, named[name], term) for name, term in penalty.items()]


def backpropagate(
    model: Module,
    criterion: Loss,
    x: FloatArray,
    y: NDArray[Any],
    penalties: Sequence[PenaltyTerm] = (),
) -> tuple[float, float]:
    r"""Add the gradient of loss plus penalties to the parameters' ``grad``.

    .. math::

        \tilde L(\theta) = L(f_\theta(x), y) + \sum_j \Omega_j(\theta_j)

    Parameters
    ----------
    model : Module
        :math:`f_\theta`.
    criterion : Loss
        :math:`L`.
    x, y : ndarray
        A batch.
    penalties : sequence of PenaltyTerm, default=()
        The :math:`\Omega_j`, see :func:`penalty_terms`.

    Returns
    -------
    loss : float
        :math:`L`, without the penalties.
    penalty : float
        The sum of the :math:`\Omega_j`.
    """
    loss = criterion(model(x), y)
    model.backward_parameters(criterion.backward())
    total_penalty = 0.0
    for term in penalties:
        total_penalty += float(term.penalty.value(term.parameter.data))
        term.parameter.grad += term.penalty.subgradient(term.parameter.data)
    return loss, total_penalty


def fit(
    model: Module,
    criterion: Loss,
    optimizer: Optimizer,
    X: FloatArray,
    y: NDArray[Any],
    *,
    epochs: int,
    batch_size: int = 32,
    validation_data: tuple[FloatArray, NDArray[Any]] | None = None,
    metrics: Mapping[str, Metric] | None = None,
    penalty: TrainingPenalty | Mapping[str, TrainingPenalty] | None = None,
    augment: Augment | None = None,
    scheduler: LRScheduler | None = None,
    callbacks: Sequence[Callback] = (),
    shuffle: bool = True,
    drop_last: bool = False,
    evaluate_train: bool = False,
    progress: bool | None = None,
    random_state: int | np.random.Generator | None = None,
) -> History:
    r"""Train a network with mini-batches.

    The history holds, for each epoch,

    ==========================  ==============================================================
    ``loss``                    average loss of the epoch's batches, *while* training: with
                                dropout on and with weights that changed from batch to batch
    ``penalty``                 average penalty, which ``loss`` does not contain
    ``lr``                      learning rate of the first parameter group
    ``val_loss``, ``val_...``   loss and metrics of `validation_data`, in evaluation mode
    ``train_loss``, ...         the same of the training data, if `evaluate_train`
    ==========================  ==============================================================

    Only ``train_loss`` can be compared with ``val_loss``. Afterwards the model is in evaluation
    mode.

    Parameters
    ----------
    model : Module
        The network.
    criterion : Loss
        The loss.
    optimizer : Optimizer
        Made for the model's parameters.
    X : ndarray of shape (n_samples, ...)
        Training inputs.
    y : ndarray of shape (n_samples, ...)
        Training targets.
    epochs : int
        Number of passes through the training data.
    batch_size : int, default=32
        Samples per step.
    validation_data : (X, y) or None, default=None
        Data to evaluate after each epoch.
    metrics : dict of callable or None, default=None
        More to evaluate: functions of (prediction, target), such as :func:`accuracy`.
    penalty : TrainingPenalty, dict of TrainingPenalty or None, default=None
        Added to the loss; on which parameters it acts, :func:`penalty_terms` says.
    augment : callable or None, default=None
        Changes each batch before its step: called with inputs, targets and the generator of this
        training, it returns new inputs and targets. :class:`~lessons_lib.augment.tabular.Mixup` is
        one; a transform of inputs alone becomes one by
        ``lambda x, y, rng: (transform(x, rng), y)``. Evaluation sees the data as they are.
    scheduler : LRScheduler or None, default=None
        Makes one step after each epoch.
    callbacks : sequence of Callback, default=()
        Such as :class:`EarlyStopping`.
    shuffle : bool, default=True
        Whether to put the samples in a new random order each epoch.
    drop_last : bool, default=False
        Whether to leave out a last batch of fewer than `batch_size` samples.
    evaluate_train : bool, default=False
        Whether to evaluate the training data too.
    progress : bool or None, default=None
        Whether to show a progress bar (with the package ``tqdm``). None shows it in a terminal, if
        the training takes longer than two seconds.
    random_state : int, Generator or None, default=None
        Source of the order of samples and of the augmentation. Give one generator to the layers
        and to this function, and the whole training follows from its seed.

    Returns
    -------
    History
        What was measured.

    Raises
    ------
    DivergenceError
        If a loss is infinite or not a number.
    """
    _check_data(X, y, batch_size, drop_last)
    check_integer("epochs", epochs, 1)
    check_flag("shuffle", shuffle)
    check_flag("evaluate_train", evaluate_train)
    rng = np.random.default_rng(random_state)
    terms = penalty_terms(model, penalty)
    state = TrainingState(model, optimizer, history={})
    for callback in callbacks:
        callback.on_train_begin(state)
    # Overflow needs no warning: the loss is checked after every step.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for state.epoch in _epochs(epochs, progress):
            order = rng.permutation(len(X)) if shuffle else np.arange(len(X))
            batches = _batches(X, y, order, batch_size, drop_last)
            if augment is not None:
                batches = (augment(x, t, rng) for x, t in batches)
            _record(state, _train_epoch(state, criterion, batches, terms, callbacks))
            if evaluate_train:
                _record(state, evaluate(model, criterion, X, y, metrics), "train_")
            if validation_data is not None:
                _record(state, evaluate(model, criterion, *validation_data, metrics), "val_")
            if scheduler is not None:
                scheduler.step()
            for callback in callbacks:
                callback.on_epoch_end(state)
            if state.stop_training:
                break
    for callback in callbacks:
        callback.on_train_end(state)
    model.eval()
    return History(state.history, tuple(term.name for term in terms), state.step)


def _train_epoch(
    state: TrainingState,
    criterion: Loss,
    batches: Iterable[tuple[FloatArray, NDArray[Any]]],
    terms: Sequence[PenaltyTerm],
    callbacks: Sequence[Callback],
) -> dict[str, float]:
    """Make one optimizer step per batch; return the averages of the epoch."""
    state.model.train()
    losses, penalties, sizes = [], [], []
    learning_rate = [float(group["lr"]) for group in state.optimizer.param_groups]
    for x, y in batches:
        state.optimizer.zero_grad()
        loss, penalty = backpropagate(state.model, criterion, x, y, terms)
        if not np.isfinite(loss + penalty):
            raise DivergenceError("loss", loss + penalty, state.epoch, state.step, learning_rate)
        if isinstance(state.optimizer, SAM):  # the second gradient, of the same batch
            state.optimizer.first_step()
            state.optimizer.zero_grad()
            backpropagate(state.model, criterion, x, y, terms)
        for callback in callbacks:
            callback.on_before_step(state)
        state.optimizer.step()
        state.step += 1
        for callback in callbacks:
            callback.on_batch_end(state)
        losses.append(loss)
        penalties.append(penalty)
        sizes.append(len(x))
    if criterion.reduction == "mean":
        epoch_loss = float(np.multiply(losses, sizes).sum() / sum(sizes))
    else:
        epoch_loss = float(np.sum(losses))
    measured = {"loss": epoch_loss, "lr": learning_rate[0]}
    if terms:
        measured["penalty"] = float(np.mean(penalties))
    return measured


def evaluate(
    model: Module,
    criterion: Loss,
    X: FloatArray,
    y: NDArray[Any],
    metrics: Mapping[str, Metric] | None = None,
) -> dict[str, float]:
    """Return the loss, without penalties, and the metrics of some data, in evaluation mode.

    Parameters
    ----------
    model : Module
        The network; each of its modules is in the same mode afterwards as before.
    criterion : Loss
        The loss.
    X, y : ndarray
        Inputs and targets.
    metrics : dict of callable or None, default=None
        Functions of (prediction, target).

    Returns
    -------
    dict of float
        ``loss``, and each metric under its name.
    """
    prediction = predict(model, X)
    measured = {"loss": criterion(prediction, y)}
    for name, metric in (metrics or {}).items():
        measured[name] = float(metric(prediction, y))
    return measured


def predict(model: Module, X: FloatArray, *, batch_size: int = 1024) -> FloatArray:
    """Return the outputs (logits, if the loss takes logits) in evaluation mode.

    Parameters
    ----------
    model : Module
        The network; each of its modules is in the same mode afterwards as before.
    X : ndarray of shape (n_samples, ...)
        Inputs.
    batch_size : int, default=1024
        Samples per forward pass; it changes memory and time only.

    Returns
    -------
    ndarray of shape (n_samples, ...)
        The outputs.
    """
    starts = range(0, max(len(X), 1), check_integer("batch_size", batch_size, 1))
    with _evaluation_mode(model):
        return np.concatenate([model(X[start : start + batch_size]) for start in starts])


def monte_carlo_predict(model: Module, X: FloatArray, n_draws: int) -> FloatArray:
    """Return outputs with dropout left on, once per draw; all else in evaluation mode.

    Parameters
    ----------
    model : Module
        A network with at least one :class:`Dropout`.
    X : ndarray of shape (n_samples, ...)
        Inputs.
    n_draws : int
        Number of forward passes, each with new masks.

    Returns
    -------
    ndarray of shape (n_draws, n_samples, ...)
        The outputs.

    References
    ----------
    Y. Gal, Z. Ghahramani, "Dropout as a Bayesian Approximation: Representing Model Uncertainty in
    Deep Learning", ICML 2016, section 4.
    """
    with _evaluation_mode(model):
        dropouts = [module for module in model.modules() if isinstance(module, Dropout)]
        if not dropouts:
            raise ValueError("monte_carlo_predict needs a model with at least one Dropout")
        for dropout in dropouts:
            dropout.train()
        return np.stack([model(X) for _ in range(check_integer("n_draws", n_draws, 1))])


def accuracy(prediction: FloatArray, target: NDArray[Any]) -> float:
    """Return the fraction of right labels.

    Parameters
    ----------
    prediction : ndarray of shape (n_samples, n_classes), (n_samples, 1) or (n_samples,)
        Logits: the largest wins; a single one says class 1 if it is positive, else class 0. A
        sample with NaN among its logits is wrong.
    target : ndarray
        Labels, one per sample.

    Returns
    -------
    float
        Between 0 and 1.

    Examples
    --------
    >>> accuracy(np.array([[2.0, 1.0], [0.0, 3.0]]), np.array([0, 0]))
    0.5
    """
    several = prediction.ndim == 2 and prediction.shape[1] > 1
    labels = prediction.argmax(axis=1) if several else prediction.ravel() > 0
    target = np.asarray(target).ravel()
    if labels.shape != target.shape:
        raise ValueError(f"accuracy: {len(labels)} predictions but {len(target)} labels")
    answered = ~np.isnan(prediction.reshape(len(labels), -1)).any(axis=1)
    return float(np.mean((labels == target) & answered))


@contextmanager
def _evaluation_mode(model: Module) -> Iterator[None]:
    """Put every module in evaluation mode, and afterwards each back in its own."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def _batches(
    X: FloatArray, y: NDArray[Any], order: NDArray[np.int_], batch_size: int, drop_last: bool
) -> Iterator[tuple[FloatArray, NDArray[Any]]]:
    X, y = X[order], y[order]  # one large copy is faster than many small ones
    stop = len(X) - len(X) % batch_size if drop_last else len(X)
    for start in range(0, stop, batch_size):
        yield X[start : start + batch_size], y[start : start + batch_size]


def _record(state: TrainingState, measured: Mapping[str, float], prefix: str = "") -> None:
    for name, value in measured.items():
        state.history.setdefault(prefix + name, []).append(value)
        if name == "loss" and not np.isfinite(value):
            lr = [float(group["lr"]) for group in state.optimizer.param_groups]
            raise DivergenceError(prefix + name, value, state.epoch, state.step, lr)


def _check_data(X: FloatArray, y: NDArray[Any], batch_size: int, drop_last: bool) -> None:
    if len(X) != len(y):
        raise ValueError(f"X and y must have equally many samples, got {len(X)} and {len(y)}")
    check_integer("batch_size", batch_size, 1)
    if len(X) == 0:
        raise ValueError("X is empty: there is nothing to train on")
    if check_flag("drop_last", drop_last) and batch_size > len(X):
        raise ValueError(
            f"drop_last=True leaves no batch: batch_size is {batch_size}, X has {len(X)} samples"
        )


def _epochs(epochs: int, progress: bool | None) -> Iterable[int]:
    """Count the epochs, with a progress bar if wanted and if ``tqdm`` is installed."""
    if progress is not None and not check_flag("progress", progress):
        return range(epochs)
    if importlib.util.find_spec("tqdm") is None:
        if progress:
            raise ImportError("progress=True needs the package tqdm: pip install tqdm")
        return range(epochs)
    tqdm = importlib.import_module("tqdm").tqdm
    # disable=None: silent unless the output is a terminal, so never in a notebook's output.
    options = {} if progress else {"disable": None, "delay": 2, "leave": False}
    bar: Iterable[int] = tqdm(range(epochs), unit="epoch", **options)
    return bar

"""Callbacks: what else happens during training, early stopping first among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lessons_lib._validation import check_flag, check_integer, check_interval
from lessons_lib.network.module import Module
from lessons_lib.network.optimizers import Optimizer

__all__ = [
    "STOPPING_RULES",
    "Callback",
    "EarlyStopping",
    "StoppingRule",
    "TrainingState",
    "stopping_epoch",
]


@dataclass
class TrainingState:
    """Where the training is: what a callback sees and may change.

    Attributes
    ----------
    model : Module
        The network in training.
    optimizer : Optimizer
        Its optimizer.
    history : dict of list of float
        What was measured so far, one value per epoch.
    epoch : int
        The current epoch, from 0.
    step : int
        Number of optimizer steps finished.
    stop_training : bool
        Set it to True to end the training after this epoch.
    """

    model: Module
    optimizer: Optimizer
    history: dict[str, list[float]]
    epoch: int = 0
    step: int = 0
    stop_training: bool = False


class Callback:
    """Base class; a subclass overrides the moments that it needs.

    Examples
    --------
    >>> from lessons_lib.network import clip_grad_norm_
    >>> class ClipGradients(Callback):
    ...     def on_before_step(self, state):
    ...         clip_grad_norm_(state.model.parameters(), max_norm=1.0)
    """

    def on_train_begin(self, state: TrainingState) -> None:
        """Before the first epoch."""

    def on_before_step(self, state: TrainingState) -> None:
        """When the gradients are ready: the place to clip them."""

    def on_batch_end(self, state: TrainingState) -> None:
        """After an optimizer step: the place to constrain weights."""

    def on_epoch_end(self, state: TrainingState) -> None:
        """When the epoch's values are in the history."""

    def on_train_end(self, state: TrainingState) -> None:
        """After the last epoch."""


class EarlyStopping(Callback):
    r"""Stop when the monitored value has not improved for `patience` epochs.

    An epoch improves if its value is below the best so far by *more* than `min_delta`. The training
    ends after the epoch that is the `patience`-th in a row without improvement, so that `patience`
    epochs are run beyond the best one. It never ends after the very first epoch. A value that is
    not a number is no improvement. This is the rule of Keras; :func:`stopping_epoch` compares it
    with those of other libraries.

    Parameters
    ----------
    patience : int, default=0
        Epochs without improvement to wait for; 0 and 1 both stop at the first such epoch.
    min_delta : float, default=0.0
        Smallest change that counts.
    restore_best_weights : bool, default=False
        Whether to put back, at the end, the parameters and running statistics of the best epoch.
        If False the last ones stay, `patience` epochs past the best.
    monitor : str, default="val_loss"
        Name of the value in the history.
    mode : {"min", "max"}, default="min"
        Whether lower or higher is better.
    baseline : float or None, default=None
        With a number, patience is only renewed by an epoch that improves on it too: the training
        ends early if it does not get there.
    start_from_epoch : int, default=0
        Epochs of a warm-up, in which nothing is compared and no weights are kept.
    check_finite : bool, default=False
        Whether to stop at once if the value is infinite or not a number, as Lightning does.

    Attributes
    ----------
    best : float
        Best value.
    best_epoch : int or None
        Its epoch, from 0.
    stopped_epoch : int or None
        The epoch after which it stopped the training, from 0; None if it did not.
    wait : int
        Epochs since the best one.

    References
    ----------
    L. Prechelt, "Early Stopping — But When?", in: Neural Networks: Tricks of the Trade, 1998.
    """

    def __init__(
        self,
        patience: int = 0,
        min_delta: float = 0.0,
        restore_best_weights: bool = False,
        *,
        monitor: str = "val_loss",
        mode: Literal["min", "max"] = "min",
        baseline: float | None = None,
        start_from_epoch: int = 0,
        check_finite: bool = False,
    ) -> None:
        self.patience = check_integer("patience", patience, 0)
        self.min_delta = check_interval("min_delta", min_delta)
        if mode not in ("min", "max"):
            raise ValueError(f"mode must be 'min' or 'max', got {mode!r}")
        self.restore_best_weights = check_flag("restore_best_weights", restore_best_weights)
        self.baseline = None if baseline is None else check_interval("baseline", baseline, -np.inf)
        self.start_from_epoch = check_integer("start_from_epoch", start_from_epoch, 0)
        self.check_finite = check_flag("check_finite", check_finite)
        self.monitor = monitor
        self.mode = mode
        self.best: float
        self.best_epoch: int | None
        self.stopped_epoch: int | None
        self.wait: int
        self._best_state: dict[str, NDArray[Any]] | None
        self._reset()

    def on_train_begin(self, state: TrainingState) -> None:
        """Forget an earlier training."""
        self._reset()

    def on_epoch_end(self, state: TrainingState) -> None:
        """Compare the epoch's value with the best; ask to stop if patience is at its end."""
        if self.monitor not in state.history:
            raise ValueError(
                f"EarlyStopping: there is no {self.monitor!r} in the history, only "
                f"{sorted(state.history)}; values that start with val_ need validation_data"
            )
        if state.epoch < self.start_from_epoch:
            return
        value = state.history[self.monitor][-1]
        improved = self._improves(value, self.best)
        if self.restore_best_weights and (improved or self._best_state is None):
            self._best_state = state.model.state_dict()
        self.wait += 1
        if improved:
            self.best, self.best_epoch = value, state.epoch
            if self.baseline is None or self._improves(value, self.baseline):
                self.wait = 0
        out_of_patience = not improved and self.wait >= self.patience and state.epoch > 0
        if out_of_patience or (self.check_finite and not np.isfinite(value)):
            self.stopped_epoch = state.epoch
            state.stop_training = True

    def on_train_end(self, state: TrainingState) -> None:
        """Put the best weights back, stopped early or not."""
        if self._best_state is not None:
            state.model.load_state_dict(self._best_state)

    def _improves(self, value: float, reference: float) -> bool:
        if self.mode == "min":
            return value < reference - self.min_delta
        return value > reference + self.min_delta

    def _reset(self) -> None:
        self.best = np.inf if self.mode == "min" else -np.inf
        self.best_epoch = None
        self.stopped_epoch = None
        self.wait = 0
        self._best_state = None


@dataclass(frozen=True)
class StoppingRule:
    """How a library counts epochs without improvement.

    Attributes
    ----------
    extra_epochs : int
        0: stop when the count reaches the patience. 1: when it exceeds it, an epoch later.
    strict : bool
        Whether an improvement must be larger than `min_delta`. If as large is enough, a plateau
        counts as improvement when `min_delta` is 0.
    creeping : bool
        Whether improvements too small to count still move the reference. If so, a slow but steady
        descent never counts; if not, it counts each time that it has summed up to `min_delta`.
    """

    extra_epochs: int
    strict: bool
    creeping: bool


#: The rules of common libraries; ``sklearn_mlp`` is ``MLPClassifier(n_iter_no_change=, tol=)``,
#: ``sklearn_sgd`` the same of ``SGDClassifier``, and ``torch_plateau`` is
#: ``ReduceLROnPlateau(threshold_mode="abs")``, which lowers the learning rate.
STOPPING_RULES = {
    "keras": StoppingRule(extra_epochs=0, strict=True, creeping=False),
    "lightning": StoppingRule(extra_epochs=0, strict=True, creeping=False),
    "xgboost": StoppingRule(extra_epochs=0, strict=True, creeping=False),
    "lightgbm": StoppingRule(extra_epochs=0, strict=True, creeping=False),
    "ignite": StoppingRule(extra_epochs=0, strict=True, creeping=True),
    "sklearn_mlp": StoppingRule(extra_epochs=1, strict=False, creeping=True),
    "sklearn_sgd": StoppingRule(extra_epochs=0, strict=False, creeping=True),
    "torch_plateau": StoppingRule(extra_epochs=1, strict=True, creeping=False),
}


def stopping_epoch(
    values: Sequence[float], patience: int, min_delta: float = 0.0, rule: str = "keras"
) -> int | None:
    """Return the epoch, from 0, after which a library would stop, given a value per epoch.

    Parameters
    ----------
    values : sequence of float
        The monitored value of each epoch; lower is better. NaN is no improvement.
    patience : int
        What the library calls ``patience``, ``n_iter_no_change``, ``early_stopping_rounds`` or
        ``stopping_rounds``.
    min_delta : float, default=0.0
        What it calls ``min_delta``, ``tol`` or ``threshold``.
    rule : str, default="keras"
        A key of :data:`STOPPING_RULES`.

    Returns
    -------
    int or None
        None if the values end before it would stop.

    Examples
    --------
    >>> validation_loss = [1.0, 0.8, 0.9, 0.9, 0.9, 0.9]
    >>> stopping_epoch(validation_loss, patience=2)
    3
    >>> stopping_epoch(validation_loss, patience=2, rule="sklearn_mlp")
    4
    """
    if rule not in STOPPING_RULES:
        raise ValueError(f"rule must be one of {sorted(STOPPING_RULES)}, got {rule!r}")
    how = STOPPING_RULES[rule]
    last_count = max(check_integer("patience", patience, 0), 1) + how.extra_epochs
    reference, count = np.inf, 0
    for epoch, value in enumerate(values):
        target = reference - min_delta
        improved = value < target or (value == target and not how.strict)
        count = 0 if improved else count + 1
        if improved or (how.creeping and value < reference):
            reference = value
        if count >= last_count and epoch > 0:
            return epoch
    return None

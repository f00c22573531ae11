"""Which parameters an optimizer shrinks."""

from __future__ import annotations

from typing import Any

from lessons_lib._validation import check_interval
from lessons_lib.network.module import Module

__all__ = ["decay_groups"]


def decay_groups(model: Module, weight_decay: float) -> list[dict[str, Any]]:
    """Return parameter groups for an optimizer: decay for weights, none for biases and norms.

    Parameters
    ----------
    model : Module
    weight_decay : float
        For the parameters whose ``regularize`` is True.

    Returns
    -------
    list of dict
        At most two groups, the first with the decay.

    Examples
    --------
    >>> from lessons_lib.network import AdamW, Linear
    >>> optimizer = AdamW(decay_groups(Linear(3, 2, random_state=0), 0.1))
    >>> [(len(group["params"]), group["weight_decay"]) for group in optimizer.param_groups]
    [(1, 0.1), (1, 0.0)]
    """
    check_interval("weight_decay", weight_decay)
    parameters = model.parameters()
    groups = [
        {"params": [p for p in parameters if p.regularize], "weight_decay": weight_decay},
        {"params": [p for p in parameters if not p.regularize], "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]

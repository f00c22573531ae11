"""Neural networks in NumPy: layers with hand-derived gradients, losses, optimizers, training.

Layers, losses, optimizers, callbacks and what is built from them live here; what looks at a trained
network's loss from outside is in :mod:`lessons_lib.landscape`. Names, arguments and formulas are
PyTorch's. A network is trained in four calls:

>>> import numpy as np
>>> from lessons_lib.network import CrossEntropyLoss, Linear, ReLU, SGD, Sequential
>>> rng = np.random.default_rng(0)
>>> model = Sequential(Linear(2, 8, random_state=rng), ReLU(), Linear(8, 2, random_state=rng))
>>> criterion, optimizer = CrossEntropyLoss(), SGD(model.parameters(), lr=0.5)
>>> x = rng.standard_normal((32, 2))
>>> y = (x[:, 0] > x[:, 1]).astype(int)
>>> for step in range(100):
...     optimizer.zero_grad()
...     loss = criterion(model(x), y)
...     _ = model.backward(criterion.backward())
...     optimizer.step()
>>> loss < 0.1
True

:func:`fit` does the same with mini-batches, validation, penalties and early stopping.
"""

from lessons_lib.network.attention import Embedding, MultiHeadAttention, PositionalEmbedding
from lessons_lib.network.averaging import AveragedModel, WeightAveraging
from lessons_lib.network.batch_normalization import BatchNorm1d, BatchNorm2d
from lessons_lib.network.batch_statistics import GhostBatchNorm1d, ShiftingNoise
from lessons_lib.network.callbacks import (
    STOPPING_RULES,
    Callback,
    EarlyStopping,
    StoppingRule,
    TrainingState,
    stopping_epoch,
)
from lessons_lib.network.clipping import (
    clip_grad_norm_,
    clip_grad_value_,
    clip_weight_norm_,
    clip_weight_value_,
)
from lessons_lib.network.convolution import Conv2d, MaxPool2d
from lessons_lib.network.gradient_checking import gradient_check, numerical_gradient
from lessons_lib.network.label_smoothing import smooth_labels, smoothed_logit_gap
from lessons_lib.network.layers import Dropout, Flatten, Linear, ReLU, Tanh, uniform_fan_in
from lessons_lib.network.lora import LoRALinear
from lessons_lib.network.losses import BCEWithLogitsLoss, CrossEntropyLoss, Loss, MSELoss
from lessons_lib.network.module import Module, Parameter, Sequential
from lessons_lib.network.optimizers import SGD, Adam, AdamW, Optimizer
from lessons_lib.network.parameter_groups import decay_groups
from lessons_lib.network.row_normalization import GroupNorm, InstanceNorm2d, LayerNorm, RMSNorm
from lessons_lib.network.sam import SAM
from lessons_lib.network.schedules import (
    CosineAnnealingLR,
    LambdaLR,
    LinearLR,
    LRScheduler,
    SequentialLR,
    StepLR,
)
from lessons_lib.network.spectral_normalization import SpectralNorm, power_iteration
from lessons_lib.network.stopping import PredictionRecorder, StoppingPoint, stopping_point
from lessons_lib.network.subnetworks import all_masks, subnetwork_outputs
from lessons_lib.network.training import (
    DivergenceError,
    History,
    PenaltyTerm,
    TrainingPenalty,
    accuracy,
    backpropagate,
    evaluate,
    fit,
    monte_carlo_predict,
    penalty_terms,
    predict,
)
from lessons_lib.network.transformer import (
    GELU,
    LastToken,
    Residual,
    TokenCrossEntropyLoss,
    TokensAsRows,
    TransformerBlock,
)

__all__ = [
    "GELU",
    "SAM",
    "SGD",
    "STOPPING_RULES",
    "Adam",
    "AdamW",
    "AveragedModel",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "BatchNorm2d",
    "Callback",
    "Conv2d",
    "CosineAnnealingLR",
    "CrossEntropyLoss",
    "DivergenceError",
    "Dropout",
    "EarlyStopping",
    "Embedding",
    "Flatten",
    "GhostBatchNorm1d",
    "GroupNorm",
    "History",
    "InstanceNorm2d",
    "LRScheduler",
    "LambdaLR",
    "LastToken",
    "LayerNorm",
    "Linear",
    "LinearLR",
    "LoRALinear",
    "Loss",
    "MSELoss",
    "MaxPool2d",
    "Module",
    "MultiHeadAttention",
    "Optimizer",
    "Parameter",
    "PenaltyTerm",
    "PositionalEmbedding",
    "PredictionRecorder",
    "RMSNorm",
    "ReLU",
    "Residual",
    "Sequential",
    "SequentialLR",
    "ShiftingNoise",
    "SpectralNorm",
    "StepLR",
    "StoppingPoint",
    "StoppingRule",
    "Tanh",
    "TokenCrossEntropyLoss",
    "TokensAsRows",
    "TrainingPenalty",
    "TrainingState",
    "TransformerBlock",
    "WeightAveraging",
    "accuracy",
    "all_masks",
    "backpropagate",
    "clip_grad_norm_",
    "clip_grad_value_",
    "clip_weight_norm_",
    "clip_weight_value_",
    "decay_groups",
    "evaluate",
    "fit",
    "gradient_check",
    "monte_carlo_predict",
    "numerical_gradient",
    "penalty_terms",
    "power_iteration",
    "predict",
    "smooth_labels",
    "smoothed_logit_gap",
    "stopping_epoch",
    "stopping_point",
    "subnetwork_outputs",
    "uniform_fan_in",
]

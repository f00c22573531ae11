"""Time of one training step: ``lessons_lib.network`` against PyTorch and other NumPy libraries.

Run it with ``python benchmarks/network.py``. Every library does the same work on the same batch:
gradients to zero, forward pass, loss, backward pass, optimizer step; float32, one thread. The
column *ratio* is the median over the rounds of our time divided by PyTorch's (CPU, eager mode) in
the same round; *best* the same for the fastest round of each, which neighbors on the machine
disturb least; *limit* the most that the ratio may be. *BLAS* is the best time of the step's matrix
products alone, again divided by PyTorch's: no implementation in NumPy can do without them.

The other two libraries are timed where they are installed and have the layers: numpy-ml
(``pip install numpy-ml``) and ML-From-Scratch (its repository on the path). Both compute in
float64 and do not know AdamW, so that their Adam is timed instead.

A second table has the parts of a transformer, forward and backward, against PyTorch alone, and a
whole step of a small language model.
"""

from __future__ import annotations

import collections
import collections.abc
import importlib
import itertools
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from _timing import interleaved_times  # sets the number of threads, so it comes first

# isort: split
import numpy as np
import torch

from lessons_lib.network import (
    GELU,
    SGD,
    AdamW,
    BatchNorm1d,
    Conv2d,
    CrossEntropyLoss,
    Dropout,
    Embedding,
    Flatten,
    GroupNorm,
    LayerNorm,
    Linear,
    MaxPool2d,
    Module,
    MultiHeadAttention,
    PositionalEmbedding,
    ReLU,
    RMSNorm,
    Sequential,
    TokenCrossEntropyLoss,
    TokensAsRows,
    TransformerBlock,
)

N_STEPS = 10  # timed in one go

Step = Callable[[], None]
Layer = tuple[Any, ...]


@dataclass(frozen=True)
class Case:
    """One row of the table: a network as a list of layers, each a name and its arguments."""

    name: str
    layers: Sequence[Layer]
    input_shape: tuple[int, ...]
    optimizer: str
    limit: float


def mlp(*sizes: int, regularized: bool = False) -> list[Layer]:
    layers: list[Layer] = []
    for n_in, n_out in itertools.pairwise(sizes[:-1]):
        norm: list[Layer] = [("norm", n_out)] if regularized else []
        drop: list[Layer] = [("dropout", 0.5)] if regularized else []
        layers += [("linear", n_in, n_out), *norm, ("relu",), *drop]
    return [*layers, ("linear", *sizes[-2:])]


SMALL = mlp(64, 128, 64, 10, regularized=True)
LARGE = mlp(784, 256, 128, 10)
CONV = [("conv", 1, 16), ("relu",), ("flatten",), ("linear", 1024, 10)]
CONV_POOL = [
    *[("conv", 1, 16), ("relu",), ("pool",)],
    *[("conv", 16, 32), ("relu",), ("pool",)],
    *[("flatten",), ("linear", 128, 10)],
]
CASES = [
    Case("64-128-64-10, batch norm, dropout", SMALL, (64, 64), "SGD", 0.45),
    Case("64-128-64-10, batch norm, dropout", SMALL, (64, 64), "AdamW", 0.45),
    Case("784-256-128-10", LARGE, (128, 784), "SGD", 0.8),
    Case("784-256-128-10", LARGE, (128, 784), "AdamW", 0.8),
    Case("8x8 images, one 3x3 convolution", CONV, (64, 1, 8, 8), "SGD", 0.6),
    Case("8x8 images, two convolutions, pooling", CONV_POOL, (64, 1, 8, 8), "SGD", 1.5),
]


def batch(case: Case) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    x = rng.standard_normal(case.input_shape).astype(np.float32)
    return x, rng.integers(0, 10, len(x))


def our_step(case: Case) -> Step:
    rng = np.random.default_rng(0)
    options: dict[str, Any] = {"dtype": np.float32, "random_state": rng}
    make = {
        "linear": lambda *sizes: Linear(*sizes, **options),
        "conv": lambda *channels: Conv2d(*channels, 3, padding=1, **options),
        "norm": lambda size: BatchNorm1d(size, dtype=np.float32),
        "relu": ReLU,
        "dropout": lambda p: Dropout(p, random_state=rng),
        "pool": lambda: MaxPool2d(2),
        "flatten": Flatten,
    }
    x, y = batch(case)
    model = Sequential(*(make[name](*arguments) for name, *arguments in case.layers))
    criterion = CrossEntropyLoss()
    parameters = model.parameters()
    sgd = case.optimizer == "SGD"
    optimizer = SGD(parameters, lr=0.01, momentum=0.9) if sgd else AdamW(parameters)

    def step() -> None:
        optimizer.zero_grad()
        criterion(model(x), y)
        model.backward_parameters(criterion.backward())
        optimizer.step()

    return step


def torch_step(case: Case) -> Step:
    nn = torch.nn
    make = {
        "linear": nn.Linear,
        "conv": lambda *channels: nn.Conv2d(*channels, 3, padding=1),
        "norm": nn.BatchNorm1d,
        "relu": nn.ReLU,
        "dropout": nn.Dropout,
        "pool": lambda: nn.MaxPool2d(2),
        "flatten": nn.Flatten,
    }
    x, y = (torch.from_numpy(array) for array in batch(case))
    model = nn.Sequential(*(make[name](*arguments) for name, *arguments in case.layers))
    criterion = nn.CrossEntropyLoss()
    optimizer: torch.optim.Optimizer = torch.optim.AdamW(model.parameters())
    if case.optimizer == "SGD":
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)

    def step() -> None:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()

    return step


def blas_step(case: Case) -> Step:
    """Compute only a step's matrix products: the first layer needs no gradient for its input."""
    rng = np.random.default_rng(0)
    n_samples, pixels = case.input_shape[0], int(np.prod(case.input_shape[2:]))
    operands = []
    for name, *sizes in case.layers:
        if name == "pool":
            pixels //= 4
        if name in ("linear", "conv"):
            rows = n_samples * pixels if name == "conv" else n_samples
            n_in = 9 * sizes[0] if name == "conv" else sizes[0]
            shapes = [(rows, n_in), (sizes[1], n_in), (rows, sizes[1])]
            x, weight, grad = (rng.standard_normal(shape).astype(np.float32) for shape in shapes)
            operands.append((x, np.asfortranarray(weight), grad))

    def step() -> None:
        for position, (x, weight, grad) in enumerate(operands):
            x @ weight.T
            grad.T @ x
            if position > 0:
                grad @ weight

    return step


def softmax_error(logits: Any, one_hot: Any) -> Any:
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (p / p.sum(axis=1, keepdims=True) - one_hot) / len(one_hot)


def numpy_ml_step(case: Case) -> Step | None:
    """Numpy-ml's layers; its dropout wraps the layer that follows."""
    if any(name == "pool" for name, *_ in case.layers):
        return None  # its pooling loops over pixels: 0.4 s for one step
    # Its last release imports this name from where it was before Python 3.10.
    collections.Hashable = collections.abc.Hashable  # type: ignore[attr-defined]
    try:
        layers = importlib.import_module("numpy_ml.neural_nets.layers")
        wrappers = importlib.import_module("numpy_ml.neural_nets.wrappers")
    except ImportError:
        return None
    optimizer = "SGD(lr=0.01, momentum=0.9)" if case.optimizer == "SGD" else "Adam()"
    model: list[Any] = []
    p_drop = 0.0
    for position, (name, *arguments) in enumerate(case.layers):
        following = case.layers[position + 1][0] if position + 1 < len(case.layers) else ""
        activation = "ReLU" if following == "relu" else None
        if name == "linear":
            layer = layers.FullyConnected(arguments[1], act_fn=activation, optimizer=optimizer)
            model.append(wrappers.Dropout(layer, p_drop) if p_drop else layer)
            p_drop = 0.0
        elif name == "conv":
            model.append(
                layers.Conv2D(
                    arguments[1], (3, 3), pad="same", act_fn=activation, optimizer=optimizer
                )
            )
        elif name == "norm":
            model.append(layers.BatchNorm1D(optimizer=optimizer))
        elif name == "flatten":
            model.append(layers.Flatten(optimizer=optimizer))
        elif name == "dropout":
            p_drop = arguments[0]
    x, y = batch(case)
    x = np.moveaxis(x, 1, -1) if x.ndim == 4 else x
    one_hot = np.eye(10)[y]

    def step() -> None:
        output = x
        for layer in model:
            output = layer.forward(output)
        grad = softmax_error(output, one_hot)
        for layer in reversed(model):
            grad = layer.backward(grad)
        for layer in model:  # the wrapper's own update() cannot be called
            getattr(layer, "_base_layer", layer).update()

    return step


def ml_from_scratch_step(case: Case) -> Step | None:
    """ML-From-Scratch's layers, which make the optimizer's step inside their backward pass."""
    try:
        layers = importlib.import_module("mlfromscratch.deep_learning.layers")
        optimizers = importlib.import_module("mlfromscratch.deep_learning.optimizers")
    except ImportError:
        return None
    if any(name == "pool" for name, *_ in case.layers):
        return None  # its pooling fails: it passes padding 0 where "same" or "valid" is wanted
    sgd = optimizers.StochasticGradientDescent(learning_rate=0.01, momentum=0.9)
    optimizer = sgd if case.optimizer == "SGD" else optimizers.Adam()
    make = {
        "linear": lambda n_in, n_out: layers.Dense(n_out),
        "conv": lambda c_in, c_out: layers.Conv2D(c_out, (3, 3)),
        "norm": lambda size: layers.BatchNormalization(),
        "relu": lambda: layers.Activation("relu"),
        "dropout": layers.Dropout,
        "flatten": layers.Flatten,
    }
    model: list[Any] = []
    shape = case.input_shape[1:]
    for name, *arguments in case.layers:
        layer = make[name](*arguments)
        layer.set_input_shape(shape)
        if hasattr(layer, "initialize"):
            layer.initialize(optimizer)
        shape = layer.output_shape()
        model.append(layer)
    x, y = batch(case)
    one_hot = np.eye(10)[y]

    def step() -> None:
        output = x
        for layer in model:
            output = layer.forward_pass(output, training=True)
        grad = softmax_error(output, one_hot)
        for layer in reversed(model):
            grad = layer.backward_pass(grad)

    return step


LIBRARIES: dict[str, Callable[[Case], Step | None]] = {
    "PyTorch": torch_step,
    "lessons_lib": our_step,
    "BLAS": blas_step,
    "numpy-ml": numpy_ml_step,
    "ML-From-Scratch": ml_from_scratch_step,
}
OTHERS = ("numpy-ml", "ML-From-Scratch")


FEATURES, HEADS, TOKENS, BATCH, VOCABULARY = 64, 4, 32, 32, 65
SEQUENCES = (BATCH, TOKENS, FEATURES)
IMAGES = (BATCH, 16, 8, 8)

# Our part, PyTorch's, and the shape of the input.
PARTS: dict[str, tuple[Callable[[], Module], Callable[[], Any], tuple[int, ...]]] = {
    "layer norm": (
        lambda: LayerNorm(FEATURES, dtype=np.float32),
        lambda: torch.nn.LayerNorm(FEATURES),
        SEQUENCES,
    ),
    "RMS norm": (
        lambda: RMSNorm(FEATURES, dtype=np.float32),
        lambda: torch.nn.RMSNorm(FEATURES),
        SEQUENCES,
    ),
    "group norm": (
        lambda: GroupNorm(4, 16, dtype=np.float32),
        lambda: torch.nn.GroupNorm(4, 16),
        IMAGES,
    ),
    "GELU": (GELU, torch.nn.GELU, SEQUENCES),
    "GELU, tanh": (lambda: GELU("tanh"), lambda: torch.nn.GELU("tanh"), SEQUENCES),
    "attention": (
        lambda: MultiHeadAttention(FEATURES, HEADS, dtype=np.float32, random_state=0),
        lambda: TorchAttention(),
        SEQUENCES,
    ),
    "block": (
        lambda: TransformerBlock(FEATURES, HEADS, dtype=np.float32, random_state=0),
        lambda: torch_block(),
        SEQUENCES,
    ),
}


class TorchAttention(torch.nn.Module):  # type: ignore[misc, unused-ignore]
    """Self-attention as a function of one argument."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = torch.nn.MultiheadAttention(FEATURES, HEADS, batch_first=True)

    def forward(self, x: Any) -> Any:
        """Attend to oneself."""
        return self.attention(x, x, x, need_weights=False)[0]


def torch_block() -> Any:
    gelu = torch.nn.GELU("tanh")
    return torch.nn.TransformerEncoderLayer(
        FEATURES, HEADS, 4 * FEATURES, 0.0, gelu, norm_first=True, batch_first=True
    )


def part_steps(name: str) -> dict[str, Step]:
    """Return forward and backward passes of one part."""
    make_ours, make_theirs, shape = PARTS[name]
    ours, theirs = make_ours(), make_theirs()
    rng = np.random.default_rng(0)
    x, grad = (rng.standard_normal(shape).astype(np.float32) for _ in range(2))
    their_x, their_grad = torch.from_numpy(x.copy()).requires_grad_(), torch.from_numpy(grad)

    def our_step() -> None:
        ours.zero_grad()
        ours(x)
        ours.backward(grad)

    def their_step() -> None:
        theirs.zero_grad()
        their_x.grad = None
        theirs(their_x).backward(their_grad)

    return {"lessons_lib": our_step, "PyTorch": their_step}


def language_model_steps() -> dict[str, Step]:
    """Return training steps of two causal blocks on characters, with AdamW."""
    rng = np.random.default_rng(0)
    options: dict[str, Any] = {"dtype": np.float32, "random_state": rng}
    model = Sequential(
        Embedding(VOCABULARY, FEATURES, **options),
        PositionalEmbedding(TOKENS, FEATURES, **options),
        *(TransformerBlock(FEATURES, HEADS, causal=True, **options) for _ in range(2)),
        LayerNorm(FEATURES, dtype=np.float32),
        TokensAsRows(),
        Linear(FEATURES, VOCABULARY, **options),
    )
    criterion, optimizer = TokenCrossEntropyLoss(), AdamW(model.parameters())
    x, y = rng.integers(0, VOCABULARY, (2, BATCH, TOKENS))

    def our_step() -> None:
        optimizer.zero_grad()
        criterion(model(x), y)
        model.backward_parameters(criterion.backward())
        optimizer.step()

    their_x, their_y = torch.from_numpy(x), torch.from_numpy(y)
    embedding = torch.nn.Embedding(VOCABULARY, FEATURES)
    places = torch.nn.Parameter(0.02 * torch.randn(TOKENS, FEATURES))
    blocks = torch.nn.ModuleList([torch_block(), torch_block()])
    head = torch.nn.Sequential(torch.nn.LayerNorm(FEATURES), torch.nn.Linear(FEATURES, VOCABULARY))
    mask = torch.nn.Transformer.generate_square_subsequent_mask(TOKENS)
    modules = (embedding, blocks, head)
    parameters = [places, *(p for module in modules for p in module.parameters())]
    their_optimizer = torch.optim.AdamW(parameters)

    def their_step() -> None:
        their_optimizer.zero_grad()
        h = embedding(their_x) + places
        for block in blocks:
            h = block(h, src_mask=mask, is_causal=True)
        logits = head(h).flatten(0, 1)
        torch.nn.functional.cross_entropy(logits, their_y.flatten()).backward()
        their_optimizer.step()

    return {"lessons_lib": our_step, "PyTorch": their_step}


def compare_parts() -> None:
    """Print the table of the parts of a transformer."""
    shape = f"{BATCH} x {TOKENS} tokens of {FEATURES}"
    print(f"\n{'forward and backward, ' + shape:50} {'PyTorch':>9} {'ratio':>6} {'best':>6}")
    cases = {name: part_steps(name) for name in PARTS}
    cases["training step, 2 causal blocks, AdamW"] = language_model_steps()
    for name, steps in cases.items():
        times = interleaved_times({key: repeat(step) for key, step in steps.items()})
        ours, theirs = times["lessons_lib"], times["PyTorch"]
        ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
        print(f"{name:50} {statistics.median(theirs) / N_STEPS * 1e6:6.0f} us", end="")
        print(f" {ratio:6.2f} {min(ours) / min(theirs):6.2f}", flush=True)


def repeat(step: Step) -> Step:
    """Make several steps in a row, as training does: each finds its data in the cache."""

    def steps() -> None:
        for _ in range(N_STEPS):
            step()

    return steps


def main() -> None:
    torch.set_num_threads(1)
    print(f"{'training step':40} {'optimizer':9} {'PyTorch':>9} {'ratio':>6} {'best':>6}", end="")
    print(f" {'limit':>6} {'BLAS':>6} {'numpy-ml':>9} {'ML-From-Scratch':>16}")
    for case in CASES:
        steps = {name: make(case) for name, make in LIBRARIES.items()}
        times = interleaved_times({name: repeat(step) for name, step in steps.items() if step})
        reference = times["PyTorch"]
        ratio = {
            name: statistics.median(t / r for t, r in zip(values, reference, strict=True))
            for name, values in times.items()
        }
        best = {name: min(values) / min(reference) for name, values in times.items()}
        step_time = statistics.median(reference) / N_STEPS
        others = [f"{ratio[name]:.2f}" if name in ratio else "-" for name in OTHERS]
        print(f"{case.name:40} {case.optimizer:9} {step_time * 1e6:6.0f} us", end="")
        print(f" {ratio['lessons_lib']:6.2f} {best['lessons_lib']:6.2f} {case.limit:6.2f}", end="")
        print(f" {best['BLAS']:6.2f} {others[0]:>9} {others[1]:>16}", flush=True)
    compare_parts()


if __name__ == "__main__":
    main()

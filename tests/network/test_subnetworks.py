"""Enumerating subnetworks: the masks, their probabilities, and each subnetwork by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from lessons_lib.network import Dropout, Linear, ReLU, Sequential, all_masks, subnetwork_outputs

RNG = np.random.default_rng(0)
X = RNG.normal(size=(5, 3))


def small_network() -> Sequential:
    rng = np.random.default_rng(1)
    layers = (Linear(3, 4, random_state=rng), ReLU(), Dropout(0.3, random_state=rng))
    return Sequential(Dropout(0.2), *layers, Dropout(0.0), Linear(4, 2, random_state=rng))


def test_masks_are_all_words() -> None:
    words = {tuple(row) for row in all_masks(5).tolist()}
    assert words == set(itertools.product([False, True], repeat=5))
    assert all_masks(5).dtype == np.bool_


@pytest.mark.parametrize("p", [0.1, 0.5])
def test_the_number_of_units_kept_is_binomial(p: float) -> None:
    model = Sequential(Dropout(p), Linear(6, 1, random_state=0))
    probabilities, _ = subnetwork_outputs(model, np.ones((1, 6)))
    kept = all_masks(6).sum(axis=1)
    counts = np.bincount(kept, weights=probabilities)
    np.testing.assert_allclose(counts, stats.binom.pmf(np.arange(7), 6, 1 - p), rtol=1e-12)


def test_outputs_are_those_of_networks_with_columns_removed() -> None:
    model = small_network()
    probabilities, outputs = subnetwork_outputs(model, X)
    first, second = (layer for layer in model if isinstance(layer, Linear))
    assert first.bias is not None
    assert second.bias is not None
    assert outputs.shape == (2**7, 5, 2)
    assert probabilities.sum() == pytest.approx(1)
    for row, mask in enumerate(all_masks(7)):
        kept_inputs, kept_units = np.flatnonzero(mask[:3]), np.flatnonzero(mask[3:])
        weight = first.weight.data[np.ix_(kept_units, kept_inputs)]
        hidden = np.maximum(X[:, kept_inputs] / 0.8 @ weight.T + first.bias.data[kept_units], 0)
        expected = hidden / 0.7 @ second.weight.data[:, kept_units].T + second.bias.data
        np.testing.assert_allclose(outputs[row], expected, atol=1e-12)
        assert probabilities[row] == pytest.approx(
            0.8 ** len(kept_inputs)
            * 0.2 ** (3 - len(kept_inputs))
            * 0.7 ** len(kept_units)
            * 0.3 ** (4 - len(kept_units))
        )


def test_it_leaves_the_model_as_it_was() -> None:
    model = small_network()
    model.eval()
    dropout = model[0]
    assert isinstance(dropout, Dropout)
    dropout.train()
    dropout.fixed_mask = [True, False, True]
    before = model(X)
    subnetwork_outputs(model, X)
    assert [module.training for module in model] == [True, *[False] * 5]
    assert dropout.fixed_mask == [True, False, True]
    np.testing.assert_array_equal(model(X), before)


def test_bad_input() -> None:
    with pytest.raises(ValueError, match="n_units must be at most 16, got 17"):
        all_masks(17)
    with pytest.raises(ValueError, match="n_units"):
        all_masks(0)
    with pytest.raises(ValueError, match="above 0, got none"):
        subnetwork_outputs(Sequential(Linear(3, 1), Dropout(0.0)), X)
    with pytest.raises(ValueError, match="at most 16 units, got 17"):
        subnetwork_outputs(Sequential(Linear(3, 17), Dropout(0.5)), X)

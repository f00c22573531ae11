r"""What a transformer adds to a network: embeddings of tokens and places, and attention.

A batch of texts is an array of token numbers of shape (n_samples, n_tokens); an embedding turns it
into vectors of shape (n_samples, n_tokens, n_features).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray
from scipy.special import softmax

from lessons_lib._validation import check_integer
from lessons_lib.network._common import (
    FloatArray,
    after_forward,
    check_batch,
    check_grad,
    column_sums,
    float_dtype,
)
from lessons_lib.network.layers import Dropout, Linear
from lessons_lib.network.module import Module, Parameter

__all__ = ["Embedding", "MultiHeadAttention", "PositionalEmbedding"]

RandomState = int | np.random.Generator | None


class Embedding(Module):
    r"""A vector for each token: row :math:`t` of a matrix, the product of it with a one-hot row.

    .. math::

        Y_i = W_{t_i}, \qquad \frac{\partial L}{\partial W_t} = \sum_{i:\, t_i = t} G_i

    Parameters
    ----------
    num_embeddings : int
        Number of different tokens.
    embedding_dim : int
        Length of the vectors.
    dtype : float32 or float64, default=float64
        Type of the vectors.
    random_state : int, Generator or None, default=None
        Source of the initial values, standard normal.

    Attributes
    ----------
    weight : Parameter of shape (num_embeddings, embedding_dim)
        `W`.

    Examples
    --------
    >>> layer = Embedding(5, 2, random_state=0)
    >>> layer(np.array([[4, 0, 4]])).shape
    (1, 3, 2)
    >>> layer.backward_parameters(np.ones((1, 3, 2)))
    >>> layer.weight.grad[:, 0]
    array([1., 0., 0., 0., 2.])
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        *,
        dtype: DTypeLike = np.float64,
        random_state: RandomState = None,
    ) -> None:
        super().__init__()
        self.num_embeddings = check_integer("num_embeddings", num_embeddings, 1)
        self.embedding_dim = check_integer("embedding_dim", embedding_dim, 1)
        start = np.random.default_rng(random_state).standard_normal((num_embeddings, embedding_dim))
        self.weight = Parameter(start.astype(float_dtype(dtype)))
        self._tokens: NDArray[Any] | None = None

    def forward(self, x: NDArray[Any]) -> FloatArray:
        """Look up integer tokens of any shape; the vectors are on a new last axis."""
        if not isinstance(x, np.ndarray) or x.dtype.kind not in "iu":
            kind = x.dtype if isinstance(x, np.ndarray) else type(x).__name__
            raise TypeError(f"Embedding: x must be an array of integers, got {kind}")
        if x.size == 0 or x.min() < 0 or x.max() >= self.num_embeddings:
            got = f"{x.min()} to {x.max()}" if x.size else "an empty array"
            raise ValueError(f"Embedding: x must hold 0..{self.num_embeddings - 1}, got {got}")
        self._tokens = x
        vectors: FloatArray = self.weight.data[x]
        return vectors

    def backward_parameters(self, grad: FloatArray) -> None:
        """Add each token's gradients to its row."""
        tokens = after_forward(self, self._tokens)
        check_grad(self, grad, (*tokens.shape, self.embedding_dim))
        np.add.at(self.weight.grad, tokens.ravel(), grad.reshape(-1, self.embedding_dim))

    def backward(self, grad: FloatArray) -> FloatArray:
        """Accumulate the gradient; return zeros, since tokens are no numbers to change."""
        self.backward_parameters(grad)
        tokens = after_forward(self, self._tokens)
        return np.zeros(tokens.shape, self.weight.data.dtype)

    def _describe(self) -> str:
        return f"{self.num_embeddings}, {self.embedding_dim}"


class PositionalEmbedding(Module):
    r"""Add a learned vector for each place, since attention alone does not know the order.

    .. math::

        Y_{nt} = X_{nt} + P_t, \qquad \frac{\partial L}{\partial P_t} = \sum_n G_{nt}

    Parameters
    ----------
    num_positions : int
        Largest number of tokens.
    embedding_dim : int
        Length of the vectors.
    dtype : float32 or float64, default=float64
        Type of the vectors.
    random_state : int, Generator or None, default=None
        Source of the initial values, normal with standard deviation 0.02 as in GPT-2.

    Attributes
    ----------
    weight : Parameter of shape (num_positions, embedding_dim)
        `P`.
    """

    def __init__(
        self,
        num_positions: int,
        embedding_dim: int,
        *,
        dtype: DTypeLike = np.float64,
        random_state: RandomState = None,
    ) -> None:
        super().__init__()
        self.num_positions = check_integer("num_positions", num_positions, 1)
        self.embedding_dim = check_integer("embedding_dim", embedding_dim, 1)
        start = np.random.default_rng(random_state).standard_normal((num_positions, embedding_dim))
        self.weight = Parameter((0.02 * start).astype(float_dtype(dtype)))
        self._shape: tuple[int, ...] | None = None

    def forward(self, x: FloatArray) -> FloatArray:
        """Add the places' vectors to `x` of shape (n_samples, n_tokens, embedding_dim)."""
        check_batch(self, x, (3,), dtype=self.weight.data.dtype)
        if x.shape[1] > self.num_positions or x.shape[2] != self.embedding_dim:
            raise ValueError(
                f"PositionalEmbedding: x must have at most {self.num_positions} tokens of "
                f"{self.embedding_dim} features, got shape {x.shape}"
            )
        self._shape = x.shape
        return x + self.weight.data[: x.shape[1]]

    def backward(self, grad: FloatArray) -> FloatArray:
        """Accumulate the gradient of the places; pass the gradient on."""
        check_grad(self, grad, after_forward(self, self._shape))
        self.weight.grad[: grad.shape[1]] += grad.sum(axis=0)
        return grad

    def _describe(self) -> str:
        return f"{self.num_positions}, {self.embedding_dim}"


class MultiHeadAttention(Module):
    r"""Self-attention: every token becomes a weighted mean of what the tokens say.

    With queries, keys and values :math:`[Q, K, V] = X W_\text{in}^\top + b_\text{in}`, cut into
    heads of :math:`d` features each,

    .. math::

        A = \operatorname{softmax}\bigl(Q K^\top / \sqrt d\bigr), \qquad
        Y = [A_1 V_1, \dots, A_h V_h]\, W_\text{out}^\top + b_\text{out} .

    Backward, for each head, with :math:`G` the gradient for :math:`AV`:

    .. math::

        \frac{\partial L}{\partial V} = A^\top G, \quad
        \frac{\partial L}{\partial A} = G V^\top, \quad
        \frac{\partial L}{\partial S} = A \circ \Bigl(\frac{\partial L}{\partial A}
        - \sum_j A_j \frac{\partial L}{\partial A_j}\Bigr), \quad
        \frac{\partial L}{\partial Q} = \frac{1}{\sqrt d} \frac{\partial L}{\partial S} K, \quad
        \frac{\partial L}{\partial K} = \frac{1}{\sqrt d}\frac{\partial L}{\partial S}^{\!\top} Q .

    Parameters and initial values are those of PyTorch's ``MultiheadAttention``.

    Parameters
    ----------
    embed_dim : int
        Number of features.
    num_heads : int
        Number of heads, which divides `embed_dim`.
    dropout : float in [0, 1), default=0.0
        Probability to drop an attention weight in training.
    bias : bool, default=True
        Whether :math:`b_\text{in}` and :math:`b_\text{out}` exist.
    causal : bool, default=False
        Whether a token sees only itself and what comes before it.
    dtype : float32 or float64, default=float64
        Type of the parameters, which the input must share.
    random_state : int, Generator or None, default=None
        Source of the initial values and of dropout.

    Attributes
    ----------
    in_proj_weight : Parameter of shape (3 * embed_dim, embed_dim)
        :math:`W_\text{in}`: queries, keys, values.
    in_proj_bias : Parameter of shape (3 * embed_dim,) or None
        :math:`b_\text{in}`; penalties leave it alone.
    out_proj : Linear
        :math:`W_\text{out}` and :math:`b_\text{out}`.
    attention : ndarray of shape (n_samples, num_heads, n_tokens, n_tokens)
        :math:`A` of the last forward pass, before dropout; rows sum to 1.

    References
    ----------
    A. Vaswani et al., "Attention Is All You Need", NeurIPS 2017, section 3.2.

    Examples
    --------
    >>> layer = MultiHeadAttention(4, 2, causal=True, random_state=0)
    >>> layer(np.random.default_rng(0).standard_normal((1, 3, 4))).shape
    (1, 3, 4)
    >>> layer.attention[0, 0, 0]
    array([1., 0., 0.])
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        *,
        causal: bool = False,
        dtype: DTypeLike = np.float64,
        random_state: RandomState = None,
    ) -> None:
        super().__init__()
        self.embed_dim = check_integer("embed_dim", embed_dim, 1)
        self.num_heads = check_integer("num_heads", num_heads, 1)
        if embed_dim % num_heads:
            raise ValueError(f"num_heads must divide embed_dim, got {num_heads} and {embed_dim}")
        self.causal = causal
        rng = np.random.default_rng(random_state)
        bound = np.sqrt(6 / (4 * embed_dim))  # Glorot's, for 3 n outputs and n inputs
        start = rng.uniform(-bound, bound, (3 * embed_dim, embed_dim)).astype(float_dtype(dtype))
        self.in_proj_weight = Parameter(start)
        zeros: FloatArray = np.zeros(3 * embed_dim, start.dtype)
        self.in_proj_bias = Parameter(zeros, regularize=False) if bias else None
        out_proj = Linear(embed_dim, embed_dim, bias, dtype=dtype, random_state=rng)
        if out_proj.bias is not None:
            out_proj.bias.data = zeros[:embed_dim]
        self.out_proj: Module = out_proj
        self.dropout = Dropout(dropout, random_state=rng)
        self._saved: tuple[FloatArray, ...] | None = None

    @property
    def attention(self) -> FloatArray:
        """The attention weights of the last forward pass."""
        return after_forward(self, self._saved)[4]

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Yield the output layer and dropout."""
        yield "out_proj", self.out_proj
        yield "dropout", self.dropout

    def forward(self, x: FloatArray, attn_mask: NDArray[np.bool_] | None = None) -> FloatArray:
        """Mix the tokens of `x` of shape (n_samples, n_tokens, embed_dim).

        Parameters
        ----------
        x : ndarray
        attn_mask : ndarray of bool or None, default=None
            True where a token (row) must *not* look at another one (column), as in PyTorch; of the
            shape (n_tokens, n_tokens), or (n_samples, n_tokens, n_tokens).

        Returns
        -------
        ndarray of the shape of `x`
        """
        check_batch(self, x, (3,), dtype=self.in_proj_weight.data.dtype)
        n, t, features = x.shape
        if features != self.embed_dim:
            raise ValueError(
                f"MultiHeadAttention: x must have {self.embed_dim} features on its last axis, "
                f"got shape {x.shape}"
            )
        rows = x.reshape(-1, features) @ self.in_proj_weight.data.T
        if self.in_proj_bias is not None:
            rows += self.in_proj_bias.data
        # (n, t, 3, heads, d) -> (3, n, heads, t, d)
        q, k, v = rows.reshape(n, t, 3, self.num_heads, -1).transpose(2, 0, 3, 1, 4)
        scores = q @ k.swapaxes(-1, -2)
        scores *= q.shape[-1] ** -0.5
        hidden = self._hidden(n, t, attn_mask)
        if hidden is not None:
            np.copyto(scores, -np.inf, where=hidden)
        attention: FloatArray = softmax(scores, axis=-1)
        dropped = self.dropout(attention) if self.dropout.p else attention
        self._saved = x, q, k, v, attention, dropped
        mixed = (dropped @ v).transpose(0, 2, 1, 3).reshape(n * t, features)
        return self.out_proj(mixed).reshape(x.shape)

    def _hidden(
        self, n: int, t: int, attn_mask: NDArray[np.bool_] | None
    ) -> NDArray[np.bool_] | None:
        """Return where attention is forbidden, in a shape that fits the scores, or None."""
        hidden = np.triu(np.ones((t, t), np.bool_), 1) if self.causal else None
        if attn_mask is None:
            return hidden
        if attn_mask.dtype != np.bool_ or attn_mask.shape not in ((t, t), (n, t, t)):
            raise ValueError(
                f"attn_mask must be bool of shape {(t, t)} or {(n, t, t)}, "
                f"got {attn_mask.dtype} of shape {attn_mask.shape}"
            )
        mask = attn_mask.reshape(-1, 1, t, t)
        hidden = mask if hidden is None else mask | hidden
        if hidden.all(axis=-1).any():
            raise ValueError("attn_mask leaves a token with nothing to look at")
        return hidden

    def backward_parameters(self, grad: FloatArray) -> None:
        """Accumulate the parameters' gradients."""
        self._back_to_projection(grad)

    def backward(self, grad: FloatArray) -> FloatArray:
        """Accumulate the parameters' gradients; return the gradient for the input."""
        return (self._back_to_projection(grad) @ self.in_proj_weight.data).reshape(grad.shape)

    def _back_to_projection(self, grad: FloatArray) -> FloatArray:
        """Return the gradient for queries, keys and values side by side."""
        x, q, k, v, attention, dropped = after_forward(self, self._saved)
        check_grad(self, grad, x.shape)
        n, t, features = x.shape
        g = self.out_proj.backward(grad.reshape(-1, features))
        g = g.reshape(n, t, self.num_heads, -1).swapaxes(1, 2)
        grad_attention: FloatArray = g @ v.swapaxes(-1, -2)
        if self.dropout.p:
            grad_attention = self.dropout.backward(grad_attention)
        along = (attention * grad_attention).sum(axis=-1, keepdims=True)
        grad_scores = attention * (grad_attention - along) * q.shape[-1] ** -0.5
        parts: FloatArray = np.empty((3, *q.shape), x.dtype)
        np.matmul(grad_scores, k, out=parts[0])
        np.matmul(grad_scores.swapaxes(-1, -2), q, out=parts[1])
        np.matmul(dropped.swapaxes(-1, -2), g, out=parts[2])
        rows = parts.transpose(1, 3, 0, 2, 4).reshape(n * t, 3 * features)
        self.in_proj_weight.add_product(rows.T, x.reshape(-1, features))
        if self.in_proj_bias is not None:
            self.in_proj_bias.grad += column_sums(rows)
        return rows

    def _describe(self) -> str:
        return f"{self.embed_dim}, {self.num_heads}, causal={self.causal}"

"""The model: a small Llama with tied embeddings, written so that its weights carry Hugging Face's names.

Source of the architecture: Touvron et al., "LLaMA" (2023); rotary embeddings in the half-split form that
Transformers uses, so that the exported safetensors need no change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

INITIAL_DEVIATION = 0.02


@dataclass(frozen=True)
class Shape:
    """The sizes of a model."""

    vocabulary: int
    width: int
    layers: int
    heads: int
    kv_heads: int
    feed_forward: int
    context: int
    rope_theta: float
    norm_epsilon: float

    @classmethod
    def of(cls, train: dict[str, Any], vocabulary: int) -> Shape:
        """From the [train] table."""
        names = ("width", "layers", "heads", "kv_heads", "feed_forward", "context", "rope_theta", "norm_epsilon")
        return cls(vocabulary=vocabulary, **{name: train[name] for name in names})

    @property
    def head(self) -> int:
        """The width of one attention head."""
        return self.width // self.heads


def rotary(shape: Shape) -> tuple[Tensor, Tensor]:
    """Cosines and sines, each (context, head)."""
    frequency = shape.rope_theta ** (-torch.arange(0, shape.head, 2, dtype=torch.float32) / shape.head)
    angle = torch.outer(torch.arange(shape.context, dtype=torch.float32), frequency)
    doubled = torch.cat((angle, angle), dim=-1)
    return doubled.cos(), doubled.sin()


def rotate(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Apply the rotary embedding to (batch, heads, time, head)."""
    first, second = x.chunk(2, dim=-1)
    return (x * cosine + torch.cat((-second, first), dim=-1) * sine).to(x.dtype)


class Attention(nn.Module):
    """Causal attention with grouped key and value heads."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        kv_width = shape.kv_heads * shape.head
        self.q_proj = nn.Linear(shape.width, shape.width, bias=False)
        self.k_proj = nn.Linear(shape.width, kv_width, bias=False)
        self.v_proj = nn.Linear(shape.width, kv_width, bias=False)
        self.o_proj = nn.Linear(shape.width, shape.width, bias=False)

    def forward(self, x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        """(batch, time, width) to the same."""
        batch, time, width = x.shape
        head, groups = self.shape.head, self.shape.kv_heads
        q = rotate(self.q_proj(x).view(batch, time, -1, head).transpose(1, 2), cosine, sine)
        k = rotate(self.k_proj(x).view(batch, time, groups, head).transpose(1, 2), cosine, sine)
        v = self.v_proj(x).view(batch, time, groups, head).transpose(1, 2)
        mixed = fused_attention(q, k, v) if x.is_cuda else plain_attention(q, k, v)
        out: Tensor = self.o_proj(mixed.transpose(1, 2).reshape(batch, time, width))
        return out


def fused_attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Causal attention by PyTorch's kernels: what a GPU wants. Shapes (batch, heads or groups, time, head)."""
    return functional.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)


def plain_attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """The same by plain matrix products: of a step on a CPU at this size 15 %, where PyTorch's kernels took 45 %."""
    batch, groups, time, head = k.shape
    # The queries that share a key head are stacked, so that keys need not be repeated.
    scores = q.reshape(batch, groups, -1, head) @ k.transpose(2, 3)
    scores = scores.view(batch, -1, time, time).float() * head**-0.5
    future = torch.ones(time, time, dtype=torch.bool, device=q.device).triu(1)
    weights = scores.masked_fill(future, float("-inf")).softmax(dim=-1).to(v.dtype)
    return (weights.view(batch, groups, -1, time) @ v).view(batch, -1, time, head)


class FeedForward(nn.Module):
    """SwiGLU."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(shape.width, shape.feed_forward, bias=False)
        self.up_proj = nn.Linear(shape.width, shape.feed_forward, bias=False)
        self.down_proj = nn.Linear(shape.feed_forward, shape.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, time, width) to the same."""
        out: Tensor = self.down_proj(functional.silu(self.gate_proj(x)) * self.up_proj(x))
        return out


class Layer(nn.Module):
    """Pre-norm attention and feed-forward."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.input_layernorm = nn.RMSNorm(shape.width, eps=shape.norm_epsilon)
        self.self_attn = Attention(shape)
        self.post_attention_layernorm = nn.RMSNorm(shape.width, eps=shape.norm_epsilon)
        self.mlp = FeedForward(shape)

    def forward(self, x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        """(batch, time, width) to the same."""
        x = x + self.self_attn(self.input_layernorm(x), cosine, sine)
        out: Tensor = x + self.mlp(self.post_attention_layernorm(x))
        return out


class Llama(nn.Module):
    """Token ids (batch, time) to logits (batch, time, vocabulary)."""

    cosine: Tensor
    sine: Tensor

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embed_tokens = nn.Embedding(shape.vocabulary, shape.width)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.norm = nn.RMSNorm(shape.width, eps=shape.norm_epsilon)
        cosine, sine = rotary(shape)
        self.register_buffer("cosine", cosine, persistent=False)
        self.register_buffer("sine", sine, persistent=False)
        for name, parameter in self.named_parameters():
            if parameter.ndim == 2:
                # Residual branches start small, so that depth does not change the scale (GPT-2's rule).
                scale = (2 * shape.layers) ** -0.5 if name.endswith(("o_proj.weight", "down_proj.weight")) else 1.0
                nn.init.normal_(parameter, std=INITIAL_DEVIATION * scale)

    def forward(self, ids: Tensor) -> Tensor:
        """Logits; the output matrix is the embedding."""
        time = ids.shape[1]
        cosine, sine = self.cosine[:time], self.sine[:time]
        x = self.embed_tokens(ids)
        for layer in self.layers:
            x = layer(x, cosine, sine)
        return functional.linear(self.norm(x), self.embed_tokens.weight)


def parameters(model: nn.Module) -> int:
    """How many numbers the model has learnt."""
    return sum(parameter.numel() for parameter in model.parameters())

"""How much of an accelerator's arithmetic and memory bandwidth a model uses: estimates, by formula; pure.

Arithmetic: a token costs 2 x parameters operations (a multiplication and an addition each) in a forward pass: Kaplan
et al. 2020, "Scaling Laws for Neural Language Models", table 1, without the attention's share, which is small at the
context lengths of completions. MFU is that rate over the device's peak: Chowdhery et al. 2022, "PaLM", appendix B.

Bandwidth: a step reads every weight once, and the keys and values of every running request once: Pope et al. 2022,
"Efficiently Scaling Transformer Inference", section 2. The bytes of a step over its time, over the device's peak.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

TERA = 1e12
GIGA = 1e9
MS = 1e3


@dataclass(frozen=True, slots=True)
class Device:
    """Peaks: operations a second (dense, 16 bit), and bytes a second."""

    flops: float
    bytes_per_s: float


def _device(tflops: float, gigabytes: float) -> Device:
    return Device(tflops * TERA, gigabytes * GIGA)


DEVICES: Mapping[str, Device] = MappingProxyType(
    {
        "H200": _device(989, 4_800),
        "H100 PCIe": _device(756, 2_000),
        "H100": _device(989, 3_350),
        "A100-SXM4-80GB": _device(312, 2_039),
        "A100": _device(312, 1_555),
        "L40S": _device(362, 864),
        "L4": _device(121, 300),
        "A10": _device(125, 600),
        "T4": _device(65, 300),
    }
)
"""By what is in the driver's name of a device, the first that fits. Peaks: NVIDIA's data sheets, without sparsity."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a model costs: parameters, bytes of all weights, bytes of one token's keys and values. Zero: not known."""

    parameters: float = 0.0
    weight_bytes: float = 0.0
    kv_bytes_per_token: float = 0.0


def device_named(name: str) -> Device | None:
    """The peaks of a device by its driver's name; None if it is not in the table."""
    return next((device for key, device in DEVICES.items() if key in name), None)


def dense_parameters(
    *,
    layers: int,
    width: int,
    heads: int,
    kv_heads: int,
    head_width: int,
    feed_forward: int,
    vocabulary: int,
    tied: bool,
) -> int:
    """Parameters of a dense Llama-like model: attention, three feed-forward matrices, embeddings."""
    attention = width * head_width * (2 * heads + 2 * kv_heads)
    return layers * (attention + 3 * width * feed_forward) + vocabulary * width * (1 if tied else 2)


def flops_use(cost: Cost, device: Device | None, tokens_per_s: float) -> float:
    """MFU, 0 to 1: `tokens_per_s` are all tokens evaluated, of prompts (not those reused) and of answers."""
    if device is None or device.flops <= 0:
        return 0.0
    return min(1.0, 2 * cost.parameters * tokens_per_s / device.flops)


def bandwidth_use(cost: Cost, device: Device | None, step_ms: float, kv_tokens: float) -> float:
    """Share of the memory bandwidth, 0 to 1; `kv_tokens` are those of all requests in the KV cache that run."""
    if device is None or device.bytes_per_s <= 0 or step_ms <= 0 or cost.weight_bytes <= 0:
        return 0.0
    moved = cost.weight_bytes + cost.kv_bytes_per_token * kv_tokens
    return min(1.0, moved / (step_ms / MS) / device.bytes_per_s)

"""The fastest safe way to compute on this machine."""

from __future__ import annotations

import torch
from torch import nn

from taskweave.training.options import TrainingOptions


def settle(options: TrainingOptions) -> TrainingOptions:
    """Return the options with every "auto" replaced by what this machine does best.

    - device: CUDA if available.
    - memory_format: channels_last, which is faster for convolutions on CPU and on CUDA.
    - precision: bf16 autocast (weights, losses and statistics stay float32) if the hardware multiplies bf16, else float32.
    """
    device = options.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    precision = options.precision
    if precision == "auto":
        precision = "bf16" if has_fast_bf16(device) else "32"
    memory_format = "channels_last" if options.memory_format == "auto" else options.memory_format
    return options.model_copy(update={"device": device, "precision": precision, "memory_format": memory_format})


def has_fast_bf16(device: str) -> bool:
    """Whether bf16 products are computed by the hardware, not emulated (an AVX512-BF16 or AMX CPU, a CUDA GPU from 8.0)."""
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    try:
        able = torch.cpu.get_capabilities()
    except AttributeError:  # a torch that cannot tell: the safe answer
        return False
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))


def describe_speed(options: TrainingOptions) -> str:
    """One line on how the settled options compute, and how to choose otherwise."""
    precision = "bf16 autocast" if options.precision == "bf16" else "float32"
    return (
        f"{options.device}, {torch.get_num_threads()} threads, {precision}, {options.memory_format} "
        "(choose otherwise with device, precision, memory_format)"
    )


def prepare(net: nn.Module, options: TrainingOptions) -> None:
    """Lay the convolutions' weights out as the settled options say."""
    net.to(memory_format=torch.channels_last if options.memory_format == "channels_last" else torch.contiguous_format)


def is_channels_last(net: nn.Module) -> bool:
    """Whether the convolutions' weights lie channels last, so that images should too."""
    kernels = (p for p in net.parameters() if p.ndim == 4 and p.shape[1] > 1 and p.shape[2] > 1)
    return any(p.is_contiguous(memory_format=torch.channels_last) and not p.is_contiguous() for p in kernels)

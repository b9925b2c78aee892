"""Streams of DeepLab's networks that enlarge their logits to the picture's size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from taskweave.streams.stream import Memory, Stage, Stream


def enlarged(logits: Tensor, size: Sequence[int]) -> Tensor:
    """(B, C, h, w) at `size` (height, width); bilinear, align_corners=False."""
    return F.interpolate(logits, size=list(size), mode="bilinear", align_corners=False)


def note_image(net: nn.Module, x: Any, memory: Memory) -> Tensor:
    """A way in that remembers the picture."""
    image: Tensor = x
    memory["image"] = image
    return image


def enlarging_stream(net: nn.Module, stages: Mapping[str, Stage]) -> Stream:
    """`stages`, then DeepLab's head: the stage "aspp" (``head.0``), the last layer (``head.1``), at the picture's size."""
    return Stream(net, {**stages, "aspp": ("head.0",)}, enter=note_image, exit=_classify, head=("head.1",))


def _classify(net: nn.Module, memory: Memory) -> Tensor:
    return enlarged(net.get_submodule("head.1")(memory["aspp"]), memory["image"].shape[-2:])

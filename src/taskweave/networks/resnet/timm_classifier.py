"""Any timm network as the classifier of whole images: its own body, its own pooled linear head."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from taskweave.heads.layers import Rate
from taskweave.networks.resnet.deeplab_resnet import deeplab_resnet
from taskweave.parts import Part, part, states
from taskweave.streams.convert import as_stream

_MISSING = "timm_classifier needs timm: pip install taskweave[timm]"


def _stages(options: Mapping[str, Any]) -> tuple[str, ...]:
    return _stages_on(options["body"])


@functools.cache
def _stages_on(body: str) -> tuple[str, ...]:
    with torch.device("meta"):
        return tuple(as_stream(timm_classifier(1, body=body)).stages)


def _on_resnet(options: Mapping[str, Any]) -> Part[nn.Module]:
    """A DeepLab on the same body, which refuses what is no timm ResNet."""
    return part(deeplab_resnet, body=options["body"], output_stride=32)


@states(
    usual_stages=_stages,
    body_end=lambda options: _stages(options)[-1],
    body_prefix="",
    gives="numbers",
    dense_counterpart=_on_resnet,
)
def timm_classifier(channels: int, *, body: str = "resnet18", dropout: Rate = 0.0) -> nn.Module:
    """timm's network of a name with `channels` outputs; (B, 3, H, W) -> (B, channels), for H and W that it takes.

    Its stages are what `as_stream` knows of it ("layer1" ...), or the features that timm lists.
    Weights: `load_timm` or `load_pretrained`.

    Args:
        channels: Of the output, e.g. classes.
        body: "resnet18", "convnext_tiny", "efficientnet_b0", "vit_tiny_patch16_224" ...; see ``timm.list_models()``.
        dropout: Before the last layer.

    Raises:
        ValueError: timm does not know the name.
        ImportError: timm is not installed.
    """
    try:
        import timm
    except ImportError as error:
        raise ImportError(_MISSING) from error
    try:
        net: nn.Module = timm.create_model(body, pretrained=False, num_classes=channels, drop_rate=dropout)
    except (RuntimeError, TypeError) as error:
        raise ValueError(f"timm cannot build body={body!r}: {error}; see timm.list_models() for what there is") from error
    return net

"""The stream of a timm network whose stages nobody wrote down: timm's own list of its features, traced."""

from __future__ import annotations

import torch
from torch import nn

from taskweave.streams.stream import Stream
from taskweave.streams.tracing import trace_stream

_NHWC = "NHWC"


def trace_timm(net: nn.Module) -> Stream | None:
    """A stage at every feature that timm lists (`feature_info`), named by its module; None where it lists none.

    Raises ValueError where a trace cannot follow the network, or a feature is no single tensor; see `trace_stream`.
    """
    stages, config = listed_features(net), getattr(net, "pretrained_cfg", None)
    if not stages or not config:
        return None
    last = config["classifier"]
    known = {name for name, _ in net.named_modules()}
    return trace_stream(
        net,
        stages=stages,
        example=torch.zeros(1, *config["input_size"]),
        head=[path for path in ((last,) if isinstance(last, str) else last) if path in known],
        channel_axis=3 if getattr(net, "output_fmt", None) == _NHWC else None,
    )


def listed_features(net: nn.Module) -> tuple[str, ...]:
    """The modules whose outputs timm calls the features of a network, in its order; () for a network without."""
    found = getattr(net, "feature_info", None) or ()
    return tuple(feature["module"] for feature in found)

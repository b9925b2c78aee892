"""The streams of timm's networks. Imported only when one of them is met."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import torch
from timm.models.convnext import ConvNeXt
from timm.models.deit import VisionTransformerDistilled
from timm.models.efficientnet import EfficientNet
from timm.models.resnet import ResNet
from timm.models.vgg import VGG
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from taskweave.streams.convert import as_stream, trace_stream
from taskweave.streams.stages import cut_after_pools
from taskweave.streams.stream import Memory, Stage, Step, Stream, run_layers


@final
@dataclass(frozen=True)
class ForwardHead:
    """The exit of a timm network: the layers between the last stage and the head, and timm's own head."""

    stage: str
    between: tuple[str, ...] = ()

    def __call__(self, net: nn.Module, memory: Memory) -> Any:
        return net.forward_head(run_layers(net, self.between, memory[self.stage]))  # type: ignore[operator]


@as_stream.register
def _(net: ResNet) -> Stream:
    """ResNet, ResNeXt, SE-ResNet and all that timm builds from that class: stem, layer1 ... layer4."""
    stages = {"stem": ["conv1", "bn1", "act1", "maxpool"]} | {f"layer{i}": [f"layer{i}"] for i in (1, 2, 3, 4)}
    return Stream(net, stages, exit=ForwardHead("layer4"), head=["fc"])


@as_stream.register
def _(net: VGG) -> Stream:
    """pool1 ... pool5, since timm's own words are numbers."""
    stages = cut_after_pools(net.features, "features")
    return Stream(net, stages, exit=ForwardHead(list(stages)[-1]), head=["head.fc"])


@as_stream.register
def _(net: ConvNeXt) -> Stream:
    """stem, stages.0 ... stages.3."""
    stages = {"stem": ["stem"]} | {f"stages.{i}": [f"stages.{i}"] for i in range(len(net.stages))}
    return Stream(net, stages, exit=ForwardHead(list(stages)[-1], ("norm_pre",)), head=["head.fc"])


@as_stream.register
def _(net: EfficientNet) -> Stream:
    """conv_stem, blocks.0 ... blocks.6, conv_head; each convolution of stem and head with its norm and activation."""
    stages = {"conv_stem": ["conv_stem", "bn1"]}
    stages |= {f"blocks.{i}": [f"blocks.{i}"] for i in range(len(net.blocks))}
    stages |= {"conv_head": ["conv_head", "bn2"]}
    return Stream(net, stages, exit=ForwardHead("conv_head"), head=["classifier"])


def _embed(net: nn.Module, image: Tensor, memory: Memory) -> Tensor:
    assert isinstance(net, VisionTransformer)
    tokens: Tensor = net.norm_pre(net.patch_drop(net._pos_embed(net.patch_embed(image))))
    return tokens


@as_stream.register
def _(net: VisionTransformer) -> Stream:
    """patch_embed (with the position embedding), blocks.0 ... blocks.11; each feature is the tokens (B, N, C), class and
    register tokens first."""
    # the empty path stands for the parameters that hang on the network itself: class token, position embedding
    embed = Step(_embed, ("patch_embed", "pos_drop", "patch_drop", "norm_pre", ""))
    stages: dict[str, Stage] = {"patch_embed": embed}
    stages |= {f"blocks.{i}": [f"blocks.{i}"] for i in range(len(net.blocks))}
    head = ["head", "head_dist"] if isinstance(net, VisionTransformerDistilled) else ["head"]
    return Stream(net, stages, exit=ForwardHead(list(stages)[-1], ("norm",)), head=head)


def trace_timm(net: nn.Module) -> Stream | None:
    """The stream of a timm network whose stages nobody wrote down: one at every feature that timm lists (`feature_info`).

    Returns:
        The stream, its stages named by modules; None where timm lists no features.

    Raises:
        ValueError: A trace cannot follow the network, or a feature is no single tensor; see `trace_stream`.
    """
    stages = [feature["module"] for feature in getattr(net, "feature_info", None) or ()]
    config = getattr(net, "pretrained_cfg", None)
    if not stages or not config:
        return None
    last = config["classifier"]
    known = {name for name, _ in net.named_modules()}
    return trace_stream(
        net,
        stages=stages,
        example=torch.zeros(1, *config["input_size"]),
        head=[path for path in ((last,) if isinstance(last, str) else last) if path in known],
        channel_axis=3 if getattr(net, "output_fmt", None) == "NHWC" else None,
    )

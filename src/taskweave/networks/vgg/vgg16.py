"""VGG-16 for whole images: the network of NDDR-CNN's age and gender."""

from __future__ import annotations

from typing import ClassVar, Literal, final

from torch import Tensor, nn

from taskweave.heads.pooled import PooledLinear
from taskweave.heads.vgg import VGGClassifier
from taskweave.networks.vgg.vgg16_body import block_widths, vgg16_body
from taskweave.streams.convert import as_stream
from taskweave.streams.stream import Memory, Stage, Stream


def vgg16(
    channels: int,
    *,
    head: Literal["vgg", "pooled"] = "vgg",
    grid: int = 7,
    hidden: int = 4096,
    dropout: float = 0.5,
    width: int = 64,
    batch_norm: bool = False,
    bn_momentum: float = 0.1,
    bn_eps: float = 1e-5,
) -> VGG16:
    """A fresh VGG-16 for whole images; (B, 3, H, W) -> (B, channels), H and W at least 32.

    channels: of the output: 100 for ages, 2 for gender or species.
    head: "vgg" is VGG's own, fc6, fc7 and fc8 on a grid of means; "pooled" is a linear layer on the mean of pool5.
    grid, hidden, dropout: of the head "vgg": cells a side, channels of fc6 and fc7. VGG-16 sees 7 cells at 224 pixels.
    width: channels of conv1; 64 is VGG-16's, which alone takes its weights (`load_vgg16`, `load_pretrained`).
    batch_norm: after every convolution, whose biases it replaces.
    Size: 134,670,244 parameters for 100 channels, 134,268,738 for 2.
    Raises ValueError for another head.
    Source: Simonyan and Zisserman (ICLR 2015), configuration D; Gao et al., NDDR-CNN (CVPR 2019), section 5.2.
    """
    norm = (bn_momentum, bn_eps) if batch_norm else None
    features = block_widths(width)[-1]
    if head == "pooled":
        return VGG16(PooledLinear(features, channels), width=width, batch_norm=norm)
    if head != "vgg":
        raise ValueError(f"head is 'vgg' or 'pooled', got {head!r}")
    top = VGGClassifier(features, channels, grid=grid, hidden=hidden, dropout=dropout)
    return VGG16(top, width=width, batch_norm=norm)


@final
class VGG16(nn.Module):
    """VGG-16's convolutions at 1/32 of the input, and a head for whole images; see `vgg16`."""

    places: ClassVar[tuple[str, ...]] = ("pool1", "pool2", "pool3", "pool4", "pool5")
    """Where units go unless told otherwise (NDDR-CNN, section 5.2)."""

    def __init__(
        self, head: VGGClassifier | PooledLinear, *, width: int = 64, batch_norm: tuple[float, float] | None = None
    ) -> None:
        super().__init__()
        self.features = vgg16_body([nn.MaxPool2d(2, stride=2) for _ in range(5)], width=width, batch_norm=batch_norm)
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(self.features(x))
        return logits


def _run_fc8(net: nn.Module, memory: Memory) -> Tensor:
    logits: Tensor = net.get_submodule("head.fc8")(memory["fc7"].flatten(1))
    return logits


def _run_head(net: nn.Module, memory: Memory) -> Tensor:
    logits: Tensor = net.get_submodule("head")(memory["pool5"])
    return logits


@as_stream.register
def _(net: VGG16) -> Stream:
    """Stages conv1_1 ... conv5_3 (each with its ReLU) and pool1 ... pool5 in order; VGG's own head adds fc6 and fc7."""
    stages: dict[str, Stage] = {name: (f"features.{name}",) for name, _ in net.features.named_children()}
    if isinstance(net.head, PooledLinear):
        return Stream(net, stages, exit=_run_head, head=("head.linear",))
    stages |= {"fc6": ("head.pool", "head.fc6"), "fc7": ("head.fc7",)}
    return Stream(net, stages, exit=_run_fc8, head=("head.fc8",))

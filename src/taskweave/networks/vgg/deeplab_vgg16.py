"""DeepLab on VGG-16: the network of NDDR-CNN's dense tasks, and of most of the field before ResNet."""

from __future__ import annotations

from typing import ClassVar, Literal, final

from torch import Tensor, nn

from taskweave.heads.deeplab import ASPP, LargeFOV
from taskweave.networks.vgg.vgg16_body import block_widths, vgg16_body
from taskweave.streams.convert import as_stream
from taskweave.streams.stream import Memory, Stage, Stream


def deeplab_vgg16(
    channels: int,
    *,
    head: Literal["largefov", "aspp"] = "largefov",
    batch_norm: bool = False,
    dropout: float = 0.5,
    hidden: int = 1024,
    bn_momentum: float = 0.05,
    bn_eps: float = 1e-3,
) -> DeepLabVGG16:
    """A fresh DeepLab on VGG-16; (B, 3, H, W) -> (B, channels, ~H/8, ~W/8), any H and W.

    Pools are 3x3; pool4 and pool5 keep the size (stride 1) and conv5 is dilated by 2, so the output is 1/8 of the input
    (size n -> (n + 1) // 2 three times). pool5 is a 3x3 maximum followed by a 3x3 mean.

    channels: of the output, e.g. classes.
    head: "largefov" is fc6 3x3 with dilation 12, fc7 1x1, fc8; "aspp" is the sum of four of these (6, 12, 18, 24).
    batch_norm: after every convolution but the last, whose biases it replaces (the NDDR authors' form).
    hidden: channels of fc6 and fc7.
    bn_momentum, bn_eps: the NDDR authors' decay .95 and 1e-3.
    Size: 20,524,904 parameters for 40 channels, 20,531,176 with batch norm.
    Weights: `load_vgg16` or `load_pretrained`; without them the start is He's, zero biases, N(0, .01) in fc8.
    Source: Chen et al., DeepLab (ICLR 2015; TPAMI 2018); Gao et al., NDDR-CNN (CVPR 2019), section 5.1.
    """
    norm = (bn_momentum, bn_eps) if batch_norm else None
    if head == "aspp":
        top: nn.Module = ASPP(block_widths()[-1], channels, hidden=hidden, dropout=dropout, batch_norm=norm)
    elif head == "largefov":
        top = LargeFOV(block_widths()[-1], channels, hidden=hidden, dropout=dropout, batch_norm=norm)
    else:
        raise ValueError(f"head is 'largefov' or 'aspp', got {head!r}")
    return DeepLabVGG16(top, batch_norm=norm)


@final
class DeepLabVGG16(nn.Module):
    """VGG-16's convolutions at 1/8 of the input, and a head; see `deeplab_vgg16`.

    head: takes (B, 512, h, w).  batch_norm: None, or (momentum, eps).
    """

    places: ClassVar[tuple[str, ...]] = ("pool1", "pool2", "pool3", "pool4", "pool5")
    """Where units go unless told otherwise (NDDR-CNN, section 3.4)."""

    def __init__(self, head: nn.Module, *, batch_norm: tuple[float, float] | None = None) -> None:
        super().__init__()
        self.features = vgg16_body([_pool(block) for block in range(1, 6)], last_dilation=2, batch_norm=batch_norm)
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(self.features(x))
        return logits


def _pool(block: int) -> nn.Module:
    pool = nn.MaxPool2d(3, stride=2 if block < 4 else 1, padding=1)
    if block < 5:
        return pool
    return nn.Sequential(pool, nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False))


def _run_fc8(net: nn.Module, memory: Memory) -> Tensor:
    logits: Tensor = net.get_submodule("head.fc8")(memory["fc7"])
    return logits


def _run_head(net: nn.Module, memory: Memory) -> Tensor:
    logits: Tensor = net.get_submodule("head")(memory["pool5"])
    return logits


@as_stream.register
def _(net: DeepLabVGG16) -> Stream:
    """Stages conv1_1 ... conv5_3 (each with its ReLU) and pool1 ... pool5 in order; LargeFOV adds fc6 and fc7."""
    stages: dict[str, Stage] = {name: (f"features.{name}",) for name, _ in net.features.named_children()}
    if not isinstance(net.head, LargeFOV):
        head = ("head.fc8",) if isinstance(net.head, ASPP) else ("head",)
        return Stream(net, stages, exit=_run_head, head=head)
    stages |= {"fc6": ("head.fc6",), "fc7": ("head.fc7",)}
    return Stream(net, stages, exit=_run_fc8, head=("head.fc8",))

"""FCN-32s on AlexNet: the network of the cross-stitch paper's dense tasks."""

from __future__ import annotations

from collections import OrderedDict
from typing import ClassVar, Literal, NamedTuple, final

from torch import Tensor, nn

from taskweave.heads.convolution import ConvReLU
from taskweave.heads.fcn import FCN32s
from taskweave.networks.weights import Weights, check_fit, download, load_pretrained, plain_layer, set_layer, state_of
from taskweave.streams.convert import as_stream
from taskweave.streams.stream import Memory, Stage, Stream


class _Body(NamedTuple):
    """What differs between the two AlexNets: widths of conv1 ... conv5, groups, whether pool1 and pool2 are normalised."""

    widths: tuple[int, int, int, int, int]
    groups: tuple[int, int, int, int, int]
    lrn: bool


_CAFFENET = _Body((96, 256, 384, 384, 256), (1, 2, 1, 2, 2), lrn=True)
_TORCHVISION = _Body((64, 192, 384, 256, 256), (1, 1, 1, 1, 1), lrn=False)
_KERNELS = (11, 5, 3, 3, 3)
_POOLED = (1, 2, 5)


def fcn32s_alexnet(
    channels: int, *, body: Literal["caffenet", "torchvision"] = "caffenet", hidden: int = 4096, dropout: float = 0.5
) -> FCN32sAlexNet:
    """A fresh FCN-32s on AlexNet; (B, 3, H, W) -> (B, channels, ceil(H/32), ceil(W/32)) for any H and W.

    channels: of the output, e.g. classes.
    body: "caffenet" is the paper's: 96-256-384-384-256 channels, conv2, conv4, conv5 in two groups, local response
        normalisation after pool1 and pool2 (run at the start of conv2 and conv3, so that units meet at the pooled
        feature). "torchvision" has torchvision's 64-192-384-256-256 without either, and takes its weights.
    hidden: channels of fc6 and fc7.

    Deviation: FCN-32s pads the picture by 100 and crops after upsampling. Here every layer keeps its grid ("same"
    padding; pools padded by 1): a fifth of the work on small pictures. The centre of output cell i is pixel 32 i from
    the pools, and 16 more from fc6, whose even 6x6 kernel leans to the right: 32 i + 16, against 32 i + 15.5 for cells
    that cover the picture evenly. So tasks may simply resize the output to the picture, bilinearly.
    Weights: `load_alexnet` or `load_pretrained` (torchvision's body).
    Source: Misra et al., Cross-stitch networks (CVPR 2016), section 5; Long et al., FCN (CVPR 2015); Jia et al., Caffe
    (2014), CaffeNet.
    """
    if body not in ("caffenet", "torchvision"):
        raise ValueError(f"body is 'caffenet' or 'torchvision', got {body!r}")
    shape = _CAFFENET if body == "caffenet" else _TORCHVISION
    return FCN32sAlexNet(
        shape.widths, FCN32s(shape.widths[-1], channels, hidden=hidden, dropout=dropout), groups=shape.groups, lrn=shape.lrn
    )


@final
class FCN32sAlexNet(nn.Module):
    """AlexNet's convolutions on a grid of 1/32, and a head; see `fcn32s_alexnet`."""

    places: ClassVar[tuple[str, ...]] = ("pool1", "pool2", "pool5", "fc6", "fc7")
    """Where units go unless told otherwise (cross-stitch paper, figure 4)."""

    def __init__(
        self,
        widths: tuple[int, int, int, int, int],
        head: FCN32s,
        *,
        groups: tuple[int, int, int, int, int] = (1, 1, 1, 1, 1),
        lrn: bool = False,
    ) -> None:
        super().__init__()
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        channels, normalise = 3, False
        for i, (width, kernel, parts) in enumerate(zip(widths, _KERNELS, groups, strict=True), 1):
            conv = ConvReLU(channels, width, kernel_size=kernel, stride=4 if i == 1 else 1, groups=parts)
            layers[f"conv{i}"] = _after_norm(conv) if normalise else conv
            if i in _POOLED:
                layers[f"pool{i}"] = nn.MaxPool2d(3, stride=2, padding=1)
            channels, normalise = width, lrn and i in (1, 2)
        self.features = nn.Sequential(layers)
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.head(self.features(x))
        return scores


def _after_norm(conv: ConvReLU) -> nn.Sequential:
    return nn.Sequential(OrderedDict(norm=nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=1.0), conv=conv))


def _score(net: nn.Module, memory: Memory) -> Tensor:
    scores: Tensor = net.get_submodule("head.score")(memory["fc7"])
    return scores


@as_stream.register
def _(net: FCN32sAlexNet) -> Stream:
    """Stages conv1, pool1, conv2, pool2, conv3, conv4, conv5, pool5, fc6, fc7; the last layer is `score`."""
    stages: dict[str, Stage] = {name: (f"features.{name}",) for name, _ in net.features.named_children()}
    stages |= {"fc6": ("head.fc6",), "fc7": ("head.fc7",)}
    return Stream(net, stages, exit=_score, head=("head.score",))


# torchvision's names of conv1 ... conv5 and fc6, fc7
_NAMES = ("features.0", "features.3", "features.6", "features.8", "features.10", "classifier.1", "classifier.4")


def load_alexnet(net: FCN32sAlexNet, source: Weights, *, fc: Literal["loaded", "fresh"] = "loaded") -> None:
    """Load torchvision's AlexNet (or its state_dict) into a network with torchvision's body.

    fc: "loaded" takes fc6 and fc7 from its linear layers, read as 6x6 and 1x1 convolutions; "fresh" leaves ours.
    Raises ValueError naming the missing, unexpected and differing entries for weights of another network. Nothing is
    copied then.
    """
    if fc not in ("loaded", "fresh"):
        raise ValueError(f"fc is 'loaded' or 'fresh', got {fc!r}")
    blocks = [block for block in net.modules() if isinstance(block, ConvReLU)]
    names = _NAMES if fc == "loaded" else _NAMES[:5]
    blocks = blocks[: len(names)]
    expected: dict[str, Tensor] = {}
    for name, block in zip(names, blocks, strict=True):
        weight = block.conv.weight
        expected[f"{name}.weight"] = weight.flatten(1) if name.startswith("classifier") else weight
        assert block.conv.bias is not None
        expected[f"{name}.bias"] = block.conv.bias
    state = state_of(source)
    ignored = ("classifier.6.",) if fc == "loaded" else ("classifier.",)
    check_fit("AlexNet", expected, {name: value for name, value in state.items() if not name.startswith(ignored)})
    for name, block in zip(names, blocks, strict=True):
        weight = state[f"{name}.weight"].reshape(block.conv.weight.shape)
        set_layer(block.conv, block.norm, plain_layer(weight, state[f"{name}.bias"]))


@load_pretrained.register
def _(net: FCN32sAlexNet) -> None:
    def build() -> nn.Module:
        from torchvision.models import AlexNet_Weights, alexnet

        built: nn.Module = alexnet(weights=AlexNet_Weights.DEFAULT)
        return built

    load_alexnet(net, download(build, "torchvision's AlexNet"))

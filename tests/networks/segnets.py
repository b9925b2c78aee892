"""SegNets written out with torch's own layers, and their sizes, to hold ours against."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.vgg import make_layers

WIDTHS = (64, 128, 256, 512, 512)
DEPTHS = (2, 2, 3, 3, 3)
TINY = (4, 4, 6, 6, 8)


def count(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def normed(sources: int, channels: int, kernel: int = 3, *, biases: bool = False) -> int:
    """A convolution and a batch norm."""
    return kernel * kernel * sources * channels + 2 * channels + channels * biases


def handed_on(widths: Sequence[int]) -> list[int]:
    """Channels of decoder blocks 1 to 5."""
    return [widths[0], *widths[:4]]


def block_size(sources: int, channels: int, depth: int, *, biases: bool = False) -> int:
    return normed(sources, channels, biases=biases) + (depth - 1) * normed(channels, channels, biases=biases)


def body_size(widths: Sequence[int], depths: Sequence[int] = DEPTHS, *, biases: bool = False) -> int:
    """Encoder and decoder."""
    encoder = zip((3, *widths), widths, depths, strict=False)
    decoder = zip(widths, handed_on(widths), depths, strict=True)
    return sum(block_size(s, c, d, biases=biases) for s, c, d in [*encoder, *decoder])


def head_size(width: int, channels: int) -> int:
    return 9 * width * width + width + width * channels + channels


def path_size(widths: Sequence[int]) -> int:
    """MTAN's f: from every attended feature to the next block, and twice between encoder and decoder."""
    out = handed_on(widths)
    encoder = zip(widths, (*widths[1:], widths[4]), strict=True)
    decoder = zip((widths[4], *out[:0:-1]), out[::-1], strict=True)
    return sum(normed(s, c) for s, c in [*encoder, *decoder])


def column_size(widths: Sequence[int]) -> int:
    """One task's ten attention blocks: two 1x1 convolutions each."""
    out = handed_on(widths)
    first = normed(widths[0], widths[0], 1) + normed(widths[0], widths[0], 1)
    encoder = sum(normed(2 * w, w, 1) + normed(w, w, 1) for w in widths[1:])
    decoder = sum(normed(w + o, o, 1) + normed(o, o, 1) for w, o in zip(widths, out, strict=True))
    return first + encoder + decoder


def conv(state: dict[str, Tensor], name: str, x: Tensor, norm: str = "norm", layer: str = "conv") -> Tensor:
    """Convolution and batch norm in eval mode, without its ReLU."""
    weight = state[f"{name}.{layer}.weight"]
    x = F.conv2d(x, weight, padding=weight.shape[-1] // 2)
    own = {key: state[f"{name}.{norm}.{key}"] for key in ("running_mean", "running_var", "weight", "bias")}
    return F.batch_norm(x, own["running_mean"], own["running_var"], own["weight"], own["bias"], training=False, eps=1e-5)


def decoded(state: dict[str, Tensor], x: Tensor, *, begun: bool = False, depths: Sequence[int] = DEPTHS) -> Tensor:
    """A SegNet from its state_dict; of the picture, or, begun, of what block 1 hands to its pool."""
    pool, unpool = nn.MaxPool2d(2, ceil_mode=True, return_indices=True), nn.MaxUnpool2d(2)
    found = []
    for block, depth in enumerate(depths, 1):
        names = [f"body.features.conv{block}_{i}" for i in range(1, depth + 1)]
        for name in names if block > 1 or not begun else []:
            x = conv(state, name, x).relu()
        size = x.shape
        x, places = pool(x)
        found.append((places, size))
    for block in range(5, 0, -1):
        places, size = found.pop()
        x = unpool(x, places, output_size=size)
        for i in range(1, depths[block - 1] + 1):
            x = conv(state, f"body.decoder.dec{block}_{i}", x).relu()
    x = F.conv2d(x, state["head.hidden.weight"], state["head.hidden.bias"], padding=1)
    return F.conv2d(x, state["head.classifier.weight"], state["head.classifier.bias"])


@torch.no_grad()
def lively(net: nn.Module) -> nn.Module:
    """Every number moved, so that a norm or a bias left out would show; eval mode."""
    for name, value in net.state_dict().items():
        if value.is_floating_point():
            value.add_(
                (0.3 * torch.randn_like(value)).abs() if name.endswith("running_var") else 0.1 * torch.randn_like(value)
            )
    return net.eval()


class Source(nn.Module):
    """torchvision's VGG-16 with other widths, its classifier left out."""

    def __init__(self, *, batch_norm: bool) -> None:
        super().__init__()
        cfg: list[str | int] = []
        for width, depth in zip(TINY, DEPTHS, strict=True):
            cfg += [*[width] * depth, "M"]
        self.features = make_layers(cfg, batch_norm=batch_norm)  # type: ignore[arg-type]

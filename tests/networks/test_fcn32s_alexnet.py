"""FCN-32s on AlexNet: the paper's body, torchvision's weights, and where an output cell looks."""

import functools

import pytest
import torch
import torch.nn.functional as F
import torchvision
from torch import nn

import taskweave as tw
from taskweave.networks import fcn32s_alexnet, load_alexnet, load_pretrained
from taskweave.networks.alexnet import FCN32sAlexNet

STAGES = ["conv1", "pool1", "conv2", "pool2", "conv3", "conv4", "conv5", "pool5", "fc6", "fc7"]


@functools.cache
def imagenet() -> nn.Module:
    torch.manual_seed(7)
    return torchvision.models.alexnet(weights=None).eval()


@pytest.mark.parametrize(
    ("body", "units"),
    [("caffenet", 96 + 256 + 256 + 4096 + 4096), ("torchvision", 64 + 192 + 256 + 4096 + 4096)],
)
def test_stitches_of_the_paper(body: str, units: int) -> None:
    """One 2x2 unit per channel at the five places: 8,800 units and 35,200 numbers on CaffeNet, 8,704 and 34,816 here."""
    with torch.device("meta"):
        streams = {name: tw.as_stream(fcn32s_alexnet(40, body=body)) for name in ("seg", "normals")}
    net = tw.connect(streams, at=FCN32sAlexNet.usual_stages, unit=tw.CrossStitch, example=torch.empty(1, 3, 128, 128))
    numbers = sum(p.numel() for p in net.connections.parameters())
    assert units == {"caffenet": 8_800, "torchvision": 8_704}[body]
    assert numbers == 4 * units == {"caffenet": 35_200, "torchvision": 34_816}[body]


def test_stages() -> None:
    with torch.device("meta"):
        stream = tw.as_stream(fcn32s_alexnet(40))
    assert list(stream.stages) == STAGES
    shapes = stream.shapes(torch.empty(1, 3, 227, 227))
    extents = [(shapes[stage].channels, shapes[stage].extent[0]) for stage in STAGES]
    assert extents == [
        (96, 57), (96, 29), (256, 29), (256, 15), (384, 15), (384, 15), (256, 15), (256, 8), (4096, 8), (4096, 8)
    ]  # fmt: skip


def test_caffenet_counts() -> None:
    """CaffeNet has 60,965,224 parameters for 1000 classes, torchvision's AlexNet 61,100,840."""
    with torch.device("meta"):
        net = fcn32s_alexnet(1000)
    assert sum(p.numel() for p in net.parameters()) == 60_965_224
    with torch.device("meta"):
        net = fcn32s_alexnet(1000, body="torchvision")
    assert sum(p.numel() for p in net.parameters()) == 61_100_840


def test_local_response_normalisation_is_caffes() -> None:
    """x / (1 + 1e-4 / 5 * sum of squares over 5 channels) ** .75, at the start of conv2 and conv3 only."""
    net = fcn32s_alexnet(3, hidden=4)
    assert [name for name, m in net.named_modules() if isinstance(m, nn.LocalResponseNorm)] == [
        "features.conv2.norm",
        "features.conv3.norm",
    ]
    x = 50 * torch.rand(1, 96, 2, 2)
    padded = F.pad(x.square(), (0, 0, 0, 0, 2, 2))
    total = sum(padded[:, i : i + 96] for i in range(5))
    torch.testing.assert_close(net.features.conv2.norm(x), x / (1 + 1e-4 / 5 * total) ** 0.75)


def test_torchvisions_weights_compute_what_they_did() -> None:
    """Torchvision's own layers, each on a feature padded as ours: exactly equal."""
    net, source, x = fcn32s_alexnet(3, body="torchvision").eval(), imagenet(), torch.randn(1, 3, 70, 65)
    load_alexnet(net, source)
    with torch.no_grad():
        y = source.features[1](source.features[0](F.pad(x, (3, 3, 3, 3))))  # conv1 pads 2, ours 5
        for layer in source.features[2:]:
            pooled = isinstance(layer, nn.MaxPool2d)  # after ReLU a zero pads as well as -inf
            y = layer(F.pad(y, (1, 1, 1, 1)) if pooled else y)
        assert torch.equal(net.features(x), y)
        six = torch.rand(1, 256, 6, 6)  # torchvision's classifier looks at 6x6 features: cell (2, 2) sees all of them
        torch.testing.assert_close(net.head.fc7(net.head.fc6(six))[:, :, 2, 2], _fc7(source, six))


def _fc7(source: nn.Module, six: torch.Tensor) -> torch.Tensor:
    # fc7 is 1x1, so its value at a cell is the linear layers' value of that cell's fc6
    hidden: torch.Tensor = source.classifier[:6](six.flatten(1))
    return hidden


def test_fresh_leaves_the_head_alone() -> None:
    net = fcn32s_alexnet(3, body="torchvision", hidden=8)
    before = net.head.fc6[0].conv.weight.clone()
    load_alexnet(net, imagenet(), fc="fresh")
    assert torch.equal(net.head.fc6[0].conv.weight, before)
    assert torch.equal(net.features.conv5.conv.weight, imagenet().features[10].weight)


@pytest.mark.parametrize("body", ["caffenet", "torchvision"])
def test_an_output_cell_looks_at_its_own_part_of_the_picture(body: str) -> None:
    """Cell i is centred on pixel 32 i + 16, so that resizing the output to the picture puts it where it looked."""
    net = fcn32s_alexnet(1, body=body, hidden=1).double().eval()
    for block in (1, 2, 5):  # a mean has the maximum's window and spreads its gradient over all of it
        net.features.set_submodule(f"pool{block}", nn.AvgPool2d(3, stride=2, padding=1))
    with torch.no_grad():
        for name, p in net.named_parameters():
            p.fill_(0.0 if name.endswith("bias") else 1e-3)
    x = torch.ones(1, 3, 64, 1024, dtype=torch.float64, requires_grad=True)
    net(x)[0, 0, 0, 16].backward()
    seen = x.grad[0, 0, 32].nonzero().flatten()
    centre = (seen[0].item() + seen[-1].item()) / 2
    assert centre == 32 * 16 + 16


def test_weights_of_another_network_are_named() -> None:
    with pytest.raises(ValueError, match=r"'features.0.weight' is \(64, 3, 11, 11\) where \(96, 3, 11, 11\) was expected"):
        load_alexnet(fcn32s_alexnet(3, hidden=8), imagenet(), fc="fresh")
    net = fcn32s_alexnet(3, body="torchvision", hidden=8)
    with pytest.raises(ValueError, match=r"'classifier.1.weight' is \(4096, 9216\) where \(8, 9216\) was expected"):
        load_alexnet(net, imagenet())
    with pytest.raises(ValueError, match=r"than AlexNet: missing \['features.0.weight'.*unexpected \['conv1.weight'"):
        load_alexnet(net, torchvision.models.resnet18(weights=None))


def test_options_are_checked() -> None:
    with pytest.raises(ValueError, match="'caffenet' or 'torchvision', got 'zf'"):
        fcn32s_alexnet(3, body="zf")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'loaded' or 'fresh', got 'some'"):
        load_alexnet(fcn32s_alexnet(3, hidden=8), imagenet(), fc="some")  # type: ignore[arg-type]


def test_pretrained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torchvision.models, "alexnet", lambda **_: imagenet())
    net = fcn32s_alexnet(3, body="torchvision")
    load_pretrained(net)
    assert torch.equal(net.features.conv1.conv.weight, imagenet().features[0].weight)
    with pytest.raises(ValueError, match="was expected"):
        load_pretrained(fcn32s_alexnet(3))  # CaffeNet's body has no weights in torchvision

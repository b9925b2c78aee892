"""DeepLab on timm's ResNets."""

import sys

import pytest
import torch
import torchvision
from torch import nn

import taskweave as tw
from taskweave.heads import ASPP
from taskweave.networks import deeplab_resnet, load_pretrained, load_resnet
from taskweave.networks.resnet.deeplab_resnet import DeepLabResNet
from taskweave.parts import part

timm = pytest.importorskip("timm")


@pytest.mark.parametrize(
    ("body", "widths"),
    [
        ("resnet18", (64, 64, 128, 256, 512)),
        ("resnet50", (64, 256, 512, 1024, 2048)),
        ("resnet101", (64, 256, 512, 1024, 2048)),
        ("resnet26d", (64, 256, 512, 1024, 2048)),
    ],
)
@pytest.mark.parametrize("stride", [8, 16])
def test_places_of_any_resnet(body: str, widths: tuple[int, ...], stride: int) -> None:
    with torch.device("meta"):
        net = deeplab_resnet(40, body=body, output_stride=stride)
    shapes = tw.as_stream(net).shapes(torch.empty(1, 3, 128, 160))
    strides = (4, 4, 8, 8, 8) if stride == 8 else (4, 4, 8, 16, 16)
    found = {name: (shapes[name].channels, shapes[name].extent) for name in DeepLabResNet.usual_stages}
    assert list(found.values()) == [(c, (128 // s, 160 // s)) for c, s in zip(widths, strides, strict=True)]


def test_counts() -> None:
    """timm's body without its classifier, and one 3x3 layer to the classes per rate."""
    with torch.device("meta"):
        net = deeplab_resnet(40, body="resnet50")
    body = 25_557_032 - (2048 * 1000 + 1000)
    assert sum(p.numel() for p in net.parameters()) == body + 4 * (2048 * 40 * 9 + 40)


def test_rates_shrink_with_the_output() -> None:
    with torch.device("meta"):
        nets = [deeplab_resnet(3, output_stride=stride) for stride in (8, 16)]
        own = deeplab_resnet(3, head=part(ASPP, hidden=None, rates=(1, 2)))
    assert [[layer.dilation[0] for layer in net.head.fc8] for net in (*nets, own)] == [
        [6, 12, 18, 24],
        [3, 6, 9, 12],
        [1, 2],
    ]


@pytest.mark.parametrize("library", ["timm", "torchvision"])
def test_body_weights_compute_what_they_did(library: str) -> None:
    """At stride 32 the geometry is the classifier's own, so the features are equal, exactly."""
    source = timm.create_model("resnet18") if library == "timm" else torchvision.models.resnet18(weights=None)
    net = deeplab_resnet(3, output_stride=32).eval()
    load_resnet(net, source)
    x = torch.randn(1, 3, 64, 64)
    source.eval()
    with torch.no_grad():
        features = net.body.forward_features(x)
        whole = nn.Sequential(*list(source.children())[:8])
        assert torch.equal(features, whole(x))
        assert torch.equal(net(x), net.head(whole(x)))


def test_weights_of_another_resnet_are_named() -> None:
    net = deeplab_resnet(3)
    with pytest.raises(ValueError, match=r"than the body resnet18: missing \['layer1.0.bn1"):
        load_resnet(net, {k: v for k, v in timm.create_model("resnet18").state_dict().items() if "layer1.0.bn1" not in k})
    with pytest.raises(ValueError, match=r"unexpected \['layer1.0.conv3.weight'"):
        load_resnet(net, timm.create_model("resnet50"))


def test_bodies_that_are_no_resnet() -> None:
    with pytest.raises(ValueError, match="timm cannot build body='vgg11'"):
        deeplab_resnet(3, body="vgg11")
    with pytest.raises(ValueError, match=r"timm's EfficientNet, not its ResNet class; see timm.list_models"):
        deeplab_resnet(3, body="efficientnet_b0")
    with pytest.raises(ValueError, match="timm cannot build body='resnet19'"):
        deeplab_resnet(3, body="resnet19")
    with pytest.raises(ValueError, match="output_stride is 8, 16 or 32, got 4"):
        deeplab_resnet(3, output_stride=4)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="unknown head 'v4'"):
        part(deeplab_resnet, head="v4")


def test_without_timm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(ImportError, match=r"pip install taskweave\[timm\]"):
        deeplab_resnet(3)


def test_pretrained(monkeypatch: pytest.MonkeyPatch) -> None:
    net, source = deeplab_resnet(3), timm.create_model("resnet18")
    asked: list[object] = []

    def create(name: str, *, pretrained: bool) -> nn.Module:
        asked.append((name, pretrained))
        return source

    monkeypatch.setattr(timm, "create_model", create)
    load_pretrained(net)
    assert asked == [("resnet18", True)]
    assert torch.equal(net.body.layer3[0].conv1.weight, source.layer3[0].conv1.weight)
    with pytest.raises(TypeError, match="without a name"):
        load_pretrained(DeepLabResNet(net.body, net.head))

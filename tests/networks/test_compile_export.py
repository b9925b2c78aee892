"""Connected networks under torch.compile without a graph break, and under strict export, give what they give eagerly."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import pytest
import torch
import torchvision
from contracts.stream_contract import assert_equal, picture
from networks.toys import X, plain
from streams.nets import (
    UNet,
    faster_rcnn,
    images_and_targets,
    retinanet,
    small_segmentation_net,
    timm_net,
    timm_vgg,
    torchvision_alexnet,
    torchvision_vgg,
)
from torch import Tensor, nn
from torchvision.models.segmentation.deeplabv3 import DeepLabHead, DeepLabV3
from torchvision.models.segmentation.fcn import FCN, FCNHead

import taskweave as tw
from taskweave.heads import AsppV3
from taskweave.networks.resnet.deeplab_resnet import deeplab_resnet
from taskweave.parts import part
from taskweave.streams.torchvision import DetectOnce, DetectTwice, RawHeads

RESNET18 = partial(torchvision.models.resnet18, num_classes=3)
LAYERS = ("layer1", "layer2")

UNITS: dict[str, Callable[[list[tw.FeatureShape]], tw.Unit]] = {
    "identity": tw.Identity,
    "cross-stitch per channel": tw.CrossStitch,
    "cross-stitch per layer": partial(tw.CrossStitch, per="layer"),
    "nddr authors": tw.NDDR,
    "nddr paper": partial(tw.NDDR, order="paper"),
    "nddr bare": partial(tw.NDDR, order="none"),
    "cross-connection": tw.CrossConnection,
    "cross-connection gated, directed": partial(tw.CrossConnection, gate=True, links=[(1, 0)]),
    "one mixture for all": tw.units.CommonStitch,
    "scale layers": tw.units.ScaleLayer,
    "sluice": tw.Sluice,
}
GATHERINGS: dict[str, Callable[[list[tw.FeatureShape]], tw.Unit]] = {
    "shortcut": partial(tw.Shortcut, channels=128),
    "layer mixing": tw.LayerMixing,
}


@pytest.fixture(autouse=True)
def fresh_compiler() -> Iterator[None]:
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def pair(build: Callable[[], nn.Module]) -> dict[str, tw.Stream]:
    return {name: tw.as_stream(build()) for name in ("seg", "normals")}


def shaken(net: tw.Connected) -> tw.Connected:
    """Every number of the units moved, so that none of them can be left out unnoticed; eval mode."""
    with torch.no_grad():
        for p in net.connections.parameters():
            p.add_(torch.randn_like(p) * 0.1)
    return net.eval()


def assert_near(eager: Any, other: Any) -> None:
    torch.testing.assert_close(dict(other), dict(eager), rtol=1e-4, atol=1e-5)


def assert_compiles(net: tw.Connected, x: Any) -> None:
    with torch.no_grad():
        assert_near(net(x), torch.compile(net, fullgraph=True, backend="eager")(x))


def assert_exports(net: tw.Connected, x: Any) -> None:
    with torch.no_grad():
        assert_near(net(x), torch.export.export(net, (x,), strict=True).module()(x))


def assert_both(net: tw.Connected, x: Any) -> None:
    assert_compiles(shaken(net), x)
    assert_exports(net, x)


@pytest.mark.slow
@pytest.mark.parametrize("unit", UNITS)
def test_alexnet_pair_with_every_unit(unit: str) -> None:
    x = picture(1, 64)
    assert_both(tw.connect(pair(torchvision_alexnet), ("pool1", "conv4"), UNITS[unit], example=x), x)


@pytest.mark.parametrize("unit", UNITS)
def test_every_unit_between_toys(unit: str) -> None:
    assert_compiles(shaken(tw.connect(plain("ab"), ("s1", "s2"), UNITS[unit], example=X)), X)


@pytest.mark.slow
@pytest.mark.parametrize("gathering", GATHERINGS)
def test_gatherings(gathering: str) -> None:
    x = picture(1, 64)
    places = ("stem", "layer1") if gathering == "layer mixing" else LAYERS
    stream = pair(partial(deeplab_resnet, 3, head=part(AsppV3, hidden=8)))
    assert_both(tw.connect(stream, places, tw.NDDR, example=x, gather=[GATHERINGS[gathering]]), x)


# our own networks: tests/contracts/test_network_contract.py
NETS: dict[str, tuple[Callable[[], nn.Module], Sequence[str]]] = {
    "vit": (timm_net("test_vit", img_size=64), ("blocks.1", "blocks.3")),
    "convnext": (timm_net("test_convnext"), ("stem", "stages.2")),
    "efficientnet": (timm_net("test_efficientnet"), ("blocks.1", "conv_head")),
    "alexnet": (torchvision_alexnet, ("pool1", "pool2", "pool5")),
    "vgg": (partial(torchvision_vgg, True), ("pool1", "pool4")),
    "timm vgg": (partial(timm_vgg, nn.BatchNorm2d), ("pool2", "pool5")),
    "timm resnet": (timm_net("test_resnet"), ("stem", "layer3")),
    "resnet18": (RESNET18, LAYERS),
    "fcn": (partial(small_segmentation_net, FCN, FCNHead), LAYERS),
    "deeplabv3": (partial(small_segmentation_net, DeepLabV3, DeepLabHead), LAYERS),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", NETS)
def test_each_network_with_cross_stitch(name: str) -> None:
    build, places = NETS[name]
    x = picture(1, 64)
    assert_both(tw.connect(pair(build), places, tw.CrossStitch, example=x), x)


@pytest.mark.slow
def test_tokens_with_nddr() -> None:
    x = picture(1, 64)
    assert_both(tw.connect(pair(timm_net("test_vit", img_size=64)), ("blocks.1",), tw.NDDR, example=x), x)


@pytest.mark.slow
def test_traced_streams() -> None:
    x = picture(1, 32)
    streams = {name: tw.trace_stream(UNet(), stages=["down1", "up1"], example=x) for name in ("seg", "normals")}
    assert_both(tw.connect(streams, ["down1", "up1"], tw.CrossStitch, example=x), x)


@pytest.mark.slow
def test_unlike_networks_and_own_inputs() -> None:
    x = picture(1, 64)
    streams = {"resnet": tw.as_stream(timm_net("test_resnet")()), "alexnet": tw.as_stream(torchvision_alexnet())}
    net = tw.connect(streams, [{"resnet": "layer1", "alexnet": "pool1"}], tw.CrossConnection, example=x)
    assert_both(net, {"resnet": x, "alexnet": x.flip(-1)})


@pytest.mark.slow
def test_trunk() -> None:
    x = picture(1, 32)
    streams = pair(timm_net("test_resnet"))
    assert_both(tw.Connected(streams, trunk="layer2"), x)


@pytest.mark.slow
def test_training_compiles_with_aot() -> None:
    """Forward and backward, batch statistics included."""
    x = picture(2, 32)
    net = tw.connect(pair(partial(RESNET18)), ("layer1",), tw.NDDR, example=x).train()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.0  # the eager run must not change what the compiled one starts from
    gradients = []
    for run in (net, torch.compile(net, fullgraph=True, backend="aot_eager")):
        net.zero_grad()
        sum(output.square().sum() for output in run(x).values()).backward()
        gradients.append({name: p.grad.clone() for name, p in net.named_parameters()})
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-3, atol=1e-4)


def raw(net: tw.Connected) -> tw.Connected:
    for name in net.streams:
        stream = net.stream(name)
        assert isinstance(stream.exit, DetectOnce | DetectTwice)
        stream.exit = RawHeads(stream.exit.pyramid)
    return net


@pytest.mark.slow
@pytest.mark.parametrize("build", [faster_rcnn, retinanet])
def test_detectors_up_to_their_raw_heads(build: Callable[[], nn.Module]) -> None:
    images, _ = images_and_targets()
    assert_both(raw(tw.connect(pair(build), LAYERS, tw.CrossStitch, example=images)), images)


def test_a_graph_break_and_a_wrong_result_are_noticed() -> None:
    class Breaks(tw.Unit):
        def forward(self, features: list[Tensor]) -> list[Tensor]:
            torch._dynamo.graph_break()
            return features

    x = picture(1, 32)
    net = tw.connect(pair(timm_net("test_resnet")), ("layer1",), Breaks, example=x).eval()
    with pytest.raises(torch._dynamo.exc.Unsupported):
        assert_compiles(net, x)
    with pytest.raises(AssertionError):
        assert_near(net(x), net(x.flip(-1)))
    assert_equal(net(x), net(x))

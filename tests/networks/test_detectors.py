"""Detectors connected with another task's network: the start is the plain detector; counts of the cross-connected paper."""

from functools import partial
from typing import Any

import pytest
import torch
from contracts.network_contract import assert_compiles_and_exports
from contracts.stream_contract import assert_equal
from streams.nets import faster_rcnn, retinanet

import taskweave as tw
from taskweave.networks import deeplab_resnet, pspnet_vgg16, rpn_vgg16
from taskweave.networks.vgg.networks import CROSS_CONNECTED

AT = ["stem", "layer1", "layer2"]
IDENTITIES = {
    "gated": partial(tw.CrossConnection, gate=True),
    "stitch (1, 0)": partial(tw.CrossStitch, self_weight=1.0, other_weight=0.0),
    "scales from 0": partial(tw.units.ScaleLayer, other_weight=0.0),
    "none": tw.Identity,
}


def images(count: int = 2) -> list[torch.Tensor]:
    return [torch.rand(3, 64, 64) for _ in range(count)]


def mixed_pair(build: Any, unit: Any) -> tuple[tw.Connected, dict[str, Any]]:
    """A torchvision detector and a segmentation network, each with its own pictures."""
    inputs = {"detection": images(), "segmentation": torch.randn(2, 3, 64, 64)}
    streams = {
        "detection": tw.as_stream(build()),
        "segmentation": tw.as_stream(deeplab_resnet(4, body="resnet18")),
    }
    return tw.connect(streams, AT, unit, example=inputs).eval(), inputs


both_detectors = pytest.mark.parametrize("build", [faster_rcnn, pytest.param(retinanet, marks=pytest.mark.slow)])


@both_detectors
@pytest.mark.parametrize("unit", IDENTITIES)
def test_at_an_identity_start_detections_are_the_plain_detectors(build: Any, unit: str) -> None:
    net, inputs = mixed_pair(build, IDENTITIES[unit])
    for index in range(len(net.connections)):
        assert net.connection(index).unit.exact_start
    with torch.no_grad():
        outputs = net(inputs)
        plain = net.stream("detection").net(inputs["detection"])
        alone = net(inputs, tasks=("detection",))
        segmented = net.stream("segmentation").net(inputs["segmentation"])
    assert any(len(found["boxes"]) for found in plain), "nothing was detected, so nothing is shown"
    assert_equal(outputs["detection"], plain)
    assert_equal(alone["detection"], plain)
    assert torch.equal(outputs["segmentation"], segmented)


@both_detectors
def test_away_from_it_they_are_not(build: Any) -> None:
    net, inputs = mixed_pair(build, partial(tw.CrossStitch, self_weight=0.5))
    with torch.no_grad():
        outputs, plain = net(inputs)["detection"], net.stream("detection").net(inputs["detection"])
    with pytest.raises(AssertionError):
        assert_equal(outputs, plain)


@pytest.mark.slow
def test_pictures_of_other_sizes_meet_through_a_cross_connection() -> None:
    inputs = {"detection": images(1), "segmentation": torch.randn(1, 3, 96, 80)}
    streams = {"detection": tw.as_stream(faster_rcnn()), "segmentation": tw.as_stream(deeplab_resnet(4))}
    net = tw.connect(streams, AT, IDENTITIES["gated"], example=inputs).eval()
    with torch.no_grad():
        assert_equal(net(inputs)["detection"], net.stream("detection").net(inputs["detection"]))


def papers_pair(**options: Any) -> dict[str, tw.Stream]:
    return {
        "detection": tw.as_stream(rpn_vgg16(2, **options)),
        "segmentation": tw.as_stream(pspnet_vgg16(2, **options)),
    }


@pytest.mark.parametrize(
    ("unit", "numbers"),
    [(tw.CrossConnection, 2_053_376), (tw.units.ScaleLayer, 5_376), (tw.CrossStitch, 10_752)],
    ids=["cross-connection", "scales", "stitch"],
)
def test_counts_of_the_paper(unit: Any, numbers: int) -> None:
    with torch.device("meta"):
        streams = papers_pair()
    net = tw.connect(streams, CROSS_CONNECTED, unit, example=torch.empty(1, 3, 64, 64, device="meta"))
    assert len(net.connections) == 10
    assert sum(p.numel() for p in net.connections.parameters()) == numbers
    weights = [p.numel() for name, p in net.connections.named_parameters() if name.endswith("weight")]
    assert sum(weights) == (2_048_000 if unit is tw.CrossConnection else 0)


@pytest.mark.parametrize("pool", [1, 2, 3, 4])
def test_share_1_to_4(pool: int) -> None:
    """2, 4, 7 and 10 convolutions are shared, whichever task leads; only at 1/16 do both have the same fourth pool."""
    streams = {
        "detection": tw.as_stream(rpn_vgg16(2, width=8, hidden=8)),
        "segmentation": tw.as_stream(pspnet_vgg16(2, width=8, hidden=8, output_stride=16)),
    }
    x = torch.randn(1, 3, 32, 32)
    net = tw.share(streams, until=f"pool{pool}").eval()
    both = sum(p.numel() for stream in streams.values() for p in stream.parameters())
    shared = [net.stream("detection").net.features[:i] for i in (3, 6, 10, 14)][pool - 1]
    assert both - sum(p.numel() for p in net.parameters()) == sum(p.numel() for p in shared.parameters())
    with torch.no_grad():
        assert_equal(net(x)["detection"], streams["detection"].net(x))


def test_share_4_at_an_eighth_ends_at_conv4_3() -> None:
    streams = papers_pair(width=8, hidden=8)
    with pytest.raises(ValueError, match="differ at stage 'pool4'"):
        tw.share(streams, until="pool4")
    net = tw.share(streams, until="conv4_3").eval()
    assert net(torch.randn(1, 3, 32, 32))["segmentation"].shape == (1, 2, 4, 4)


@pytest.mark.slow
@pytest.mark.parametrize("unit", [tw.CrossConnection, tw.units.ScaleLayer])
def test_the_papers_network_compiles_and_exports(unit: Any) -> None:
    """Up to the raw outputs of the detector's head, anchors included; each stream with its own picture."""
    x = {"detection": torch.randn(1, 3, 40, 48), "segmentation": torch.randn(1, 3, 40, 48)}
    assert_compiles_and_exports(tw.connect(papers_pair(width=8, hidden=8), CROSS_CONNECTED, unit, example=x), x)


def test_single_task_gradient_reaches_the_other_body() -> None:
    """With the segmentation loss alone the detector's body learns through the links, and its head does not."""
    x = torch.randn(1, 3, 32, 32)
    net = tw.connect(papers_pair(width=8, hidden=8), CROSS_CONNECTED, tw.CrossConnection, example=x)
    net(x, tasks=("segmentation",))["segmentation"].square().mean().backward()
    detector = net.stream("detection").net
    assert detector.features.conv4_2.conv.weight.grad.abs().sum() > 0
    assert all(p.grad is None for p in [*detector.head.parameters(), *detector.features.conv5_1.parameters()])

"""Fast R-CNN on AlexNet: the paper's places and counts, torchvision's weights, where a region looks."""

import functools

import pytest
import torch
import torchvision
from torch import nn

import taskweave as tw
from taskweave.networks import fast_rcnn_alexnet, fcn32s_alexnet, load_alexnet, load_pretrained
from taskweave.networks.alexnet import FastRCNNAlexNet

STAGES = ["conv1", "pool1", "conv2", "pool2", "conv3", "conv4", "conv5", "pool5", "fc6", "fc7"]
BOX = torch.tensor([[0.0, 0.0, 96.0, 96.0]])


@functools.cache
def imagenet() -> nn.Module:
    torch.manual_seed(7)
    return torchvision.models.alexnet(weights=None).eval()


@pytest.mark.parametrize(("body", "units"), [("caffenet", 8_800), ("torchvision", 8_704)])
def test_stitches_of_the_paper(body: str, units: int) -> None:
    """One unit per layer at five places, 20 numbers; per channel 4 numbers for each of 8,800 channels."""
    with torch.device("meta"):
        streams = {
            "detection": tw.as_stream(fast_rcnn_alexnet(21, body=body)),
            "attributes": tw.as_stream(fast_rcnn_alexnet(64, boxes=False, body=body)),
        }
    example = (torch.empty(1, 3, 128, 128, device="meta"), [BOX])
    for per, numbers in (("layer", 20), ("channel", 4 * units)):
        unit = functools.partial(tw.CrossStitch, per=per)
        net = tw.connect(streams, at=FastRCNNAlexNet.usual_stages, unit=unit, example=example)
        assert len(net.connections) == 5
        assert sum(p.numel() for p in net.connections.parameters()) == numbers


def test_stages_and_features() -> None:
    with torch.device("meta"):
        stream = tw.as_stream(fast_rcnn_alexnet(21))
    assert list(stream.stages) == STAGES
    example = (torch.empty(1, 3, 227, 227, device="meta"), [BOX.repeat(3, 1)])
    shapes = stream.shapes(example)
    assert [(shapes[s].channels, shapes[s].extent[0]) for s in STAGES] == [
        (96, 57), (96, 29), (256, 29), (256, 15), (384, 15), (384, 15), (256, 15), (256, 6), (4096, 1), (4096, 1)
    ]  # fmt: skip


def test_counts() -> None:
    """CaffeNet has 60,965,224 parameters for 1000 classes: its last layer changed for 21 scores and 84 coordinates."""
    with torch.device("meta"):
        detector, attributes = fast_rcnn_alexnet(21), fast_rcnn_alexnet(64, boxes=False)
    shared = 60_965_224 - 4097 * 1000
    assert sum(p.numel() for p in detector.parameters()) == shared + 4097 * (21 + 84)
    assert sum(p.numel() for p in attributes.parameters()) == shared + 4097 * 64


def test_torchvisions_weights_compute_what_they_did() -> None:
    """A region of exactly 6 x 6 cells is what torchvision's classifier sees."""
    net, source = fast_rcnn_alexnet(21, body="torchvision").eval(), imagenet()
    load_alexnet(net, source)
    x, dense = torch.randn(1, 3, 160, 160), fcn32s_alexnet(2, body="torchvision", hidden=8).eval()
    load_alexnet(dense, source, fc="fresh")
    edge = 2 * 16 - 7, 1 * 16 - 7, 7 * 16 + 8, 6 * 16 + 8  # cells 2..7 x 1..6
    with torch.no_grad():
        cells = dense.features[:-1](x)[:, :, 1:7, 2:8]  # conv5, tested against torchvision's there
        output = net(x, [torch.tensor([edge], dtype=torch.float32)])
        fc7 = source.classifier[:6](cells.flatten(1))
        torch.testing.assert_close(output.logits, net.head.logits(fc7))
        torch.testing.assert_close(output.deltas, net.head.deltas(fc7))


def test_regions_of_an_image_are_its_own() -> None:
    net = fast_rcnn_alexnet(4, hidden=8).eval()
    x, boxes = torch.randn(2, 3, 96, 96), torch.tensor([[0.0, 0.0, 60.0, 50.0], [10.0, 30.0, 90.0, 80.0]])
    with torch.no_grad():
        both = net(x, [boxes[:1], boxes])
        for row, (image, box) in enumerate([(0, 0), (1, 0), (1, 1)]):
            alone = net(x[image : image + 1], [boxes[box : box + 1]])
            torch.testing.assert_close(both.logits[row], alone.logits[0])
            torch.testing.assert_close(both.deltas[row], alone.deltas[0])
    assert [len(rois) for rois in both.rois] == [1, 2]


def test_fresh_leaves_fc6_alone_and_pretrained_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    net = fast_rcnn_alexnet(5, boxes=False, body="torchvision", hidden=8)
    before = net.fc6.linear.weight.clone()
    load_alexnet(net, imagenet(), fc="fresh")
    assert torch.equal(net.fc6.linear.weight, before)
    assert torch.equal(net.features.conv5.conv.weight, imagenet().features[10].weight)
    monkeypatch.setattr(torchvision.models, "alexnet", lambda **_: imagenet())
    whole = fast_rcnn_alexnet(21, body="torchvision")
    load_pretrained(whole)
    assert torch.equal(whole.fc6.linear.weight, imagenet().classifier[1].weight)
    assert torch.equal(whole.fc7.linear.bias, imagenet().classifier[4].bias)
    with pytest.raises(ValueError, match=r"\(64, 3, 11, 11\) where \(96, 3, 11, 11\) was expected"):
        load_pretrained(fast_rcnn_alexnet(21, hidden=8))


def test_one_of_two_heads() -> None:
    with pytest.raises(ValueError, match="at least one class, background not counted, got 0"):
        fast_rcnn_alexnet(1)
    with pytest.raises(ValueError, match="at least one attribute, got 0"):
        fast_rcnn_alexnet(0, boxes=False)
    with pytest.raises(ValueError, match="'caffenet' or 'torchvision', got 'zf'"):
        fast_rcnn_alexnet(21, body="zf")  # type: ignore[arg-type]


def test_an_image_without_regions_is_refused_as_input() -> None:
    stream = tw.as_stream(fast_rcnn_alexnet(4, hidden=8))
    with pytest.raises(ValueError, match=r"reads \(images, regions per image\), got a Tensor"):
        stream(torch.zeros(1, 3, 64, 64))


@pytest.mark.parametrize("until", ["pool1", "conv4", "pool5", "fc6", "fc7"])
def test_split_at_every_stage(until: str) -> None:
    """Detection and attributes share a trunk of any length; the detector is what it was alone."""
    x = (torch.randn(2, 3, 64, 64), [torch.tensor([[0.0, 0.0, 64.0, 64.0], [8.0, 8.0, 40.0, 50.0]]), torch.zeros(0, 4)])
    streams = {"detection": tw.as_stream(fast_rcnn_alexnet(5, hidden=8))}
    streams["attributes"] = tw.as_stream(fast_rcnn_alexnet(6, boxes=False, hidden=8))
    net = tw.share(streams, until=until).eval()
    with torch.no_grad():
        outputs = net(x)
        alone = streams["detection"].net(*x)
    assert torch.equal(outputs["detection"].logits, alone.logits)
    assert outputs["attributes"].logits.shape == (2, 6)
    assert [len(rois) for rois in outputs["attributes"].rois] == [2, 0]

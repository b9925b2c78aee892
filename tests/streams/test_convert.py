"""as_stream: by type, lazily, open to other types."""

import subprocess
import sys

import pytest
import timm
import torch
import torchvision
from streams.nets import faster_rcnn, images_and_targets, retinanet, torchvision_alexnet, torchvision_vgg
from torch import Tensor, nn

import taskweave as tw
from taskweave.streams.stream import Stream
from taskweave.streams.torchvision import RawHeads

ALEXNET = ["conv1", "pool1", "conv2", "pool2", "conv3", "conv4", "conv5", "pool5", "fc6", "fc7"]
RESNET = ["stem", "layer1", "layer2", "layer3", "layer4"]


@pytest.mark.parametrize(
    ("build", "stages", "head"),
    [
        (lambda: timm.create_model("test_resnet"), RESNET, ["fc"]),
        (lambda: timm.create_model("test_convnext"), ["stem", *(f"stages.{i}" for i in range(4))], ["head.fc"]),
        (lambda: timm.create_model("test_vit"), ["patch_embed", *[f"blocks.{i}" for i in range(6)]], ["head"]),
        (lambda: torchvision.models.resnet18(), RESNET, ["fc"]),
        (lambda: torchvision_vgg(True), [*(f"pool{i}" for i in range(1, 6)), "fc6", "fc7"], ["classifier.5"]),
        (
            torchvision_alexnet,
            ["conv1", "pool1", "conv2", "pool2", "conv3", "conv4", "conv5", "pool5", "fc6", "fc7"],
            ["classifier.6"],
        ),
        (lambda: retinanet(), RESNET, ["head.classification_head.cls_logits", "head.regression_head.bbox_reg"]),
        (
            lambda: torchvision.models.segmentation.fcn_resnet50(weights=None, weights_backbone=None, aux_loss=True),
            RESNET,
            ["classifier.4", "aux_classifier.4"],
        ),
    ],
)
def test_stage_names_and_last_layers(build, stages: list[str], head: list[str]) -> None:
    stream = tw.as_stream(build())
    assert list(stream.stages) == stages
    assert list(stream.head) == head


def test_alexnet_has_the_channels_of_the_papers_five_places() -> None:
    with torch.device("meta"):
        stream = tw.as_stream(torchvision.models.alexnet())
    shapes = stream.shapes(torch.rand(1, 3, 224, 224))
    assert [shapes[place].channels for place in ("pool1", "pool2", "pool5", "fc6", "fc7")] == [64, 192, 256, 4096, 4096]


def test_whole_sized_networks_on_the_meta_device() -> None:
    """The classifiers as their libraries build them, of which the contract tests have small ones."""
    with torch.device("meta"):
        for net in (torchvision.models.vgg16_bn(), torchvision.models.alexnet(), timm.create_model("vgg16")):
            stream, x = tw.as_stream(net), torch.empty(1, 3, 224, 224)
            assert stream(x).shape == net(x).shape == (1, 1000)


def test_unknown_type_says_what_to_write() -> None:
    with pytest.raises(TypeError, match=r"no stages are known for Linear, .*; write Stream\(net, stages=.*trace_stream"):
        tw.as_stream(nn.Linear(2, 2))
    with pytest.raises(TypeError, match=r"no stages are known for int, .*it is no torch.nn.Module"):
        tw.as_stream(3)


class Skipping(nn.Module):
    """Somebody's own network: an activation in place, a child that runs twice, a skip, one that never runs."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.act = nn.Conv2d(3, 4, 3, 1, 1), nn.ReLU(inplace=True)
        self.twice, self.unused = nn.Conv2d(4, 4, 1), nn.Conv2d(9, 9, 1)
        self.middle, self.last = nn.Conv2d(4, 4, 3, 1, 1), nn.Conv2d(4, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        early = self.act(self.first(x))
        return self.last(self.twice(self.middle(self.twice(early))) + early)


def test_a_network_from_elsewhere_has_a_stage_at_each_child_that_can_be_one() -> None:
    net, x = Skipping(), torch.rand(2, 3, 16, 24)
    stream = tw.as_stream(net)
    assert (list(stream.stages), stream.head) == (["act", "middle", "last"], ("last",))
    assert torch.equal(stream(x), net(x))
    plain = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 2, 1)).train()
    before = {name: value.clone() for name, value in plain.state_dict().items()}
    stream = tw.as_stream(plain)
    assert (list(stream.stages), stream.head) == (["0", "1", "2", "3"], ("3",)) and plain.training
    assert all(torch.equal(before[name], value) for name, value in plain.state_dict().items()), "its statistics too"
    dense = torchvision.models.densenet.DenseNet(4, (1, 1, 1, 1), 8)
    assert list(tw.as_stream(dense).stages) == ["classifier"], "features are overwritten by the ReLU behind them"


def test_open_to_other_types() -> None:
    class Mine(nn.Sequential):
        pass

    @tw.as_stream.register
    def _(net: Mine) -> Stream:
        return Stream(net, {"only": ["0"]})

    assert list(tw.as_stream(Mine(nn.Conv2d(3, 3, 1))).stages) == ["only"]


def test_a_subclass_is_known_by_its_library() -> None:
    class MyResNet(torchvision.models.ResNet):
        pass

    from torchvision.models.resnet import BasicBlock

    assert list(tw.as_stream(MyResNet(BasicBlock, [1, 1, 1, 1])).stages) == RESNET


@pytest.mark.slow
def test_libraries_are_imported_when_met() -> None:
    code = (
        "import sys, torch, taskweave as tw; print('timm' in sys.modules, 'torchvision' in sys.modules)\n"
        "import torchvision; tw.as_stream(torchvision.models.resnet18()); print('timm' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False", "False"]


def test_detector_in_training_needs_good_targets() -> None:
    stream = tw.as_stream(faster_rcnn()).train()
    images, targets = images_and_targets()
    with pytest.raises(ValueError, match=r"FasterRCNN in training needs \(images, targets\), got images only"):
        stream(images)
    flat = [{"boxes": torch.tensor([[4.0, 4.0, 4.0, 30.0]]), "labels": torch.tensor([1])}, targets[1]]
    with pytest.raises(ValueError, match="target 0 has a box without width or height"):
        stream((images, flat))


def test_detector_takes_images_with_and_without_targets_and_batches() -> None:
    net = faster_rcnn().eval()
    stream, (images, targets) = tw.as_stream(net), images_and_targets()
    found = stream(images)
    assert sum(len(detection["boxes"]) for detection in found) > 0
    for batch in ((images, targets), (images, None)):
        assert all(torch.equal(a["boxes"], b["boxes"]) for a, b in zip(found, stream(batch), strict=True))
    batch = torch.stack([torch.rand(3, 40, 48)] * 2)
    assert all(torch.equal(a["scores"], b["scores"]) for a, b in zip(net(batch), stream(batch), strict=True))


def test_detector_on_an_unknown_body_says_what_to_write() -> None:
    body = torchvision.models.mobilenet_v2().features
    body.out_channels = 1280
    net = torchvision.models.detection.FasterRCNN(body, 2)
    with pytest.raises(TypeError, match=r"FasterRCNN on a Sequential: stages are known for bodies with a pyramid"):
        tw.as_stream(net)


def test_segmentation_network_on_an_unknown_body_says_what_to_write() -> None:
    net = torchvision.models.segmentation.FCN(nn.Sequential(), nn.Conv2d(3, 2, 1))
    with pytest.raises(TypeError, match="the stages of a Sequential as the body of a network are not known"):
        tw.as_stream(net)


def test_raw_heads_are_what_the_detectors_convolutions_give() -> None:
    net = faster_rcnn().eval()
    stream, (images, _) = tw.as_stream(net), images_and_targets()
    stream.exit = RawHeads(stream.exit.pyramid)
    batch, _ = net.transform(images)
    objectness, deltas = net.rpn.head(list(net.backbone(batch.tensors).values()))
    raw = stream(images)
    assert len(raw["objectness"]) == 5
    assert all(torch.equal(a, b) for a, b in zip(raw["objectness"] + raw["box_deltas"], objectness + deltas, strict=True))

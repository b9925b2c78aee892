"""What networks are given of a batch, and tasks of their outputs."""

import pytest
import torch
from torch import nn
from training import toys

from taskweave.data.sample import collate
from taskweave.features import FeatureShape
from taskweave.heads.layers import AnchorOutputs, RoiAttributes, RoiOutputs
from taskweave.streams import as_stream
from taskweave.streams.stream import Stream
from taskweave.tasks.detection import Detection
from taskweave.tasks.roi_detection import TorchvisionDetection
from taskweave.training import fit, validate
from taskweave.training.batches import inputs_of, outputs_of
from taskweave.units.cross_connection import CrossConnection
from taskweave.weaving.connected import Connected
from taskweave.weaving.plan import Connection


def test_anchors_are_every_samples():
    output = AnchorOutputs(torch.rand(3, 5, 2), torch.rand(3, 5, 4), torch.rand(5, 4))
    chosen = Detection(1).select(output, torch.tensor([2, 0]))
    assert isinstance(chosen, AnchorOutputs) and torch.equal(chosen.anchors, output.anchors)
    assert torch.equal(chosen.logits, torch.stack([output.logits[2], output.logits[0]]))


def test_regions_are_taken_with_their_image():
    rois = (torch.rand(2, 4), torch.rand(0, 4), torch.rand(3, 4))
    logits, deltas = torch.arange(5.0)[:, None], torch.rand(5, 8)
    boxes = toys.ToyTask().select(RoiOutputs(logits, deltas, rois), torch.tensor([1, 2]))
    assert boxes.logits.flatten().tolist() == [2, 3, 4] and torch.equal(boxes.deltas, deltas[2:])
    assert [len(part) for part in boxes.rois] == [0, 3] and torch.equal(boxes.rois[1], rois[2])
    attributes = toys.ToyTask().select(RoiAttributes(logits, rois), torch.tensor([0, 1]))
    assert isinstance(attributes, RoiAttributes) and attributes.logits.flatten().tolist() == [0, 1]


def test_members_and_detections():
    members = [torch.arange(3.0), {"x": torch.arange(3.0) + 5}]
    chosen = toys.ToyTask().select(members, torch.tensor([2]))
    assert chosen[0].tolist() == [2] and chosen[1]["x"].tolist() == [7]
    detections = [{"boxes": torch.rand(n, 4)} for n in (1, 2, 3)]
    assert TorchvisionDetection(1).select(detections, torch.tensor([2, 0])) == [detections[2], detections[0]]


def test_named_outputs_keep_their_type_in_float32():
    half = AnchorOutputs(torch.rand(1, 2, 2).bfloat16(), torch.rand(1, 2, 4).bfloat16(), torch.rand(2, 4))

    class Net(nn.Module):
        def forward(self, image, tasks):
            return {"a": half}

    sample = {"image": torch.rand(3, 4, 4), "key": "0", "a": torch.zeros(1)}
    output = outputs_of(Net(), ["a"], collate([sample]), {"a": toys.ToyTask()})["a"]
    assert isinstance(output, AnchorOutputs) and output.logits.dtype == output.anchors.dtype == torch.float32


class Regions(toys.ToyTask):
    """A task whose network reads the regions too, and notes with which target it was asked."""

    def __init__(self):
        self.asked = []

    def network_input(self, image, target, rois):
        self.asked.append(target is not None)
        return image, rois


def read_regions(net, given, memory):
    image, rois = given
    return image + torch.stack([part.mean() for part in rois])[:, None, None, None]


def with_regions():
    torch.manual_seed(1)
    streams = {
        "a": toys.stream(),
        "b": Stream(toys.ToyNet(), {"body": ["body"], "last": ["last"]}, head=["last"], enter=read_regions),
    }
    return Connected(streams, [Connection({"a": "body", "b": "body"}, toys.Mix())])


class RegionSamples(toys.ToySamples):
    def __getitem__(self, at):
        return {**super().__getitem__(at), "rois": torch.full((2, 4), float(at[0]))}


def test_images_alone_where_no_task_asks_for_more():
    samples = RegionSamples(2, labels={"b": [0]})
    batch = collate([samples[0, 0], samples[1, 0]])
    assert inputs_of(batch, toys.TASKS, training=True) is batch.image
    task = Regions()
    inputs = inputs_of(batch, {"a": toys.ToyTask(), "b": task}, training=True)
    assert inputs["a"] is batch.image and inputs["b"] == (batch.image, batch.rois)
    inputs_of(batch, {"b": task}, training=False)
    assert task.asked == [True, False]


def test_absent_and_untrained_streams_are_given_their_input_too(tmp_path):
    """b is never labelled, or not trained, or not measured; its features still travel to a."""
    tasks = {"a": toys.ToyTask(), "b": Regions()}
    samples, none = RegionSamples(8), RegionSamples(8, labels={"b": []})
    net = with_regions()
    result = fit(net, tasks, none, toys.options(steps=1), folder=tmp_path / "absent", seed=0)
    assert result.finished and tasks["b"].asked == [False]
    only_a = {"trained": ["a"], "validation": samples, "seed": 0}
    assert fit(net, tasks, samples, toys.options(steps=1), folder=tmp_path / "untrained", **only_a).finished
    one = validate(net, {"a": tasks["a"]}, samples, batch_size=4, others=tasks)
    assert one["a"] == validate(net, tasks, samples, batch_size=4)["a"]
    with pytest.raises(ValueError, match=r"stream 'a' takes part in these outputs and has no input; .* \['b'\]"):
        validate(net, {"b": tasks["b"]}, samples, batch_size=4)


def test_detector_runs_its_stages_without_targets_while_it_trains():
    """The body of torchvision's detector, linked to a dense stream, on a batch that has no boxes."""
    from torchvision.models.detection import FasterRCNN
    from torchvision.models.detection.backbone_utils import resnet_fpn_backbone

    body = resnet_fpn_backbone(backbone_name="resnet18", weights=None, trainable_layers=5)
    detector = as_stream(FasterRCNN(body, num_classes=2, min_size=64, max_size=64)).train()
    other = Stream(nn.Sequential(nn.Conv2d(3, 64, 1, stride=4), nn.Conv2d(64, 1, 1)), {"first": ["0"], "last": ["1"]})
    unit = CrossConnection([FeatureShape.image(64, 16, 16)] * 2)
    net = Connected({"detection": detector, "a": other}, [Connection({"detection": "layer1", "a": "first"}, unit)])
    image = torch.rand(2, 3, 64, 64)
    sample = {"image": image[0], "key": "0", "a": torch.zeros(1, 16, 16)}
    tasks = {"detection": TorchvisionDetection(1), "a": toys.ToyTask()}
    output = outputs_of(net, ["a"], collate([sample, sample]), tasks, training=True)["a"]
    output.sum().backward()
    assert (
        detector.net.backbone.body.conv1.weight.grad.any()
        and detector.net.backbone.body.layer2[0].conv1.weight.grad is None
    )
    with pytest.raises(ValueError, match=r"in training needs \(images, targets\)"):
        net(inputs_of(collate([sample]), tasks, training=True), tasks=["detection"])

"""Proposals from our region proposal network: from images alone, in their pixels, to the regions that are trained on."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import taskweave as tw
from taskweave.data import LabelledSet, SampleRois, ToInput, Transformed, WithProposals, read_proposals, write_proposals
from taskweave.data.generated.scenes import Scenes
from taskweave.data.transforms.augmentation import resize
from taskweave.experiments.predicting import propose
from taskweave.heads import Anchors, proposals_of
from taskweave.images import IMAGENET
from taskweave.networks import pspnet_vgg16, rpn_vgg16

ANCHORS = Anchors((12.0, 24.0), (0.5, 1.0))


@pytest.fixture(scope="module")
def scenes() -> Scenes:
    return Scenes(3, size=(48, 64), labels=("detection",), seed=4)


def connected() -> tw.Connected:
    """A detector of objects without a kind, linked with a segmentation network, in training mode."""
    nets = {
        "detection": rpn_vgg16(2, heights=ANCHORS.heights, ratios=ANCHORS.ratios, width=4, hidden=8),
        "seg": pspnet_vgg16(2, width=4, hidden=8),
    }
    streams = {name: tw.as_stream(net) for name, net in nets.items()}
    net = tw.connect(streams, ["conv1_2", "conv3_3"], tw.CrossConnection, example=torch.zeros(1, 3, 48, 64))
    return net.train()


class WithoutLabels(LabelledSet):
    """The images of a data set: who asks for a label fails."""

    def __init__(self, dataset: LabelledSet) -> None:
        self.dataset = dataset

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {name: self.dataset[index][name] for name in ("image", "key")}

    labels = ()
    classes = ()

    def key(self, index: int) -> str:
        return self.dataset.key(index)

    def scene(self, index: int) -> str:
        return self.dataset.scene(index)


def test_by_definition_from_images_alone(scenes: Scenes) -> None:
    net = connected()
    found = propose(net, WithoutLabels(scenes), count=20)
    assert net.training
    assert list(found) == [scenes.key(i) for i in range(3)]
    net.eval()
    for index in range(3):
        x = IMAGENET.normalise(scenes[index]["image"].as_subclass(Tensor)[None])
        with torch.no_grad():
            (expected,) = proposals_of(net(x)["detection"], (48, 64), count=20)
        assert 0 < len(expected) <= 20
        torch.testing.assert_close(found[scenes.key(index)], expected)


def test_seen_at_another_size_they_are_in_pixels_of_the_images(scenes: Scenes) -> None:
    """Fitted into 40 x 32 at its aspect, an image of 48 x 64 is 24 x 32, so boxes are enlarged by 2."""
    net = connected().eval()
    found = propose(net, scenes, size=(40, 32), count=10)
    for index in range(3):
        x = IMAGENET.normalise(resize(scenes[index]["image"], (24, 32)).as_subclass(Tensor)[None])
        with torch.no_grad():
            (expected,) = proposals_of(net(x)["detection"], (24, 32), count=10)
        torch.testing.assert_close(found[scenes.key(index)], 2 * expected)


def test_they_are_stored_and_trained_on(scenes: Scenes, tmp_path: Path) -> None:
    write_proposals(tmp_path / "rpn.npz", propose(connected(), scenes))
    proposed = WithProposals(scenes, read_proposals(tmp_path / "rpn.npz"))
    sample = Transformed(proposed, lambda one: SampleRois(8)(ToInput(IMAGENET)(one)), seed=0)[0]
    assert sample["rois"].shape == (8, 4) == sample["detection"]["deltas"].shape


def test_another_kind_of_stream_is_refused(scenes: Scenes) -> None:
    with pytest.raises(ValueError, match=r"'seg' gives Tensor, expected AnchorOutputs.*\['detection', 'seg'\]"):
        propose(connected(), scenes, stream="seg")

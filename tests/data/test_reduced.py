"""Smaller samples, kept in memory where asked."""

import torch
from data import trees
from torchvision import tv_tensors

import taskweave as tw
from taskweave.data import Reduced
from taskweave.data.transforms.augmentation import resize


def test_size_and_labels(tmp_path):
    trees.write_mtan(tmp_path)
    full = tw.data.nyuv2_mtan("train", path=tmp_path)
    small = Reduced(full, size=(12, 16))
    assert {tuple(value.shape[-2:]) for name, value in small[0].items() if name != "key"} == {(12, 16)}
    assert (small.labels, small.classes, small.key(1), small.scene(1)) == (
        full.labels,
        full.classes,
        full.key(1),
        full.scene(1),
    )
    depths = set(full[0]["depth"].unique().tolist())
    assert set(small[0]["depth"].unique().tolist()) <= depths, "no depth that was not there"
    lengths = small[0]["normals"].norm(dim=0)
    assert torch.allclose(lengths[lengths > 0], torch.ones(1))
    assert torch.equal(Reduced(full)[0]["image"], full[0]["image"])


def test_a_mask_with_or_without_channel_axis(tmp_path):
    trees.write_mtan(tmp_path)
    mask = tw.data.nyuv2_mtan("train", path=tmp_path)[0]["segmentation"]
    with_axis = tv_tensors.Mask(mask[None])
    assert torch.equal(resize(with_axis, (5, 7))[0], resize(mask, (5, 7)))


def test_boxes_follow_and_attributes_stay():
    boxes = tv_tensors.BoundingBoxes(torch.tensor([[2.0, 4, 6, 8]]), format="XYXY", canvas_size=(10, 20))
    sample = {"key": "a", "detection": {"boxes": boxes, "labels": torch.tensor([3])}}
    small = resize(sample, (5, 5))
    assert small["detection"]["boxes"].tolist() == [[0.5, 2, 1.5, 4]]
    assert small["detection"]["labels"].tolist() == [3]
    assert small["key"] == "a"


def test_in_memory_reads_once(tmp_path):
    trees.write_mtan(tmp_path)
    remembered = Reduced(tw.data.nyuv2_mtan("train", path=tmp_path), size=(12, 16), in_memory=True)
    first = remembered[0]
    (tmp_path / "train" / "image" / "0.npy").unlink()
    again = remembered[0]
    assert torch.equal(again["image"], first["image"])
    assert again is not first, "a caller may change its own dict"

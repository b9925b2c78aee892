"""Batches of samples with boxes; detections of tiles brought back together."""

import pytest
import torch
from data import box_trees
from torchvision import tv_tensors

import taskweave as tw
from taskweave.data import Window, collate, merge_windows, tiled
from taskweave.data.boxes import bounding_boxes


def a_sample(key, n=None, **more):
    sample = {"image": torch.zeros(3, 8, 8), "key": key, **more}
    if n is not None:
        boxes = bounding_boxes([[0, 0, k + 1, 2] for k in range(n)], (8, 8))
        sample["detection"] = {"boxes": boxes, "labels": torch.arange(n), "ignore": torch.zeros(n, dtype=torch.bool)}
    return sample


def test_dict_targets_are_a_list_of_those_labelled():
    mask = tv_tensors.Mask(torch.ones(8, 8, dtype=torch.int64))
    batch = collate([a_sample("a", 2), a_sample("b", segmentation=mask), a_sample("c", 0)])
    assert batch.keys == ("a", "b", "c")
    assert batch.rows["detection"].tolist() == [0, 2]
    assert batch.rows["segmentation"].tolist() == [1]
    assert [len(target["labels"]) for target in batch.targets["detection"]] == [2, 0]
    assert all(type(part) is torch.Tensor for target in batch.targets["detection"] for part in target.values())
    assert batch.targets["detection"][0]["boxes"].tolist() == [[0, 0, 1, 2], [0, 0, 2, 2]]
    assert batch.targets["segmentation"].shape == (1, 8, 8)
    assert batch.rois is None
    assert batch.proposals is None
    assert not batch.whole("detection")


def test_rois_and_proposals_are_inputs():
    batch = collate([a_sample("a", 1, rois=torch.ones(5, 4)), a_sample("b", rois=torch.ones(2, 4)), a_sample("c")])
    assert batch.tasks == ("detection",)
    assert [len(rois) for rois in batch.rois] == [5, 2, 0]
    assert batch.rois[2].shape == (0, 4)
    with_proposals = collate([a_sample("a", proposals=bounding_boxes([[0, 0, 4, 4]], (8, 8)))])
    assert type(with_proposals.proposals[0]) is torch.Tensor
    assert with_proposals.tasks == ()


def test_everything_moves():
    batch = collate([a_sample("a", 1, rois=torch.ones(5, 4), proposals=torch.ones(1, 4), depth=torch.ones(1, 8, 8))])
    moved = batch.to(torch.device("meta"))
    assert moved.image.is_meta
    assert moved.targets["detection"][0]["boxes"].is_meta
    assert moved.targets["depth"].is_meta
    assert moved.rows["detection"].is_meta
    assert moved.rois[0].is_meta
    assert moved.proposals[0].is_meta
    assert moved.keys == ("a",)
    assert not batch.rois[0].is_meta


def test_sizes_that_differ_are_named():
    with pytest.raises(ValueError, match=r"'image'.*\(3, 8, 8\), \(3, 4, 4\).*batch_size=1"):
        collate([a_sample("a"), {"image": torch.zeros(3, 4, 4), "key": "b"}])
    with pytest.raises(TypeError, match=r"'detection'.*one form"):
        collate([a_sample("a", 1), a_sample("b", detection=torch.zeros(1))])


def detection(boxes, scores, labels=None):
    return {
        "boxes": torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        "scores": torch.tensor(scores, dtype=torch.float32),
        "labels": torch.tensor(labels or [1] * len(scores), dtype=torch.int64),
    }


def test_merge_by_hand():
    """One object at (12, 4, 20, 12) is seen by two windows that begin at columns 0 and 10; another class stays."""
    windows = [Window(0, 0, 0, 20, 24), Window(0, 0, 10, 20, 24), Window(2, 5, 7, 20, 24)]
    found = [
        detection([[12, 4, 20, 12]], [0.6]),
        detection([[2, 4, 10, 12.5], [2, 4, 10, 12], [13, 0, 20, 9]], [0.9, 0.5, 0.3], [1, 2, 1]),
        detection([[0, 0, 3, 3]], [0.1]),
    ]
    merged = merge_windows(found, windows, iou=0.5)
    assert merged.keys() == {0, 2}
    assert merged[0]["scores"].tolist() == pytest.approx([0.9, 0.5, 0.3])
    assert merged[0]["boxes"].tolist() == [[12, 4, 20, 12.5], [12, 4, 20, 12], [23, 0, 30, 9]]
    assert merged[0]["labels"].tolist() == [1, 2, 1]
    assert merged[2]["boxes"].tolist() == [[7, 5, 10, 8]]
    everything = merge_windows(found, windows, iou=0.99)
    assert len(everything[0]["scores"]) == 4
    nothing = merge_windows([detection([], [])], windows[:1])
    assert nothing[0]["boxes"].shape == (0, 4)
    with pytest.raises(ValueError, match="2 detections for 3 windows"):
        merge_windows(found[:2], windows)


def test_tiles_of_right_halves_merge_to_what_was_there(tmp_path):
    """Ground truth of the tiles, taken as detections, is the right half's: whole boxes win over the parts of them."""
    box_trees.write_birds(tmp_path)
    halves = tw.data.birds("train", path=tmp_path, area="right half")
    tiles = tiled(halves, (40, 30), overlap=20)
    assert tiles.sizes == ((40, 30),) * len(tiles)
    assert len({tiles.key(i) for i in range(len(tiles))}) == len(tiles)
    assert {tiles.scene(i) for i in range(len(tiles))} == {"000011", "000012"}
    found = []
    for index in range(len(tiles)):
        target = tiles[index]["detection"]
        assert tiles[index]["image"].shape == (3, 40, 30)
        size = (target["boxes"][:, 2:] - target["boxes"][:, :2]).prod(dim=1)
        found.append({"boxes": target["boxes"], "scores": size.as_subclass(torch.Tensor), "labels": target["labels"]})
    merged = merge_windows(found, tiles.windows, iou=0.1)
    for index in range(2):
        wanted = sorted(halves[index]["detection"]["boxes"].tolist())
        assert sorted(merged[index]["boxes"].tolist()) == wanted


def test_tiles_of_one_image_are_decoded_once(tmp_path, monkeypatch):
    import pickle

    box_trees.write_birds(tmp_path)
    whole = tw.data.birds("train", path=tmp_path, area="whole").only(("detection",))
    tiles = tiled(whole, (40, 50), overlap=0)
    reads = []
    original = type(whole).__getitem__
    monkeypatch.setattr(type(whole), "__getitem__", lambda self, index: reads.append(index) or original(self, index))
    for index in range(len(tiles)):
        tiles[index]
    assert reads == [0, 1]
    assert len(pickle.dumps(tiles)) < 20_000, "the remembered image does not travel"

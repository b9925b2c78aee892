"""What is said of a folder of data: its layout, its facts, and what is not known of it."""

import json

import numpy as np
import pytest
from data import box_trees, trees
from data.inspected import facts_of, the_only
from data.refusing import refuses
from data.written import WRITTEN, write_cityscapes

import taskweave as tw
from taskweave.data import LabelledSet, inspect
from taskweave.data.inspection.inspection import LAYOUTS, spread
from taskweave.parts import known


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TASKWEAVE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.parametrize("reader", WRITTEN)
def test_every_layout_is_recognised(reader, tmp_path):
    write, counts, targets = WRITTEN[reader]
    root = tmp_path / "data"
    root.mkdir()
    write(root)
    found = inspect(root)
    layout = next(one for one in found.layouts if one.reader == reader)
    others = {one.reader for one in found.layouts} - {reader}
    assert others <= {"cityscapes"}, "CityPersons lies over Cityscapes; all others are told apart"
    assert {one.split: one.count for one in layout.splits} == counts
    assert {facts.target for facts in layout.splits[0].targets} == targets
    assert all(facts.pictures == split.looked_at for split in layout.splits for facts in split.targets)
    assert not [one for one in layout.warnings if one.kind in ("cannot be opened", "cannot be read")]
    assert json.loads(json.dumps(found.as_json()))["layouts"][0]["splits"][0]["count"]


def test_every_reader_is_among_the_layouts():
    readers = {name for name in tw.data.__all__ if hasattr(getattr(tw.data, name), "facts")}
    without_files = {"scenes", "pets_sample"}
    assert readers - without_files == {layout.reader for layout in LAYOUTS} == set(WRITTEN)
    assert set(known(LabelledSet)) == readers, "each is a part of recipes by the same name"


def test_facts_are_those_of_the_files(tmp_path):
    truths = trees.write_mtan(tmp_path)
    found = inspect(tmp_path)
    image, depth = (facts_of(found, "train", name) for name in ("image", "depth"))
    normals, labels = (facts_of(found, "train", name) for name in ("normals", "segmentation, 13 classes"))
    assert image.stored == "float32 24 x 32 x 3"
    assert image.stored_range == (0.0, pytest.approx(max(t.image.max() for t in truths) / 255))
    assert image.read == "Image uint8 3 x 24 x 32"
    assert depth.stored == "float64 24 x 32 x 1"
    assert depth.read == "Depth float32 1 x 24 x 32"
    depths = np.stack([t.depth for t in truths])
    assert depth.invalid == pytest.approx((depths == 0).mean())
    assert depth.read_range == pytest.approx((depths[depths > 0].min(), depths.max()))
    assert depth.remark == "metres"
    assert normals.invalid == pytest.approx(np.mean([(t.normals == 0).all(-1) for t in truths]))
    segments = np.stack([t.segmentation for t in truths])
    assert labels.invalid == pytest.approx((segments == 255).mean())
    assert labels.stored_range == (-1, 12)
    assert labels.read_range == (0, 12)
    assert labels.remark == "13 of 13 classes seen"
    assert [facts.pictures for facts in (image, depth, normals, labels)] == [5] * 4


def test_facts_of_boxes(tmp_path):
    box_trees.write_voc(tmp_path, split="val")
    facts = facts_of(inspect(tmp_path), "2007 val", "detection")
    things = [thing for shot in box_trees.SHOTS for thing in shot.things]
    heights = [thing.box[3] - thing.box[1] for thing in things]
    ignored = sum(thing.ignore for thing in things) / len(things)
    size = f"{len(things) / 4:.1f} a picture, {min(heights)}..{max(heights)} px high"
    assert facts.remark == f"{size}, {ignored:.0%} ignored, 3 of 20 classes seen"
    image = facts_of(inspect(tmp_path), "2007 val", "image")
    assert image.stored == "uint8 16..30 x 20..48 x 3"


def test_inverse_depth_is_called_so(tmp_path):
    write_cityscapes(tmp_path)
    layout = the_only(inspect(tmp_path))
    remarks = {split.split: {facts.target: facts.remark for facts in split.targets} for split in layout.splits}
    assert remarks["train"]["depth"] == "metres"
    assert remarks["val"]["depth"] == "inverse depth"  # it has no cameras
    assert remarks["val"]["disparity"] == "pixels"


def test_a_few_of_many_are_read(tmp_path):
    trees.write_mtan(tmp_path)
    told = []

    class Watching:
        def begin(self, what, total):
            told.append((what, total))

        def advance(self, done):
            told.append(done)

        def end(self):
            told.append("end")

    found = the_only(inspect(tmp_path, samples=2, progress=Watching()))
    assert (found.splits[0].count, found.splits[0].looked_at) == (5, 2)
    assert {facts.pictures for facts in found.splits[0].targets} == {2}
    assert told == [("NYUv2 as MTAN's npy, train", 2), 1, 1, "end"]
    assert the_only(inspect(tmp_path, samples=0)).splits[0].looked_at == 5


def test_samples_are_evenly_spaced():
    assert spread(9, 3) == [0, 4, 8]
    assert spread(9, 1) == [0]
    assert spread(3, 20) == spread(3, 0) == [0, 1, 2]
    assert len(set(spread(145, 20))) == 20


# What it does not know


def test_names_that_nobody_reads(tmp_path):
    trees.write_mtan(tmp_path)
    (tmp_path / "notes.txt").touch()
    assert inspect(tmp_path).unknown == ("notes.txt",)


def test_nearly(tmp_path):
    trees.write_folder(tmp_path)
    (tmp_path / "gt_sets" / "train.txt").unlink()
    found = inspect(tmp_path)
    assert found.layouts == ()
    first = found.nearly[0]
    assert first.layout == "NYUv2 as one folder"
    assert first.has == ("rgb/*.jpg", "depth/*.png")
    assert first.lacks == ("gt_sets/*.txt",)
    assert found.unknown == ("depth", "gt_sets", "label40", "rgb")


def test_one_level_too_high(tmp_path):
    trees.write_mtan(tmp_path / "nyuv2")
    found = inspect(tmp_path)
    assert found.layouts == ()
    assert found.inside == {"nyuv2": ("NYUv2 as MTAN's npy",)}


def test_no_folder(tmp_path):
    refuses(lambda: inspect(tmp_path / "none"), FileNotFoundError, "none does not exist", "unpacked")
    (tmp_path / "data.zip").touch()
    refuses(lambda: inspect(tmp_path / "data.zip"), FileNotFoundError, "data.zip is a file", "unpacked")
    refuses(lambda: inspect(tmp_path, samples=-1), ValueError, "samples", "-1", "0 for all")

"""The pets' h5 form: item by item and in blocks, and what is refused."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from data import pet_trees as trees
from data.refusing import every_label, refuses

import taskweave as tw
from taskweave.data import BatchOrder, BlockOrder
from taskweave.data.readers import arrays
from taskweave.data.readers.whole_images import pets_h5

pytest.importorskip("h5py", reason="the h5 form needs taskweave[data]")


@pytest.mark.parametrize("block", [1, 2, None, 100])
def test_what_was_written_is_read(tmp_path, block):
    trees.write_pets_h5(tmp_path / "val")
    rows = trees.h5_rows()
    pets = tw.data.pets_h5("val", path=tmp_path, block=block)
    assert pets.block == {1: 1, 2: 2, None: 3, 100: 100}[block]
    assert len(pets) == trees.H5_COUNT
    for index in (6, 0, 3, 2, 5, 1, 4):
        sample = pets[index]
        assert torch.equal(sample["image"], torch.from_numpy(rows["images"][index]).permute(2, 0, 1))
        assert torch.equal(sample["segmentation"], torch.from_numpy(rows["masks"][index, ..., 0]).long())
        assert sample["box"].tolist() == [rows["bboxes"][index].tolist()]
        assert sample["box"].canvas_size == trees.H5_SIZE
        assert sample["species"] == int(rows["binary"][index, 0])


def test_other_types_axes_and_names(tmp_path):
    """float images, masks without a last axis, species without a second axis, an array of another name."""
    import h5py

    rows = trees.h5_rows()
    changed = {"images": rows["images"].astype(np.float32), "masks": rows["masks"][..., 0], "binary": rows["binary"][:, 0]}
    trees.write_pets_h5(tmp_path, **changed)
    with h5py.File(tmp_path / "binary.h5", "w") as file:
        file["labels"] = rows["binary"][:, 0]
    sample = tw.data.pets_h5("all", path=tmp_path)[2]
    assert torch.equal(sample["image"], torch.from_numpy(rows["images"][2]).permute(2, 0, 1))
    assert torch.equal(sample["segmentation"], torch.from_numpy(rows["masks"][2, ..., 0]).long())
    assert sample["species"] == int(rows["binary"][2, 0])


def reads(monkeypatch):
    """Every slice of images that is read."""
    seen = []

    class Watched:
        def __init__(self, array):
            self.array = array

        def __getitem__(self, rows):
            seen.append((rows.start, rows.stop))
            return self.array[rows]

    monkeypatch.setattr(pets_h5, "h5_array", lambda path, name: Watched(arrays.h5_array(path, name)))
    return seen


def test_blocks_are_read_once_in_block_order(tmp_path, monkeypatch):
    trees.write_pets_h5(tmp_path)
    pets = tw.data.pets_h5("all", path=tmp_path, block=None).only(("species",))
    seen = reads(monkeypatch)
    order = BlockOrder(pets.blocks, seed=5)
    assert sorted(index for index, _ in order.epoch(0)) == list(range(7))
    for index, _ in order.epoch(0):
        pets[index]
    assert sorted(seen) == [(0, 3), (3, 6), (6, 9)]


def test_items_are_read_by_themselves(tmp_path, monkeypatch):
    trees.write_pets_h5(tmp_path)
    pets = tw.data.pets_h5("all", path=tmp_path, block=1).only(("species",))
    assert pets.blocks == ()
    seen = reads(monkeypatch)
    for index in (4, 1, 4):
        pets[index]
    assert seen == [(4, 5), (1, 2), (4, 5)]


BLOCKS = [range(4), range(4, 8), range(8, 10)]


def test_block_order():
    order = BlockOrder(BLOCKS, seed=1)
    for epoch in range(3):
        indices = [index for index, draw in order.epoch(epoch) if draw == epoch]
        assert sorted(indices) == list(range(10))
        blocks = [index // 4 for index in indices]
        assert sum(a != b for a, b in pairwise(blocks)) == 2, "blocks stay together"
    assert order.epoch(0) != order.epoch(1)
    assert order.epoch(1) == BlockOrder(BLOCKS, seed=1).epoch(1)
    assert len({tuple(index // 4 for index, _ in order.epoch(epoch)) for epoch in range(30)}) > 1, "blocks are shuffled"
    batches = list(BatchOrder(order, 5, first=0, last=4))
    assert sorted(index for batch in batches[:2] for index, _ in batch) == list(range(10))
    refuses(lambda: BlockOrder((), seed=1), ValueError, "at least one")
    refuses(lambda: BlockOrder([[0, 1], [1, 3]], seed=1), ValueError, "every index", "2 blocks of 4")


@pytest.mark.parametrize("name", ["images", "masks", "bboxes", "binary"])
def test_truncated(tmp_path, name):
    trees.write_pets_h5(tmp_path)
    file = tmp_path / f"{name}.h5"
    file.write_bytes(file.read_bytes()[:-200])
    refuses(lambda: every_label(tw.data.pets_h5("all", path=tmp_path)), ValueError, file, "truncated")


def test_not_h5(tmp_path):
    trees.write_pets_h5(tmp_path)
    (tmp_path / "masks.h5").write_bytes(b"no h5")
    refuses(lambda: every_label(tw.data.pets_h5("all", path=tmp_path)), ValueError, tmp_path / "masks.h5", "HDF5")
    (tmp_path / "masks.h5").unlink()
    refuses(lambda: every_label(tw.data.pets_h5("all", path=tmp_path)), FileNotFoundError, tmp_path / "masks.h5")
    assert len(tw.data.pets_h5("all", path=tmp_path).only(("species",))) == 7, "files that are not asked for are not opened"


@pytest.mark.parametrize("name", ["masks", "bboxes", "binary"])
def test_different_length(tmp_path, name):
    trees.write_pets_h5(tmp_path, **{name: trees.h5_rows(6)[name]})
    refuses(
        lambda: every_label(tw.data.pets_h5("all", path=tmp_path)),
        ValueError,
        tmp_path / f"{name}.h5",
        "6 rows",
        "images.h5",
        "7",
    )


ROWS = trees.h5_rows()
SPOILED = {
    "images of one channel": ({"images": ROWS["images"][..., :1]}, "images.h5", "(7, 8, 10, 1)"),
    "masks of another size": ({"masks": ROWS["masks"][:, :7]}, "masks.h5", "(7, 7, 10, 1)", "(7, 8, 10)"),
    "boxes of three": ({"bboxes": ROWS["bboxes"][:, :3]}, "bboxes.h5", "(7, 3)", "(7, 4)"),
    "an empty box": ({"bboxes": ROWS["bboxes"][:, [2, 1, 0, 3]]}, "bboxes.h5, row 0", "no area"),
    "a box elsewhere": ({"bboxes": ROWS["bboxes"] + 50}, "bboxes.h5, row 0", "outside"),
    "three species": ({"binary": ROWS["binary"] + 1}, "binary.h5, row", "0 (cat) or 1 (dog)"),
}


@pytest.mark.parametrize("spoiled", SPOILED.values(), ids=SPOILED.keys())
@pytest.mark.filterwarnings("ignore:.*clipped")
def test_wrong_arrays(tmp_path, spoiled):
    trees.write_pets_h5(tmp_path, **spoiled[0])
    refuses(lambda: every_label(tw.data.pets_h5("all", path=tmp_path)), ValueError, *spoiled[1:])


def test_boxes_that_reach_outside_are_clipped_and_counted(tmp_path):
    boxes = ROWS["bboxes"].copy()
    boxes[4] = (2, -1, 11, 8)
    trees.write_pets_h5(tmp_path, bboxes=boxes)
    with pytest.warns(UserWarning, match=r"1 boxes reach outside .* row 4"):
        pets = every_label(tw.data.pets_h5("all", path=tmp_path))
    assert pets[4]["box"].tolist() == [[2, 0, 10, 8]]


def test_wrong_pixels(tmp_path):
    trees.write_pets_h5(tmp_path / "shares", images=ROWS["images"] / np.float32(255))
    refuses(lambda: tw.data.pets_h5("all", path=tmp_path / "shares").only(())[1], ValueError, "images.h5, row 1", "0..255")
    trees.write_pets_h5(tmp_path, masks=ROWS["masks"] * 255)
    refuses(lambda: tw.data.pets_h5("all", path=tmp_path)[2], ValueError, "masks.h5, row 2", "label 255", "1 (pet)")


def test_no_such_block_or_label(tmp_path):
    trees.write_pets_h5(tmp_path)
    refuses(lambda: tw.data.pets_h5("all", path=tmp_path, block=0), ValueError, "block", "0")
    refuses(lambda: tw.data.pets_h5("all", path=tmp_path).only(("breed",)), ValueError, "breed")
    refuses(lambda: tw.data.pets_h5("train", path=tmp_path), FileNotFoundError, tmp_path / "train")


def test_without_h5py(tmp_path, monkeypatch):
    trees.write_pets_h5(tmp_path)
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    refuses(lambda: tw.data.pets_h5("all", path=tmp_path), ImportError, "h5py", "taskweave[data]")

"""What is said of pets and faces beyond what every layout must hold (test_inspecting.py)."""

import pytest
from data import pet_trees

from taskweave.data import inspect
from taskweave.data.readers.whole_images.pets import SAMPLE


def the_only(path):
    (layout,) = inspect(path).layouts
    return layout


def test_pets_without_boxes_are_no_mistake(tmp_path):
    pet_trees.write_pets(tmp_path)
    layout = the_only(tmp_path)
    assert {split.split: split.count for split in layout.splits} == {"trainval": 6, "test": 2}
    assert layout.warnings == ()
    assert any("2 of 6 images have no head box" in note for note in layout.notes)
    assert any("1 of 6 images have several heads" in note for note in layout.notes)
    facts = {one.target: one for one in layout.splits[0].targets}
    assert facts["box"].pictures == 4
    assert facts["box"].remark == "1.0 a picture, 7..28 px high", "of the larger heads"
    assert facts["species"].read == "number int64"
    assert facts["species"].read_range == (0, 1)
    assert facts["species"].remark == "2 of 2 classes seen"
    assert facts["breed"].remark == "4 of 37 classes seen"


def test_pets_that_no_list_names(tmp_path):
    pet_trees.write_pets(tmp_path)
    (tmp_path / "annotations/test.txt").unlink()
    (warned,) = the_only(tmp_path).warnings
    assert warned.kind == "list mismatch"
    assert "2 of 8 pictures" in warned.text


def test_a_pet_in_both_lists(tmp_path):
    pet_trees.write_pets(tmp_path, test=(*pet_trees.TEST_PETS, pet_trees.PETS[0]))
    kinds = [one.kind for one in the_only(tmp_path).warnings]
    assert kinds == ["train/test overlap"]


def test_h5_of_three_parts_and_a_truncated_one(tmp_path):
    pytest.importorskip("h5py", reason="the h5 form needs taskweave[data]")
    for part in ("train", "val", "test"):
        pet_trees.write_pets_h5(tmp_path / part)
    cut = tmp_path / "val" / "masks.h5"
    cut.write_bytes(cut.read_bytes()[:-100])
    layout = the_only(tmp_path)
    assert layout.reader == "pets_h5"
    (warned,) = layout.warnings
    assert (warned.kind, warned.split) == ("cannot be opened", "val")
    assert str(cut) in warned.text


def test_what_faces_leave_out_is_told(tmp_path):
    pet_trees.write_utkface(tmp_path)
    layout = the_only(tmp_path)
    assert layout.warnings == ()
    assert any("6 of 11 images were left out" in note for note in layout.notes)


def test_the_sample_that_ships():
    layout = the_only(SAMPLE)
    assert layout.reader == "pets"
    assert {split.split: split.count for split in layout.splits} == {"trainval": 80, "test": 20}
    assert layout.warnings == ()

"""An inspection of files that are not what they should be: told, whatever they hold, and never the end of it."""

import numpy as np
import pytest
from data import box_trees, street_trees, trees
from data.inspected import the_only

from taskweave.data import inspect

ODD = {
    "texts": np.array(["a", "b"]),
    "complex": np.ones((24, 32), complex),
    "a date": np.array(["2020-01-01"], dtype="M8[D]"),
    "records": np.zeros(3, dtype=[("a", "i4")]),
    "no axis": np.array(1.0),
    "nothing": np.zeros((0,)),
}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("kind", ["image", "label", "depth", "normal"])
def test_arrays_of_something_else(tmp_path, kind, odd):
    trees.write_mtan(tmp_path)
    trees.save(tmp_path / "train" / kind / "0.npy", ODD[odd])
    (one,) = the_only(inspect(tmp_path)).warnings
    assert (one.kind, one.split) == ("cannot be read", "train")
    assert "1 of the 5 pictures" in one.text and f"{kind}/0.npy" in one.text


def test_an_empty_label_file_and_a_folder_for_a_picture(tmp_path):
    trees.write_mtan(tmp_path / "mtan")
    (tmp_path / "mtan/train/label/0.npy").write_bytes(b"")
    (one,) = the_only(inspect(tmp_path / "mtan")).warnings
    assert "label/0.npy is not a readable .npy file" in one.text
    street_trees.write_citypersons(tmp_path / "city")
    picture = next((tmp_path / "city").glob("leftImg8bit/train/*/*.png"))
    picture.unlink()
    picture.mkdir()
    warned = [one for layout in inspect(tmp_path / "city").layouts for one in layout.warnings]
    assert any(one.kind == "cannot be read" and str(picture) in one.text for one in warned)


@pytest.mark.parametrize("name", ["nyu_depth_v2_labeled.mat", "splits.mat", "classMapping40.mat"])
def test_a_mat_file_that_is_none(tmp_path, name):
    pytest.importorskip("h5py", reason="nyu_depth_v2_labeled.mat needs taskweave[data]")
    trees.write_mat(tmp_path)
    for content in (b"", b"garbage\n" * 40):
        (tmp_path / name).write_bytes(content)
        warned = the_only(inspect(tmp_path)).warnings
        assert {one.split for one in warned} == {"train", "test"}
        assert all(f"{name} is not a readable .mat file" in one.text for one in warned)


@pytest.mark.parametrize("write", [lambda root: box_trees.write_voc(root, split="val"), box_trees.write_apascal])
def test_pictures_of_other_tasks_beside_the_listed_ones_are_no_mismatch(tmp_path, write):
    """VOC's folder of pictures also holds those that are labelled for segmentation, layout and action alone."""
    write(tmp_path)
    picture = next(tmp_path.rglob("JPEGImages/*.jpg"))
    (picture.parent / "another.jpg").write_bytes(picture.read_bytes())
    assert the_only(inspect(tmp_path)).warnings == ()

"""What is said of the real data in ../shared/data. Nothing of them is stored in this repository."""

import pytest

from taskweave.data import inspect

pytestmark = pytest.mark.shared

COUNTS = {
    "nyuv2": ("nyuv2_folder", {"train": 145, "val": 53, "all": 518}),
    "PennFudanPed": ("penn_fudan", {"train": 85, "test": 37}),
    "apascal": ("apascal", {"train": 90, "test": 50}),
    "apascal/VOCdevkit": ("voc", {"2008 train": 90, "2008 val": 50}),
    "naip-wind-turbine": ("box_csv", {"train": 169, "test": 34}),
}


OVERLAPS = {"nyuv2": {("train", "all"): 145, ("all", "val"): 53}}
"""Lists that hold all of another one, and how many pictures they share."""


@pytest.mark.parametrize("name", COUNTS)
def test_sound_data_are_recognised_and_raise_no_false_alarm(shared, name):
    (layout,) = inspect(shared / "data" / name, samples=12).layouts
    reader, counts = COUNTS[name]
    assert layout.reader == reader
    assert {split.split: split.count for split in layout.splits} == counts
    if name == "nyuv2":  # the list of all holds those of the two others
        kinds = [(warned.kind, warned.split) for warned in layout.warnings]
        assert kinds == [("train/test overlap", "")] * 2
        said = [warned.text for warned in layout.warnings]
        assert sorted(int(text.split()[0]) for text in said) == [53, 145]
        assert all("'all'" in text for text in said)
    else:
        assert layout.warnings == ()


def test_their_parent_names_them(shared):
    inside = inspect(shared / "data").inside
    assert {"PennFudanPed", "apascal", "naip-wind-turbine", "nyuv2"} <= inside.keys()

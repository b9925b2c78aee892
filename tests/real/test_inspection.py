"""What is said of the real data in ../shared/data. Nothing of them is stored in this repository."""

import pytest

from taskweave.data import inspect

pytestmark = pytest.mark.shared

COUNTS = {
    "nyuv2": ("nyuv2_folder", {"train": 145, "all": 518, "val": 53}),
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
    assert [(warned.kind, warned.text.partition(", e.g. ")[0]) for warned in layout.warnings] == [
        ("train/test overlap", f"{count} pictures are in {first!r} and in {second!r}")
        for (first, second), count in OVERLAPS.get(name, {}).items()
    ]


def test_the_lists_of_nyuv2_overlap_as_they_say(shared):
    """Every picture of train and val is in all, and none is in both: the two warnings are true and there is no third."""
    lists = shared / "data" / "nyuv2" / "gt_sets"
    train, val, every = ((lists / f"{name}.txt").read_text().split() for name in ("train", "val", "all"))
    assert set(train) < set(every) and set(val) < set(every) and not set(train) & set(val)
    assert (len(train), len(val), len(every)) == (145, 53, 518)


def test_their_parent_names_them(shared):
    inside = inspect(shared / "data").inside
    assert {"PennFudanPed", "apascal", "naip-wind-turbine", "nyuv2"} <= inside.keys()

"""``images.npz``: what each test image contributed, beside a run's weights."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from experiments.tiny import Told, tiny

from taskweave.experiments.comparison import compare
from taskweave.metrics.depth import DepthImages
from taskweave.metrics.whole_images import BoxIoUImages
from taskweave.results.image_statistics import IMAGES, keep_images, read_images, read_known_by
from taskweave.results.run_files import RECORD, read_record

KEYS = ("a", "b", "c")


def depth(seed: int = 0) -> DepthImages:
    return DepthImages(np.random.default_rng(seed).random((3, 4)) + 1)


def test_what_was_kept_comes_back(tmp_path: Path) -> None:
    keep_images(
        {"depth on x/y": depth(), "box": BoxIoUImages(np.array([0.5, 1.0, 0.25]))},
        dict.fromkeys(("depth on x/y", "box"), KEYS),
        tmp_path,
    )
    back = read_images(tmp_path, "depth on x/y")
    assert isinstance(back, DepthImages)
    np.testing.assert_array_equal(back.sums, depth().sums)
    assert isinstance(read_images(tmp_path, "box"), BoxIoUImages)
    assert read_images(tmp_path, "normals") is None
    assert read_images(tmp_path / "elsewhere", "box") is None


def test_columns_of_other_tests_stay_and_the_same_column_is_replaced(tmp_path: Path) -> None:
    keep_images({"first": depth(0), "second": depth(1)}, {"first": KEYS, "second": KEYS}, tmp_path)
    keep_images({"second": depth(2)}, {"second": KEYS}, tmp_path)
    for column, seed in (("first", 0), ("second", 2)):
        found = read_images(tmp_path, column)
        assert isinstance(found, DepthImages)
        np.testing.assert_array_equal(found.sums, depth(seed).sums)
    assert [path.name for path in tmp_path.iterdir()] == [IMAGES]


def test_images_are_known_by_their_names_and_order(tmp_path: Path) -> None:
    columns = {"one": KEYS, "same": KEYS, "turned": KEYS[::-1], "other": ("a", "b", "d")}
    keep_images(dict.fromkeys(columns, depth()), columns, tmp_path)
    found = {column: read_known_by(tmp_path, column) for column in columns}
    assert found["one"] == found["same"]
    assert len(set(found.values())) == 3
    assert read_known_by(tmp_path, "none") is None


def test_a_part_of_which_fewer_images_are_labelled_is_another_one(tmp_path: Path) -> None:
    fewer = DepthImages(depth().sums[:2])
    keep_images({"all": depth(), "two": fewer}, {"all": KEYS, "two": KEYS}, tmp_path)
    assert read_known_by(tmp_path, "all") != read_known_by(tmp_path, "two")


@pytest.mark.parametrize("damage", ["cut", "overwritten", "empty", "pickled", "misfit"])
def test_a_damaged_file_is_refused_by_name_and_says_what_to_do(tmp_path: Path, damage: str) -> None:
    keep_images({"depth": depth()}, {"depth": KEYS}, tmp_path)
    path = tmp_path / IMAGES
    whole = path.read_bytes()
    kept = dict(np.load(path))
    match damage:
        case "cut":
            path.write_bytes(whole[: len(whole) // 2])
        case "overwritten":
            path.write_bytes(whole[:80] + bytes(200) + whole[280:])
        case "empty":
            path.write_bytes(b"")
        case "pickled":
            np.savez(path, **{**kept, "0/sums": np.array([{"a": 1}], dtype=object)})
        case _:
            np.savez(path, **{**kept, "0/sums": np.ones(3)})
    with pytest.raises(ValueError, match=r"images\.npz is damaged .*; delete it, and the next comparison measures"):
        read_images(tmp_path, "depth")


def agree(folder: Path, column: str, metrics: dict[str, float | None]) -> None:
    images = read_images(folder, column)
    assert images is not None
    scores = images.scores(np.ones((1, images.count), int))
    assert scores.keys() == metrics.keys()
    for name, values in scores.items():
        expected = metrics[name]
        assert values[0] == pytest.approx(np.nan if expected is None else expected, nan_ok=True, rel=1e-9)


@pytest.mark.slow
def test_every_run_keeps_them_and_one_without_is_measured_not_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TASKWEAVE_CACHE", str(tmp_path / "cache"))
    recipe = tiny(
        tasks={"segmentation": {"loss_resolution": "eighth"}},
        methods=[{"use": "ensemble"}],
        evaluation={"batch_size": 3, "pictures": 1, "also_on": ["train"]},
    )
    first = compare(recipe, folder=tmp_path)
    owns = [path.parent for path in (tmp_path / "runs").glob(f"*/{RECORD}")]
    assert len(owns) == 3  # alone, a member more, their ensemble
    known_by = set()
    for own in owns:
        record = read_record(own)
        assert record is not None
        for column, metrics in record.metrics.items():
            agree(own, column, metrics)
            known_by.add(("(train)" in column, read_known_by(own, column)))
    assert len(known_by) == 2, "all methods are tested on the same images"
    for own in owns[:-1]:
        (own / IMAGES).unlink()
    shutil.copytree(owns[-1], tmp_path / "copy")
    told = Told()
    expected = compare(recipe, folder=tmp_path, dry_run=True, progress=told).estimate
    assert (expected.seconds, [item.trained for item in expected.missing]) == (0, [True, True])
    assert told.notes == ["0 runs to train, 2 to measure anew, 1 stored; expected: 0 s, 0 MB of disk"]
    again = compare(recipe, folder=tmp_path, progress=told)
    assert told.trainings == 0
    assert again.result.rows == first.result.rows
    assert all((own / IMAGES).is_file() for own in owns)
    assert (owns[-1] / IMAGES).stat().st_mtime_ns == (tmp_path / "copy" / IMAGES).stat().st_mtime_ns, "not measured again"

"""Recipes on NYUv2 and Cityscapes with depth, in every layout that holds them."""

from pathlib import Path
from typing import Any

import pytest
import torch
from data import republished_trees as copies, street_trees, trees
from experiments.tiny import Told, tiny

from taskweave.data import Depth, Disparity, cityscapes
from taskweave.experiments.bench import Bench
from taskweave.experiments.comparison import compare
from taskweave.experiments.prepare import open_parts
from taskweave.experiments.recipe import Recipe
from taskweave.parts import Part
from taskweave.tasks import Depth as DepthTask

DENSE = ("segmentation", "depth")


def write_cityscapes(root: Path) -> None:
    for split in ("train", "val"):
        street_trees.write_cityscapes(root, split)
        copies.write_cameras(root, split)


def write_mtan(root: Path) -> None:
    copies.write_cityscapes_mtan(root)
    copies.write_cityscapes_mtan(root, "val", count=2)


def write_auto_lambda(root: Path) -> None:
    copies.write_auto_lambda(root)
    copies.write_auto_lambda(root, "val", count=2)


def write_folder(root: Path) -> None:
    trees.write_folder(root, "train", classes=13)
    trees.write_folder(root, "val", classes=13)


def write_nyuv2_mtan(root: Path) -> None:
    trees.write_mtan(root, "train")
    trees.write_mtan(root, "val")


CITIES = {
    "cityscapes": (write_cityscapes, 19),
    "cityscapes_mtan": (write_mtan, 7),
    "auto_lambda": (write_auto_lambda, 19),
    "adashare_cityscapes": (copies.write_adashare_cityscapes, 19),
}
ROOMS = {
    "nyuv2_folder": write_folder,
    "nyuv2_mtan": write_nyuv2_mtan,
    "adashare_nyuv2": copies.write_adashare_nyuv2,
}


def on(kind: str, path: Path, **changes: Any) -> Recipe:
    data = {"use": kind, "path": str(path), "size": [32, 64], **changes}
    return tiny(data=data, tasks={"segmentation": {}, "depth": {"loss": "l1"}})


@pytest.mark.parametrize("kind", CITIES)
@pytest.mark.parametrize(("form", "tensor", "far"), [("inverse", Disparity, 0.25), ("metres", Depth, 80.0)])
def test_cityscapes_with_depth(tmp_path: Path, kind: str, form: str, tensor: type, far: float) -> None:
    write, classes = CITIES[kind]
    write(tmp_path)
    recipe = on(kind, tmp_path, depth=form)
    parts = open_parts(recipe.data, DENSE, Told())
    for part in (parts.train, parts.test):
        sample = part[0]
        assert type(sample["depth"]) is tensor
        assert sample["depth"].shape == (1, 32, 64)
        assert len(part.classes) == classes
    bench = Bench(recipe)
    assert bench.shapes_only["segmentation"].channels == classes
    task = bench.shapes_only["depth"]
    assert isinstance(task, DepthTask)
    assert task.far == far


@pytest.mark.parametrize("kind", ROOMS)
def test_thirteen_classes_and_depth_of_nyuv2_at_128_by_256(tmp_path: Path, kind: str) -> None:
    ROOMS[kind](tmp_path)
    recipe = on(kind, tmp_path, classes=13, size=[128, 256])
    parts = open_parts(recipe.data, DENSE, Told())
    for part in (parts.train, parts.test):
        sample = part[0]
        assert sample["image"].shape == (3, 128, 256)
        assert sample["depth"].shape == (1, 128, 256)
        assert sample["segmentation"].shape == (128, 256)
        assert len(part.classes) == 13
        assert set(sample) == {"image", "key", "segmentation", "depth"}
    small, large = trees.truths()[0].depth, parts.train[0]["depth"][0]
    if kind != "nyuv2_mtan":  # its truths are others
        rows, columns = (2 * torch.arange(128) + 1) * 24 // 256, torch.arange(256) // 8  # the pixel that a centre lies in
        expected = torch.from_numpy(small)[rows][:, columns]
        assert torch.allclose(large.as_subclass(torch.Tensor), expected, atol=1e-6)


def test_known_recipes_on_cityscapes_keep_their_hash() -> None:
    """What came later is not counted at its default, and is where it differs."""
    plain = Part(cityscapes, {"path": Path("/data")}).identity()
    assert not {"depth", "farthest"} & set(plain)
    other = Part(cityscapes, {"path": Path("/data"), "depth": "metres", "farthest": None}).identity()
    assert (other["depth"], other["farthest"]) == ("metres", None)


def test_a_recipe_says_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'inverse' or 'metres'"):
        on("cityscapes_mtan", tmp_path, depth="feet")
    with pytest.raises(ValueError, match="not labelled for \\['normals'\\]"):
        on("auto_lambda", tmp_path, labels=["normals"])


@pytest.mark.slow
def test_a_comparison_on_mtans_cityscapes(tmp_path: Path) -> None:
    write_mtan(tmp_path / "data")
    recipe = on("cityscapes_mtan", tmp_path / "data")
    done = compare(recipe, folder=tmp_path / "out", progress=Told())
    rows = done.result.rows
    assert [row.method for row in rows] == ["single", "cross-stitch"]
    for row in rows:
        errors = row.metrics["depth"]
        assert all(value is not None and value >= 0 for value in errors.values())
        assert errors["abs"] < 5  # of targets up to .5

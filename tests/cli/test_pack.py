"""taskweave pack: folders and recipes' data into stores, stopped and gone on with, checked, and read by a recipe."""

import json
from pathlib import Path

import pytest
import yaml
from cli.test_commands import taskweave
from data import pet_trees, trees
from data.store_toys import assert_same, flip
from experiments.tiny import Told, content

import taskweave as tw
from taskweave.data import Reduced, open_store
from taskweave.data.generated.scenes import Scenes
from taskweave.experiments.prepare import open_parts
from taskweave.experiments.recipe import Recipe

pytest.importorskip("pyarrow", reason="stores are packed with taskweave[store]")


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("TASKWEAVE_CACHE", str(tmp_path))
    return tmp_path


def write(path: Path, data: dict) -> str:
    path.write_text(yaml.safe_dump(data))
    return str(path)


SCENES = {"use": "scenes", "size": [32, 48], "train": 8, "test": 4, "seed": 3}


def test_a_folder(place):
    for split in ("train", "val"):
        trees.write_mtan(place / "data", split)
    said = taskweave("pack", "data", "stores/rooms", cwd=place)
    assert said.returncode == 0, said.stderr
    assert "note: NYUv2 as MTAN's npy, train, val" in said.stdout
    assert "packed 5 (train), 5 (val) samples" in said.stdout
    assert "data:\n  use: stored\n  path: " + str(place / "stores" / "rooms") in said.stdout
    source, stored = tw.data.nyuv2_mtan("val", path=place / "data"), open_store(place / "stores" / "rooms", part="val")
    for index in range(5):
        assert_same(source[index], stored[index])
    manifest = json.loads((place / "stores" / "rooms" / "manifest.json").read_text())
    assert manifest["source"] == {"path": str(place / "data"), "use": "nyuv2_mtan", "classes": {"train": 13, "val": 13}}
    assert manifest["parts"]["train"]["kinds"]["depth"] == "Depth float32"


def test_what_is_left_out_is_told_in_words(place):
    """Not as a warning of Python's with a line of our code."""
    pet_trees.write_utkface(place / "faces")
    said = taskweave("pack", "faces", "stores/faces", cwd=place)
    assert said.returncode == 0, said.stderr
    (line,) = said.stderr.splitlines()
    assert line.startswith(
        f"taskweave: note: {place / 'faces'}: 6 of 11 images were left out: 2 older than 99 (the first: 100_"
    )
    assert len(open_store(place / "stores" / "faces", part="all")) == 5


def test_options(place):
    for split in ("train", "val"):
        trees.write_mtan(place / "data", split)
    options = ["--parts", "val", "--labels", "depth,segmentation", "--size", "12x16", "--shard-mb", "1"]
    said = taskweave("pack", "data", "small", *options, cwd=place)
    assert said.returncode == 0, said.stderr
    stored = open_store(place / "small", part="test")
    assert set(stored.labels) == {"depth", "segmentation"}
    assert_same(Reduced(tw.data.nyuv2_mtan("val", path=place / "data").only(stored.labels), size=(12, 16))[4], stored[4])
    assert list(stored.place.manifest().parts) == ["val"]


def test_the_data_of_a_recipe_and_a_recipe_of_the_store(place):
    said = taskweave("pack", write(place / "mine.yaml", content(data=SCENES)), "rooms", cwd=place)
    assert said.returncode == 0, said.stderr
    recipe = Recipe.model_validate(content(data={"use": "stored", "path": str(place / "rooms")}))
    assert recipe.data.facts.size == (32, 48)
    assert recipe.data.facts.labels == ("segmentation", "depth", "normals", "detection", "attributes")
    parts = open_parts(recipe.data, ["segmentation", "normals"], Told())
    scenes = Scenes(8, size=(32, 48), seed=3, labels=("segmentation", "normals"))
    assert (len(parts.train), len(parts.test)) == (8, 4)
    assert_same(scenes[7], parts.train[7])
    again = Recipe.model_validate(recipe.dump())  # as it is stored beside a run
    (place / "rooms").rename(place / "elsewhere")
    assert Recipe.model_validate(again.dump()) == recipe
    with pytest.raises(FileNotFoundError, match="rooms is no folder: expected a store"):
        open_parts(again.data, ["segmentation"], Told())


def test_a_recipe_knows_its_store(place):
    for seed in (1, 2):
        taskweave("pack", write(place / "mine.yaml", SCENES | {"seed": seed, "train": 2, "test": 1}), f"s{seed}", cwd=place)
    recipe = Recipe.model_validate(content(data={"use": "stored", "path": str(place / "s1")}))
    (place / "s1").rename(place / "old")
    (place / "s2").rename(place / "s1")
    with pytest.raises(ValueError, match=r"the store at .*s1 is another one now"):
        open_parts(recipe.data, ["segmentation"], Told())


@pytest.mark.slow
def test_a_recipe_of_a_store_is_run(place):
    taskweave("pack", write(place / "mine.yaml", SCENES), "rooms", cwd=place)
    write(place / "store.yaml", content(data={"use": "stored", "path": "rooms"}))
    said = taskweave("run", "store.yaml", "--out", "out", "--method", "single", cwd=place)
    assert said.returncode == 0, said.stderr


def test_stopped_by_hand(place, monkeypatch):
    whole = Scenes.__getitem__

    def stop(self, index):
        if index == 3:
            raise KeyboardInterrupt
        return whole(self, index)

    command = [
        "pack",
        write(place / "mine.yaml", SCENES | {"size": [480, 640], "train": 4, "test": 1}),
        "rooms",
        "--shard-mb",
        "1",
    ]
    with monkeypatch.context() as patch:
        patch.setattr(Scenes, "__getitem__", stop)
        said = taskweave(*command, cwd=place)
    assert said.returncode == 130
    assert said.stderr.splitlines()[-1] == (
        "stopped with 3 of 5 samples written; the same command goes on from there, and until then rooms is no store"
    )
    with pytest.raises(ValueError, match="unfinished packing"):
        open_store(place / "rooms")
    assert taskweave(*command, cwd=place).returncode == 0
    assert len(open_store(place / "rooms")) == 4


def test_check(place):
    taskweave("pack", write(place / "mine.yaml", SCENES), "rooms", cwd=place)
    said = taskweave("pack", "rooms", "--check", cwd=place)
    assert (said.returncode, said.stdout) == (0, "rooms: every file is as it was written\n")
    flip(place / "rooms" / "test-00000.arrow", 1000)
    said = taskweave("pack", "rooms", "--check", cwd=place)
    assert said.returncode == 2
    assert said.stdout.startswith("rooms/test-00000.arrow is not as it was written: its SHA-256 is")


def test_what_is_wrong_is_told(place):
    (place / "empty").mkdir()
    mixed = content(data={"sets": {"a": SCENES, "b": SCENES}})["data"]
    for arguments, words in {
        ("none", "out"): "none does not exist: give a data set's folder, or a YAML file",
        ("empty", "out"): "empty is in no layout that taskweave reads: `taskweave inspect-data",
        (write(place / "mixed.yaml", mixed), "out"): "is a mixture of ['a', 'b']: pack",
        (write(place / "odd.yaml", {"use": "rooms"}), "out"): "odd.yaml: unknown data set 'rooms'",
        (write(place / "one.yaml", SCENES), "out", "--parts", "extra"): "has no part 'extra'; it has ['train', 'test']",
        (write(place / "one.yaml", SCENES), "out", "--labels", "age"): "these data are not labelled for ['age']",
        (write(place / "one.yaml", SCENES), "out", "--size", "12"): "--size takes HEIGHTxWIDTH in pixels",
        (write(place / "one.yaml", SCENES),): "give the folder to write the store to",
        ("empty", "--check"): "empty has no manifest.json: expected a store",
    }.items():
        said = taskweave("pack", *arguments, cwd=place)
        assert said.returncode == 2, arguments
        assert words in " ".join(said.stderr.split()), said.stderr
    assert not (place / "out").exists()

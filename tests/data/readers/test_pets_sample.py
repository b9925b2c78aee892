"""The pets that ship inside the package: what is there, how it is split, its licence."""

import csv
import warnings

import pytest
import torch
from contracts.dataset_contract import assert_dataset
from data.refusing import refuses

import taskweave as tw
from taskweave.data.readers.whole_images.pets import SAMPLE

PARTS = {"train": 60, "val": 20, "test": 20}
EVERY = ("species", "breed", "box", "segmentation")


@pytest.fixture(autouse=True)
def no_warning():
    """Every image has one head box."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def keys(dataset):
    return [dataset.key(index) for index in range(len(dataset))]


def test_parts_are_disjoint_and_balanced():
    parts = {part: tw.data.pets_sample(part).only(EVERY) for part in PARTS}
    assert {part: len(pets) for part, pets in parts.items()} == PARTS
    assert sorted(key for pets in parts.values() for key in keys(pets)) == sorted(keys(tw.data.pets_sample()))
    assert len(set(keys(tw.data.pets_sample()))) == 100
    for pets in parts.values():
        assert sum(item.values["species"] for item in pets.items) == len(pets) / 2
    refuses(lambda: tw.data.pets_sample("trainval"), ValueError, "trainval", "val")


def test_the_contract_and_every_label():
    pets = tw.data.pets_sample().only(EVERY)
    assert_dataset(pets, at=(0, 50, -1))
    for index in range(len(pets)):
        sample = pets[index]
        assert sample["image"].shape == (3, 128, 128)
        assert set(EVERY) < set(sample)
        assert (sample["segmentation"] == 1).any()
        assert pets.categories["species"][sample["species"]] == ("cat" if sample["key"][0].isupper() else "dog")
        assert sample["key"].rpartition("_")[0] == pets.categories["breed"][sample["breed"]]


def test_heads_lie_on_pets():
    """Of the labelled pixels in a head box most are the pet's, in all but a few images."""
    pets = tw.data.pets_sample()
    shares = []
    for index in range(len(pets)):
        sample = pets[index]
        x1, y1, x2, y2 = (int(value) for value in sample["box"][0])
        inside = sample["segmentation"][y1:y2, x1:x2].as_subclass(torch.Tensor)
        shares.append((inside[inside != 255] == 1).float().mean().item())
    assert sum(share > 0.5 for share in shares) >= 95, sorted(shares)[:6]


def test_it_is_small_and_every_file_is_attributed():
    files = [file for file in SAMPLE.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) <= 3_000_000
    with (SAMPLE / "ATTRIBUTION.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["image"] for row in rows) == sorted(f"images/{key}.jpg" for key in keys(tw.data.pets_sample()))
    assert sorted(f"images/{file.name}" for file in (SAMPLE / "images").iterdir()) == sorted(row["image"] for row in rows)
    for row in rows:
        assert row["licence"] == "CC BY-SA 4.0"
        assert row["source"].startswith("https://")
        assert row["owner"]
        assert "128 x 128" in row["changes"]
    licence = (SAMPLE / "LICENSE.md").read_text()
    assert "Attribution-ShareAlike 4.0" in licence
    assert "creativecommons.org/licenses/by-sa/4.0" in licence


def test_the_folder_is_in_the_layout_of_the_release():
    assert len(tw.data.pets("trainval", path=SAMPLE)) == 80
    assert keys(tw.data.pets("official test", path=SAMPLE)) == keys(tw.data.pets_sample("test"))

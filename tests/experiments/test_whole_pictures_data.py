"""Recipes on pets and faces: what they open, under which names, split how."""

import warnings
from pathlib import Path

import pytest
from data import pet_trees
from experiments.tiny import Told
from pydantic import ValidationError

from taskweave.experiments import rooms as rooms
from taskweave.experiments.data import Source
from taskweave.experiments.prepare import open_parts


@pytest.fixture(autouse=True)
def quiet():
    """Of what is left out the readers' own tests tell."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def write_h5(root: Path) -> None:
    pytest.importorskip("h5py", reason="the pets' h5 form needs taskweave[data]")
    for part, count in (("train", 7), ("val", 2), ("test", 3)):
        pet_trees.write_pets_h5(root / part, **pet_trees.h5_rows(count))


def write_imdb_wiki(root: Path) -> None:
    pet_trees.write_imdb_wiki(root)


# use: (writer, further fields, samples of train, validation and test)
CASES = {
    "pets": (pet_trees.write_pets, {}, (2, 2, 2)),
    "pets official": (pet_trees.write_pets, {"split": "official", "border": "class"}, (6, None, 2)),
    "pets_h5": (write_h5, {}, (7, 2, 3)),
    "pets_sample": (None, {"border": "pet"}, (60, 20, 20)),
    "utkface": (pet_trees.write_utkface, {"test_share": 0.3}, None),
    "imdb_wiki": (write_imdb_wiki, {"test_share": 0.3}, None),
}


def opened(name: str, path: Path):
    write, fields, counts = CASES[name]
    if write is not None:
        write(path)
        fields = {"path": str(path), **fields}
    data = Source.model_validate({"use": name.split()[0], "size": [16, 20], **fields})
    return data, open_parts(data, data.facts.labels, Told()), counts


@pytest.mark.parametrize("name", CASES)
def test_parts_are_what_the_facts_say_without_opening_anything(name, tmp_path):
    data, parts, counts = opened(name, tmp_path)
    every = [part for part in (parts.train, parts.validation, parts.test) if part is not None]
    if counts is not None:
        assert tuple(None if part is None else len(part) for part in (parts.train, parts.validation, parts.test)) == counts
    assert data.facts.own_validation == (parts.validation is not None)
    for part in every:
        assert part.labels == data.facts.labels
        assert part.classes == data.facts.classes
        assert dict(part.categories) == dict(data.facts.categories)
        assert part[0]["image"].shape == (3, 16, 20)
    keys = [{part.key(index) for index in range(len(part))} for part in every]
    if name != "pets_h5":  # rows of different files
        assert sum(map(len, keys)) == len(set.union(*keys)), "an image is in two parts"


def test_faces_keep_what_must_stay_together_on_one_side(tmp_path):
    for name in ("utkface", "imdb_wiki"):
        _, parts, _ = opened(name, tmp_path / name)
        train, test = ({part.scene(index) for index in range(len(part))} for part in (parts.train, parts.test))
        assert train
        assert test
        assert not train & test


def test_only_the_pets_that_ship_may_be_shown(tmp_path):
    for name in CASES:
        data, _, _ = opened(name, tmp_path / name)
        assert data.facts.may_be_shown == (name == "pets_sample")


def test_fields_that_cannot_be():
    for fields in ({"split": "mine"}, {"border": "unsure"}):
        with pytest.raises(ValidationError, match=next(iter(fields))):
            Source.model_validate({"use": "pets", "path": ".", **fields})
    with pytest.raises(ValidationError, match="test_share"):
        Source.model_validate({"use": "utkface", "path": ".", "test_share": 0})

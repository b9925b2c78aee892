"""The real pets and faces in ../shared/data. Of the faces nothing is stored in this repository."""

import sys
import warnings
from pathlib import Path

import pytest
from contracts.dataset_contract import assert_dataset
from PIL import Image

import taskweave as tw
from taskweave.data import inspect
from taskweave.data.readers.whole_images.pets import SAMPLE

pytestmark = pytest.mark.shared
TOOLS = Path(__file__).resolve().parents[2] / "tools"


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture(scope="module")
def pets(shared):
    return shared / "data" / "oxford-iiit-pet"


def keys(dataset):
    return {dataset.key(index) for index in range(len(dataset))}


def by_key(dataset, key):
    return next(dataset[index] for index in range(len(dataset)) if dataset.key(index) == key)


def test_pets_official(pets):
    with pytest.warns(UserWarning) as said:
        trainval = tw.data.pets("trainval", path=pets).only(("species", "breed", "box", "segmentation"))
    test = tw.data.pets("official test", path=pets)
    assert [len(trainval), len(test), len(tw.data.pets("all", path=pets))] == [259, 71, 330]
    assert not keys(trainval) & keys(test)
    assert_dataset(trainval, at=(0, 150, -1))
    assert sum("box" in item.values for item in trainval.items) == 257
    texts = " ".join(str(one.message) for one in said)
    assert "2 of 259 images have no head box" in texts
    assert "1 of 259 images have several heads" in texts
    assert "Bengal_105" in texts


def test_pets_drawn(pets):
    parts = [tw.data.pets(f"drawn {part}", path=pets) for part in ("train", "val", "test")]
    assert [len(part) for part in parts] == [155, 52, 52]
    assert keys(parts[0]) | keys(parts[1]) | keys(parts[2]) == keys(tw.data.pets("trainval", path=pets))


def test_the_releases_quirks(pets):
    every = tw.data.pets("all", path=pets).only(("box", "segmentation"))
    gif, rgba, two = (by_key(every, key) for key in ("Abyssinian_34", "Abyssinian_5", "Bengal_105"))
    with Image.open(pets / "images/Abyssinian_34.jpg") as file:
        assert file.format == "GIF"
    assert gif["image"].float().std() > 10
    assert gif["segmentation"].unique().tolist() == [0], "the trimap is background only, and stays so"
    with Image.open(pets / "images/Abyssinian_5.jpg") as file:
        assert (file.format, file.mode) == ("PNG", "RGBA")
    assert rgba["image"].float().std() > 10
    assert two["box"].tolist() == [[48, 124, 111, 168]], "the larger of two heads, of pixels 49..111 and 125..168 from 1"


def test_what_is_said_of_pets(pets):
    (layout,) = inspect(pets, samples=12).layouts
    assert layout.reader == "pets"
    assert {split.split: split.count for split in layout.splits} == {"trainval": 259, "test": 71}
    assert layout.warnings == ()


def test_utkface(shared):
    with pytest.warns(UserWarning, match=r"18 of 1732 images .* 13 older than 99 .* 5 not named"):
        faces = tw.data.utkface("all", path=shared / "data" / "UTKFace")
    assert len(faces) == 1714
    assert_dataset(faces)
    for item in faces.items:
        age, gender = (int(cell) for cell in item.key.split("_")[:2])
        assert (item.values["age"], item.values["gender"]) == (age, 1 - gender)
    parts = [tw.data.utkface(split, path=shared / "data" / "UTKFace") for split in ("train", "test")]
    assert keys(parts[0]) | keys(parts[1]) == keys(faces)
    stamps = [{part.scene(index) for index in range(len(part))} for part in parts]
    assert not stamps[0] & stamps[1]
    assert 0.15 < len(parts[1]) / len(faces) < 0.25


def test_what_is_said_of_faces(shared):
    (layout,) = inspect(shared / "data" / "UTKFace", samples=5).layouts
    assert layout.reader == "utkface"
    assert layout.warnings == ()
    assert layout.splits[0].count == 1714


def test_the_sample_that_ships_is_made_by_its_tool(pets, tmp_path, monkeypatch):
    """The same files; pictures as pixels, for which Pillow's encoders may be of another version."""
    monkeypatch.setattr(sys, "path", [str(TOOLS), *sys.path])
    from make_pets_sample import make

    make(pets, tmp_path)
    made = {file.relative_to(tmp_path): file for file in tmp_path.rglob("*") if file.is_file()}
    shipped = {file.relative_to(SAMPLE): file for file in SAMPLE.rglob("*") if file.is_file() and file.name != "LICENSE.md"}
    assert made.keys() == shipped.keys()
    for name, file in made.items():
        if file.suffix in (".jpg", ".png"):
            with Image.open(file) as first, Image.open(shipped[name]) as second:
                assert first.tobytes() == second.tobytes(), name
        else:
            assert file.read_bytes() == shipped[name].read_bytes(), name

"""The Oxford-IIIT Pet tree: what is read, how it is split, what is refused."""

import warnings

import numpy as np
import pytest
import torch
from data import pet_trees as trees
from data.refusing import every_label, refuses
from hypothesis import given, settings, strategies as st
from PIL import Image

import taskweave as tw
from taskweave.data import collate
from taskweave.data.readers.whole_images.pets import drawn_part

DRAWN = ("drawn train", "drawn val", "drawn test")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("pets")
    trees.write_pets(root)
    return root


@pytest.fixture
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def sample_of(dataset, key):
    (index,) = [index for index in range(len(dataset)) if dataset.key(index) == key]
    return dataset[index]


def test_what_was_written_is_read(root, quiet):
    pets = tw.data.pets("trainval", path=root).only(("species", "breed", "box", "segmentation"))
    assert [pets.key(index) for index in range(len(pets))] == [pet.key for pet in trees.PETS]
    assert pets.categories["species"] == ("cat", "dog")
    for index, pet in enumerate(trees.PETS):
        sample = pets[index]
        assert torch.equal(sample["image"].permute(1, 2, 0), torch.from_numpy(trees.pet_picture(pet)))
        assert sample["species"] == pet.species - 1
        assert sample["species"].dtype == torch.int64
        assert sample["breed"] == pet.breed - 1
        assert pets.categories["breed"][sample["breed"]] == pet.key.rpartition("_")[0]


@pytest.mark.parametrize(
    ("border", "becomes", "classes"),
    [
        ("ignored", 255, ("background", "pet")),
        ("pet", 1, ("background", "pet")),
        ("background", 0, ("background", "pet")),
        ("class", 2, ("background", "pet", "border")),
    ],
)
def test_the_trimaps_border(root, quiet, border, becomes, classes):
    pets = tw.data.pets("trainval", path=root, border=border)
    stored = trees.trimap(trees.PETS[0])
    expected = np.where(stored == 1, 1, np.where(stored == 2, 0, becomes))
    assert np.array_equal(pets[0]["segmentation"].numpy(), expected)
    assert pets.classes == classes


def test_heads(root):
    """No XML and an XML without an object: the label is missing, the image stays. Two heads: the larger one."""
    with pytest.warns(UserWarning) as said:
        pets = every_label(tw.data.pets("trainval", path=root))
    expected = {"Abyssinian_1": (4, 3, 14, 12), "Bengal_5": (6, 2, 20, 30), "american_bulldog_3": (0, 0, 32, 24)}
    expected["beagle_10"] = (2, 2, 9, 9)
    for index in range(len(pets)):
        sample = pets[index]
        assert ("box" in sample) == (sample["key"] in expected)
        if "box" in sample:
            assert sample["box"].tolist() == [list(expected[sample["key"]])]
            assert tuple(sample["box"].canvas_size) == tuple(sample["image"].shape[-2:])
    texts = [str(one.message) for one in said]
    assert any(text.startswith("2 of 6 images have no head box") and "Abyssinian_2" in text for text in texts)
    assert any(text.startswith("1 of 6 images have several heads") and "Bengal_5.xml" in text for text in texts)


def test_boxes_are_not_looked_for_when_not_asked_for(root):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "box" not in tw.data.pets("trainval", path=root).only(("species",))[0]


def test_a_batch_keeps_what_exists(root, quiet):
    pets = tw.data.pets("trainval", path=root)
    batch = collate([pets[0], pets[1]])
    assert batch.rows["box"].tolist() == [0]
    assert batch.targets["species"].tolist() == [0, 0]


@pytest.mark.parametrize(("form", "mode"), [("GIF", "P"), ("PNG", "RGBA"), ("JPEG", "L")])
def test_images_named_jpg_are_read_as_what_they_are(tmp_path, quiet, form, mode):
    trees.write_pets(tmp_path)
    file = tmp_path / "images" / "Abyssinian_1.jpg"
    colours = np.zeros((24, 32, 3), dtype=np.uint8)
    colours[:, 16:] = (204, 204, 204)  # a colour that palettes have
    Image.fromarray(colours).convert(mode).save(file, format=form)
    read = tw.data.pets("trainval", path=tmp_path)[0]["image"]
    assert torch.allclose(read.float(), torch.from_numpy(colours).permute(2, 0, 1).float(), atol=4)


def test_a_trimap_of_background_only_stays(tmp_path, quiet):
    trees.write_pets(tmp_path)
    Image.fromarray(np.full((24, 32), 2, dtype=np.uint8)).save(tmp_path / "annotations/trimaps/Abyssinian_1.png")
    assert tw.data.pets("trainval", path=tmp_path)[0]["segmentation"].unique().tolist() == [0]


def test_the_official_splits(root, quiet):
    keys = {
        split: {pet.key for pet in pets} for split, pets in (("trainval", trees.PETS), ("official test", trees.TEST_PETS))
    }
    keys["all"] = keys["trainval"] | keys["official test"]
    for split, expected in keys.items():
        pets = tw.data.pets(split, path=root)
        assert {pets.key(index) for index in range(len(pets))} == expected


@given(names=st.sets(st.text(min_size=1, max_size=8), min_size=3, max_size=60), seed=st.integers(0, 2**31))
@settings(max_examples=60, deadline=None)
def test_drawn_parts_are_disjoint_and_complete(names, seed):
    names = sorted(names)
    train, val, test = (drawn_part(names, part, seed=seed) for part in DRAWN)
    assert not (train & val or train & test or val & test)
    assert train | val | test == set(names)
    assert len(val) == len(test) == -(-len(names) // 5)
    assert drawn_part(names[::-1], "drawn val", seed=seed) == val, "the order of the list does not matter"


def test_drawn_parts_have_the_papers_sizes_and_are_the_same_everywhere():
    """2210/738/738 of 3,686 images (pet_architecture.md, section 5)."""
    names = [f"pet_{number}" for number in range(3686)]
    assert [len(drawn_part(names, part, seed=0)) for part in DRAWN] == [2210, 738, 738]
    assert sorted(drawn_part([f"pet_{n}" for n in range(10)], "drawn val", seed=0)) == first_of_ten(seed=0)
    assert drawn_part(names, "drawn val", seed=0) != drawn_part(names, "drawn val", seed=1)


def first_of_ten(seed):
    """Two of ten by definition: those with the least 8-byte BLAKE2b of "seed:name"."""
    from hashlib import blake2b

    digest = {f"pet_{n}": blake2b(f"{seed}:pet_{n}".encode(), digest_size=8).hexdigest() for n in range(10)}
    return sorted(sorted(digest, key=digest.get)[:2])


def test_drawn_parts_of_the_tree(root, quiet):
    parts = [tw.data.pets(split, path=root, split_seed=3) for split in DRAWN]
    keys = [{part.key(index) for index in range(len(part))} for part in parts]
    assert [len(one) for one in keys] == [2, 2, 2]
    assert set.union(*keys) == {pet.key for pet in trees.PETS}, "drawn from trainval"


def test_other_splits_labels_and_borders_are_refused(root, quiet):
    refuses(lambda: tw.data.pets("val", path=root), ValueError, "'val'", "drawn val")
    refuses(lambda: tw.data.pets("official test", path=root).only(("depth",)), ValueError, "depth")
    refuses(lambda: tw.data.pets("official test", path=root, border="unsure"), ValueError, "unsure", "ignored")
    refuses(lambda: tw.data.pets("official test", path=root / "images"), FileNotFoundError, "annotations")


ROWS = {
    "few cells": ("Abyssinian_1 1 1", "line 1", "name class species breed"),
    "no number": ("Abyssinian_1 one 1 1", "line 1", "numbers"),
    "class": ("Abyssinian_1 38 1 1", "class 38", "1..37"),
    "species": ("Abyssinian_1 1 3 1", "species 3"),
    "other breed": ("Abyssinian_1 2 1 1", "Abyssinian_1", "american_bulldog"),
    "a cat as a dog": ("Abyssinian_1 1 2 1", "Abyssinian_1", "capital"),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
def test_rows_that_are_none(tmp_path, row):
    trees.write_pets(tmp_path)
    (tmp_path / "annotations/trainval.txt").write_text(row[0] + "\n")
    refuses(lambda: tw.data.pets("trainval", path=tmp_path), ValueError, "trainval.txt", *row[1:])


def test_a_row_twice(tmp_path, quiet):
    trees.write_pets(tmp_path, pets=(*trees.PETS, trees.PETS[0]))
    refuses(lambda: tw.data.pets("trainval", path=tmp_path), ValueError, "Abyssinian_1", "2 times")


def test_files_that_are_not_there(tmp_path, quiet):
    trees.write_pets(tmp_path)
    (tmp_path / "annotations/trimaps/Bengal_5.png").unlink()
    refuses(
        lambda: every_label(tw.data.pets("trainval", path=tmp_path)), FileNotFoundError, "trimaps/Bengal_5.png", "line 3"
    )
    (tmp_path / "annotations/trainval.txt").unlink()
    refuses(lambda: tw.data.pets("trainval", path=tmp_path), FileNotFoundError, "trainval.txt", "test.txt")


def test_a_trimap_of_another_size(tmp_path, quiet):
    trees.write_pets(tmp_path)
    Image.fromarray(np.full((24, 30), 2, dtype=np.uint8)).save(tmp_path / "annotations/trimaps/Abyssinian_1.png")
    pets = tw.data.pets("trainval", path=tmp_path)
    refuses(lambda: pets[0], ValueError, "images/Abyssinian_1.jpg", "24 x 32", "trimaps/Abyssinian_1.png", "24 x 30")


def test_a_trimap_with_another_value(tmp_path, quiet):
    trees.write_pets(tmp_path)
    Image.fromarray(np.full((24, 32), 4, dtype=np.uint8)).save(tmp_path / "annotations/trimaps/Abyssinian_1.png")
    pets = tw.data.pets("trainval", path=tmp_path)
    refuses(lambda: pets[0], ValueError, "trimaps/Abyssinian_1.png", "label 4", "3 (border)")


PET = trees.PETS[0]
XMLS = {
    "no box in its object": (trees.xml(PET, objects="<object><name>cat</name></object>"), "object 1", "bndbox"),
    "no number": (trees.xml(PET).replace("<xmin>5<", "<xmin>five<"), "xmin", "five"),
    "outside": (trees.xml(PET, objects=trees.head((4, 3, 33, 12))), "outside"),
    "empty": (trees.xml(PET, objects=trees.head((14, 3, 14, 12))), "no area"),
    "no size": ("<annotation></annotation>", "size"),
    "cut": (trees.xml(PET)[:-20], "XML"),
}


@pytest.mark.parametrize("content", XMLS.values(), ids=XMLS.keys())
def test_head_boxes_that_are_none(tmp_path, content):
    trees.write_pets(tmp_path)
    (tmp_path / "annotations/xmls/Abyssinian_1.xml").write_text(content[0])
    refuses(lambda: every_label(tw.data.pets("trainval", path=tmp_path)), ValueError, "Abyssinian_1.xml", *content[1:])


def test_a_head_box_drawn_in_an_image_of_another_size(tmp_path, quiet):
    trees.write_pets(tmp_path)
    (tmp_path / "annotations/xmls/Abyssinian_1.xml").write_text(trees.xml(PET, size=(48, 64)))
    pets = tw.data.pets("trainval", path=tmp_path)
    refuses(lambda: pets[0], ValueError, "Abyssinian_1.jpg", "24 x 32", "Abyssinian_1.xml", "48 x 64")

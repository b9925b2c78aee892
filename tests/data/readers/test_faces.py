"""IMDB-WIKI and UTKFace: what is read, what is left out and counted, and that no subject is in two parts."""

import re
import tempfile
import warnings
from datetime import date
from pathlib import Path

import pytest
from data import pet_trees as trees
from data.refusing import refuses
from hypothesis import given, settings, strategies as st

import taskweave as tw
from taskweave.data.readers.whole_images.faces import age_of, subject_of
from taskweave.data.splits import held_out

names = st.lists(st.sampled_from("abcdefghij"), min_size=2, max_size=40).filter(lambda drawn: len(set(drawn)) > 1)


@given(groups=names, share=st.floats(0.01, 0.99), seed=st.integers(0, 1000))
@settings(max_examples=200, deadline=None)
def test_a_group_is_in_one_part_as_a_whole(groups, share, seed):
    test = held_out(groups, share, seed=seed)
    rest = set(groups) - test
    assert test
    assert rest
    assert test < set(groups)
    assert abs(len(test) - share * len(set(groups))) <= 1
    assert held_out(groups[::-1], share, seed=seed) == test, "neither order nor number of a subject's images matters"


def test_groups_that_cannot_be_split():
    refuses(lambda: held_out(["a", "a"], 0.5, seed=0), ValueError, "all 2 samples", "1 group")
    refuses(lambda: held_out(["a", "b"], 1.0, seed=0), ValueError, "test_share", "1.0")


# UTKFace


def utkface(part, root, **options):
    with pytest.warns(UserWarning) as said:
        opened = tw.data.utkface(part, path=root, **options)
    (told,) = said
    return opened, str(told.message)


def test_utkface_reads_names_and_counts_what_it_leaves_out(tmp_path):
    trees.write_utkface(tmp_path)
    faces, told = utkface("all", tmp_path)
    found = {faces.key(index): faces[index] for index in range(len(faces))}
    assert len(found) == len(trees.UTK_NAMES)
    for name in trees.UTK_NAMES:
        age, gender = (int(part) for part in name.split("_")[:2])
        sample = found[name.removesuffix(".jpg.chip.jpg")]
        assert sample["age"] == age
        assert faces.categories["gender"][sample["gender"]] == ("male", "female")[gender]
    assert "6 of 11 images were left out" in told
    assert "4 not named [age]_[gender]_[race]_[stamp].jpg.chip.jpg (the first: 24_0_1_20170116220224657 .jpg" in told
    assert "2 older than 99 (the first: 100_0_0_20170112215240346.jpg.chip.jpg)" in told


def test_utkface_splits_by_stamp(tmp_path):
    trees.write_utkface(tmp_path, names=trees.UTK_NAMES)
    for seed in range(8):
        stamps = []
        for split in ("train", "test"):
            faces = tw.data.utkface(split, path=tmp_path, split_seed=seed, test_share=0.3)
            stamps.append({faces.scene(index) for index in range(len(faces))})
            assert all(faces.key(index).endswith(faces.scene(index)) for index in range(len(faces)))
        assert not stamps[0] & stamps[1]
        assert len(stamps[0] | stamps[1]) == 4


def test_utkface_refuses_a_folder_without_faces(tmp_path):
    trees.write_utkface(tmp_path, names=("holiday.png", "100_0_0_20170112215240346.jpg.chip.jpg"))
    refuses(
        lambda: tw.data.utkface("all", path=tmp_path), ValueError, tmp_path, "2 pictures", "[age]_[gender]_[race]_[stamp]"
    )
    refuses(lambda: tw.data.utkface("all", path=tmp_path / "no"), FileNotFoundError, tmp_path / "no")
    refuses(lambda: tw.data.utkface("val", path=tmp_path), ValueError, "'val'")


# IMDB-WIKI


@pytest.mark.parametrize(
    ("born", "year", "age"),
    [
        (date(1950, 6, 30), 1990, 40),
        (date(1950, 7, 1), 1990, 40),
        (date(1950, 7, 2), 1990, 39),
        (date(2000, 2, 29), 2001, 1),
        (date(1980, 1, 1), 1979, -1),
    ],
)
def test_ages_on_the_first_of_july(born, year, age):
    assert age_of(trees.matlab_day(born), year) == age
    assert age_of(trees.matlab_day(born) + 0.5, year) == age, "midday"


@pytest.mark.parametrize("birth", [0.0, -5.0, 366.0, float("nan"), float("inf"), 1e12])
def test_no_date_has_no_age(birth):
    assert age_of(birth, 1990) is None


def test_imdb_wiki_reads_both_sources(tmp_path):
    trees.write_imdb_wiki(tmp_path)
    trees.write_imdb_wiki(tmp_path, source="wiki", entries=trees.ENTRIES[2:])
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # nothing is left out
        faces = tw.data.imdb_wiki("all", path=tmp_path)
    assert [faces[index]["age"].item() for index in range(len(faces))] == [*trees.AGES, *trees.AGES[2:]]
    assert [faces[index]["gender"].item() for index in range(5)] == [entry.gender for entry in trees.ENTRIES]
    assert faces.categories["gender"] == ("female", "male")
    assert faces.key(1) == "imdb/01/face1.jpg"
    assert faces.scene(1) == "ada lovelace"
    assert faces.scene(5) == faces.scene(2) == "alan turing", "one subject in both sources"


def test_imdb_wiki_counts_what_it_leaves_out(tmp_path):
    trees.write_imdb_wiki(tmp_path, entries=(*trees.ENTRIES, *trees.LEFT_OUT.values()))
    with pytest.warns(UserWarning) as said:
        faces = tw.data.imdb_wiki("all", path=tmp_path)
    assert len(faces) == len(trees.ENTRIES)
    (told,) = (str(one.message) for one in said)
    assert "imdb.mat: 8 of 13 images were left out" in told
    counts = dict(re.findall(r"(\d+ with [^(]+) \(the first: entry (\d+)", told))
    assert counts == {
        "2 with no face of score 1 or more": "6",
        "1 with a second face": "8",
        "1 with no gender": "9",
        "3 with an age outside 0..99": "10",
        "1 with no name": "13",
    }


def test_imdb_wikis_least_score(tmp_path):
    trees.write_imdb_wiki(tmp_path, entries=(*trees.ENTRIES, trees.LEFT_OUT["faint face"], trees.LEFT_OUT["no face"]))
    with pytest.warns(UserWarning, match=r"1 of 7 .* no face of score 0.5"):
        assert len(tw.data.imdb_wiki("all", path=tmp_path, least_score=0.5)) == 6


@given(
    people=st.lists(st.sampled_from(["Ann Lee", "ANN  LEE", "Bo", "bo ", "Cy", "Di", "Ed"]), min_size=2, max_size=8),
    seed=st.integers(0, 100),
    share=st.floats(0.05, 0.95),
)
@settings(max_examples=15, deadline=None)
def test_no_subject_leaks(people, seed, share):
    """On the files as they are written: the names, in any case, of both parts are disjoint, and nothing is lost."""
    if len({subject_of(name) for name in people}) < 2:
        return
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        half = len(people) // 2
        for source, named in (("imdb", people[:half]), ("wiki", people[half:])):
            entries = [trees.Entry(name, date(1950, 1, 1), 1990, 0.0) for name in named]
            trees.write_imdb_wiki(root, source=source, entries=entries)
        parts = [tw.data.imdb_wiki(split, path=root, split_seed=seed, test_share=share) for split in ("train", "test")]
        written = {f"{source}/01/face{n}.jpg": name for source, named in (("imdb", people[:half]), ("wiki", people[half:]))
                   for n, name in enumerate(named)}  # fmt: skip
        keys = [{part.key(index) for index in range(len(part))} for part in parts]
        assert keys[0] | keys[1] == set(written)
        persons = [{"".join(written[key].lower().split()) for key in one} for one in keys]
        assert not persons[0] & persons[1]


def test_imdb_wiki_refuses(tmp_path):
    refuses(lambda: tw.data.imdb_wiki("all", path=tmp_path), ValueError, tmp_path, "imdb_crop")
    refuses(lambda: tw.data.imdb_wiki("val", path=tmp_path), ValueError, "'val'")
    trees.write_imdb_wiki(tmp_path)
    mat = tmp_path / "imdb_crop/imdb.mat"
    whole = mat.read_bytes()
    mat.write_bytes(whole[:-100])
    refuses(lambda: tw.data.imdb_wiki("all", path=tmp_path), ValueError, mat, "not a readable .mat")
    mat.unlink()
    refuses(lambda: tw.data.imdb_wiki("all", path=tmp_path), FileNotFoundError, mat)
    mat.write_bytes(whole)
    (tmp_path / "imdb_crop/01/face2.jpg").unlink()
    refuses(lambda: tw.data.imdb_wiki("all", path=tmp_path), FileNotFoundError, "face2.jpg", "entry 3")


def test_imdb_wikis_fields(tmp_path):
    from scipy.io import savemat

    trees.write_imdb_wiki(tmp_path)
    mat = tmp_path / "imdb_crop/imdb.mat"
    files = [f"01/face{n}.jpg" for n in range(5)]
    fields = trees.fields_of(trees.ENTRIES, [700000.0] * 5, files)
    savemat(mat, {"imdb": {**fields, "gender": fields["gender"][:, :4]}})
    refuses(lambda: tw.data.imdb_wiki("all", path=tmp_path), ValueError, mat, "different length", "'gender': 4")
    del fields["gender"]
    savemat(mat, {"imdb": fields})
    refuses(lambda: tw.data.imdb_wiki("all", path=tmp_path), ValueError, mat, "gender")

"""Every data set with a short name is a part: options from its signature, facts without files, labels read alone."""

import inspect
import re
import warnings
from pathlib import Path

import pytest
from data.written import WRITTEN

import taskweave as tw
from taskweave.data import SetFacts
from taskweave.parts import Part, options_of, part

SETS = {name: getattr(tw.data, name) for name in tw.data.__all__ if hasattr(getattr(tw.data, name), "facts")}
NOWHERE = Path("/nowhere")
NEEDED = {
    "nyuv2_mat": {"splits": NOWHERE / "splits.mat", "class_map": NOWHERE / "classMapping40.mat"},
    "voc": {"year": 2007},
    "coco": {"classes": ("person", "cat", "dog")},
    "box_csv": {"classes": ("person", "cat", "dog")},
    "stored": {
        "contents": {
            "digest": "0" * 64,
            "labels": ("detection",),
            "classes": (),
            "objects": ("person",),
            "attributes": (),
            "categories": {},
            "size": (24, 32),
        }
    },
}
# of the trees that WRITTEN writes: which part is there, and where the rest lies
THERE = {"voc": "test", "coco": "test", "kitti": "test", "pets": "trainval", "pets_h5": "all"}
BESIDE = {
    "stored": lambda root: {"path": root, "contents": None},
    "nyuv2_mat": lambda root: {
        "path": root / "nyu_depth_v2_labeled.mat",
        "splits": root / "splits.mat",
        "class_map": root / "classMapping40.mat",
    },
}
OUTSIDE = [
    ("scenes", "train", 0),
    ("scenes", "size", (8, 96)),
    ("scenes", "seed", -1),
    ("nyuv2_folder", "classes", 12),
    ("penn_fudan", "test_share", 0.0),
    ("penn_fudan", "test_share", 1.0),
    ("voc", "year", 2013),
    ("coco", "classes", ()),
    ("coco", "classes", None),
    ("box_csv", "classes", None),
    ("birds", "area", "left half"),
    ("birds", "overlap", -1),
    ("birds", "least_height", -1.0),
    ("birds", "tile", (4, 400)),
    ("caltech", "test_step", 0),
    ("caltech_extracted", "border", -1.0),
    ("caltech", "aspect", 0.0),
    ("kitti", "most_occluded", 4),
    ("kitti", "most_truncated", 1.5),
    ("cityscapes", "classes", 20),
    ("cityscapes", "depth", "feet"),
    ("cityscapes_mtan", "farthest", 0.0),
    ("auto_lambda", "baseline", 0.0),
    ("citypersons", "persons", ()),
    ("citypersons", "persons", ("rider", "rider")),
    ("citypersons", "accept", ("typo",)),
    ("pets", "border", "unsure"),
    ("pets", "split", "both"),
    ("pets_h5", "block", 0),
    ("utkface", "test_share", 1.0),
]


def part_of(name, **options):
    call = SETS[name]
    where = {"path": NOWHERE} if "path" in options_of(call).model_fields else {}
    return Part(call, {**where, **NEEDED.get(name, {}), **options})


def test_every_reader_is_one():
    assert len(SETS) == 27
    assert set(WRITTEN) == set(SETS) - {"scenes", "pets_sample"}


@pytest.mark.parametrize("name", SETS)
def test_options_come_from_the_signature_and_are_told(name):
    it = part_of(name)
    (first, *options) = inspect.signature(SETS[name]).parameters.values()
    assert first.name == "part"
    assert all(option.kind is option.KEYWORD_ONLY for option in options)
    assert it.name == name
    told = inspect.getdoc(SETS[name]).partition("Args:")[2]
    assert [one.name for one in options if not re.search(rf"^ *(\w+, )*{one.name}(, \w+)*: ", told, re.M)] == []


@pytest.mark.parametrize("name", SETS)
def test_where_it_lies_is_no_part_of_what_it_is(name):
    it = part_of(name)
    assert set(it.identity()) - set(NEEDED.get(name, {})) == {"use"}
    if "path" in it.options:
        assert it.replace(path=NOWHERE / "else").identity() == it.identity()


@pytest.mark.parametrize("name", SETS)
def test_facts_need_no_file(name):
    facts = part_of(name).fact("facts")
    assert isinstance(facts, SetFacts)
    assert facts.title
    assert facts.labels
    assert all(side > 0 for side in facts.size)
    named = {"segmentation": facts.classes, "detection": facts.objects, "attributes": facts.attributes}
    assert all(facts.of(label) for label in facts.labels if label in named or label in facts.categories)
    assert set(facts.categories) <= set(facts.labels)
    assert facts.may_be_shown == (name in ("scenes", "pets_sample"))


@pytest.mark.parametrize(("name", "option", "value"), OUTSIDE)
def test_values_out_of_bounds_are_refused_before_any_file_is_opened(name, option, value):
    with pytest.raises(ValueError, match=option):
        part_of(name, **{option: value})


def test_options_change_the_facts():
    assert len(part_of("nyuv2_folder", classes=13).fact("facts").classes) == 13
    assert part_of("cityscapes", depth="metres", farthest=50.0).fact("facts").far == 50.0
    assert part_of("cityscapes").fact("facts").far == 0.25
    assert part_of("birds", area="right half").fact("facts").size == (3744, 2808)
    assert part_of("pets", border="class").fact("facts").classes == ("background", "pet", "border")
    assert not part_of("pets", split="official").fact("facts").own_validation
    assert part_of("pets").fact("facts").own_validation
    assert part_of("kitti", classes={"Car": "car", "Van": "car"}).fact("facts").objects == ("car",)
    assert part_of("scenes", size=(32, 48)).fact("facts").size == (32, 48)
    assert part_of("voc", classes=("dog",)).fact("facts").objects == ("dog",)


@pytest.fixture(autouse=True)
def quiet(tmp_path, monkeypatch):
    monkeypatch.setenv("TASKWEAVE_CACHE", str(tmp_path / "cache"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def opened(name, root):
    write = WRITTEN[name][0] if name in WRITTEN else lambda root: None
    root.mkdir()
    write(root)
    where = BESIDE.get(name, lambda root: {"path": root} if name in WRITTEN else {})(root)
    it = Part(SETS[name], {**NEEDED.get(name, {}), **where})
    return it, it(THERE.get(name, "train"))


@pytest.mark.parametrize("name", SETS)
def test_facts_are_those_of_the_files(name, tmp_path):
    it, dataset = opened(name, tmp_path / "data")
    facts = it.fact("facts")
    assert set(facts.labels) <= set(dataset.labels)
    restricted = dataset.only(facts.labels)
    assert restricted.labels == facts.labels
    assert (restricted.classes, restricted.objects) == (facts.classes, facts.objects)
    assert len(restricted.attributes) == len(facts.attributes)
    assert dict(restricted.categories) == dict(facts.categories)


@pytest.mark.parametrize("name", SETS)
def test_only_these_labels_are_read(name, tmp_path):
    """What another label is stored in may be gone; without labels there are images."""
    _, dataset = opened(name, tmp_path / "data")
    whole = dataset.only(dataset.labels)[0]
    for label in dataset.labels:
        one = dataset.only((label,))
        assert one.labels == (label,)
        assert set(one[0]) <= {"image", "key", label}
        assert (label in one[0]) == (label in whole)
        assert bool(one.classes) == (label == "segmentation")
        assert bool(one.attributes) == (label == "attributes")
    assert set(dataset.only(())[0]) == {"image", "key"}
    assert dataset.only(dataset.labels[::-1]).only(dataset.labels[:1]).labels == dataset.labels[:1]
    with pytest.raises(ValueError, match="no label 'colour'; it has"):
        dataset.only(("colour",))


def test_a_part_that_is_trained_on_and_one_that_is_tested_on(tmp_path):
    for name, (write, counts, _) in WRITTEN.items():
        if name in ("stored", "nyuv2_mat", "coco", "box_csv") or "train" not in counts:
            continue
        root = tmp_path / name
        root.mkdir()
        write(root)
        it = Part(SETS[name], {**NEEDED.get(name, {}), "path": root})
        steps = {"train_step": 1, "test_step": 1} if name.startswith("caltech") else {}
        if "val" in counts or "test" in counts:
            sizes = [len(it.replace(**steps)(which)) for which in ("train", "test")]
            if not steps:
                assert sizes == [counts["train"], counts.get("test", counts.get("val"))], name


def test_written_down_in_python_it_opens_what_the_call_opens(tmp_path):
    it = part(tw.data.scenes, train=3, size=(32, 48))
    assert [len(it(which)) for which in ("train", "test")] == [3, 64]
    assert it("train")[0]["image"].shape == (3, 32, 48)
    assert it("train").key(0) == "scenes-0-000000"
    assert it("test").key(0) == "scenes-100003-000000"

"""Annotations that cannot be right: refused with file, line and value; or counted, where that is asked for."""

import json

import pytest
from data import box_trees as trees
from data.refusing import every_label, refuses
from data.trees import write_list

import taskweave as tw
from taskweave.data import BoxSet
from taskweave.data.readers.faults import Faults


def voc(root, **options):
    return lambda: tw.data.voc("trainval", path=root, year=2007, **options)


@pytest.fixture
def voc_root(tmp_path):
    trees.write_voc(tmp_path)
    return tmp_path


def changed(file, old, new):
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


VOC_CHANGES = {
    "outside": ("<xmax>19</xmax>", "<xmax>21</xmax>", "object 1", "(2, 1, 21, 30)", "20 wide and 30 high", "accept"),
    "before the first pixel": ("<xmin>3</xmin>", "<xmin>0</xmin>", "object 1", "(-1, 1, 19, 30)"),
    "no area": ("<xmax>19</xmax>", "<xmax>2</xmax>", "object 1", "no area", "(2, 1, 2, 30)"),
    "NaN": ("<xmax>19</xmax>", "<xmax>nan</xmax>", "object 1", "nan"),
    "no number": ("<xmax>19</xmax>", "<xmax>wide</xmax>", "<xmax>", "'wide'"),
    "a coordinate is missing": ("<xmax>19</xmax>", "", "object 1", "<xmax>"),
    "no box": ("bndbox>", "box>", "readable XML"),
    "class": ("<name>cat</name>", "<name>kitten</name>", "object 1", "'kitten'", "'cat'"),
    "no class": ("<name>cat</name>", "", "object 1", "<name>"),
    "no width": ("<width>20</width>", "", "<width>"),
    "size 0": ("<width>20</width>", "<width>0</width>", "0 x 30"),
    "not XML": ("</annotation>", "", "not readable XML"),
}


@pytest.mark.parametrize("change", VOC_CHANGES.values(), ids=VOC_CHANGES.keys())
def test_voc(voc_root, change):
    old, new, *words = change
    file = voc_root / "VOC2007" / "Annotations" / "000002.xml"
    changed(file, old, new)
    refuses(voc(voc_root), ValueError, file, *words)


def test_voc_without_size(voc_root):
    file = voc_root / "VOC2007" / "Annotations" / "000002.xml"
    file.write_text(trees.voc_xml(trees.SHOTS[1], size=False))
    refuses(voc(voc_root), ValueError, file, "<size>")


def test_voc_size_is_not_the_images(voc_root):
    file = voc_root / "VOC2007" / "Annotations" / "000003.xml"
    changed(file, "<width>32</width>", "<width>33</width>")
    data = voc(voc_root)()
    refuses(lambda: data[2], ValueError, file, "000003.jpg", "24 x 32", "24 x 33")


def test_voc_missing_files(voc_root):
    refuses(lambda: tw.data.voc("train", path=voc_root, year=2012), FileNotFoundError, "VOC2012", "JPEGImages")
    refuses(
        lambda: tw.data.voc("test", path=voc_root, year=2007, test_split="test"),
        FileNotFoundError,
        "test.txt",
        "trainval.txt",
    )
    refuses(voc(voc_root, classes=("person", "kitten")), ValueError, "'kitten'", "'cat'")
    refuses(voc(voc_root, classes=()), ValueError, "no class")
    (voc_root / "VOC2007" / "Annotations" / "000004.xml").unlink()
    refuses(voc(voc_root), FileNotFoundError, "000004.xml")
    (voc_root / "VOC2007" / "JPEGImages" / "000003.jpg").unlink()
    refuses(voc(voc_root), FileNotFoundError, "000003.jpg")


def test_voc_names_a_key_twice(voc_root):
    write_list(voc_root / "VOC2007" / "ImageSets" / "Main" / "trainval.txt", ["000001", "000001"])
    refuses(voc(voc_root), ValueError, "'000001' 2 times")


def test_faults_that_are_accepted_are_counted(voc_root):
    folder = voc_root / "VOC2007" / "Annotations"
    changed(folder / "000002.xml", "<xmax>19</xmax>", "<xmax>21</xmax>")
    changed(folder / "000001.xml", "<xmin>4</xmin>", "<xmin>0</xmin>")
    changed(folder / "000004.xml", "<xmax>30</xmax>", "<xmax>20</xmax>")
    changed(folder / "000004.xml", "<name>person</name>", "<name>robot</name>")
    accept = ("outside", "empty", "unknown class")
    with pytest.warns(UserWarning) as caught:
        data = voc(voc_root, accept=accept)()
    said = [str(warning.message) for warning in caught]
    assert len(said) == 3
    assert any(words.startswith("1 boxes have no area") and "000004.xml, object 1" in words for words in said)
    assert any(words.startswith("2 boxes reach outside") and "000001.xml, object 2" in words for words in said)
    assert any(words.startswith("1 objects have an unknown class") and "'robot'" in words for words in said)
    assert data[1]["detection"]["boxes"].tolist() == [[2, 1, 20, 30]]
    assert data[0]["detection"]["boxes"].tolist() == [[0, 0, 40, 24], [0, 5, 10, 11]]
    assert data[3]["detection"]["boxes"].tolist() == [[40, 0, 48, 16]]


def test_only_what_is_accepted(voc_root):
    changed(voc_root / "VOC2007" / "Annotations" / "000002.xml", "<xmax>19</xmax>", "<xmax>21</xmax>")
    refuses(voc(voc_root, accept=("empty",)), ValueError, "outside")
    refuses(voc(voc_root, accept=("everything",)), ValueError, "'everything'", "'outside'")


def test_a_box_wholly_outside_is_left_out():
    faults = Faults(("outside",))
    assert faults.checked((12, 0, 15, 5), (10, 10), "here") is None
    assert faults.checked((8, -3, 15, 5), (10, 10), "here") == (8, 0, 10, 5)
    assert faults.checked((0, 0, 10, 10), (10, 10), "here") == (0, 0, 10, 10)


def apascal_file(root):
    return root / "attribute_data" / "apascal_train.txt"


APASCAL_CHANGES = {
    "missing image": ("000002.jpg cat", "000009.jpg cat", "line 3", "'000009.jpg'"),
    "class": ("000002.jpg cat", "000002.jpg kitten", "line 3", "'kitten'"),
    "class of aYahoo": ("000002.jpg cat", "000002.jpg mug", "line 3", "'mug'"),
    "outside": ("cat 3 2 19 30", "cat 3 2 19 31", "line 3", "(2, 1, 19, 31)"),
    "no area": ("cat 3 2 19 30", "cat 3 2 2 30", "line 3", "no area"),
    "no coordinate": ("cat 3 2 19 30", "cat 3 2 x 30", "line 3", "'x'"),
    "field missing": ("cat 3 2 19 30", "cat 3 2 19", "line 3", "69 fields", "70"),
    "attribute": ("cat 3 2 19 30 0", "cat 3 2 19 30 2", "line 3", "'2'", "0 or 1"),
}


@pytest.mark.parametrize("change", APASCAL_CHANGES.values(), ids=APASCAL_CHANGES.keys())
def test_apascal(tmp_path, change):
    trees.write_apascal(tmp_path)
    old, new, *words = change
    changed(apascal_file(tmp_path), old, new)
    refuses(lambda: tw.data.apascal("train", path=tmp_path), ValueError, apascal_file(tmp_path), *words)


def test_apascal_missing_image_can_be_accepted(tmp_path):
    trees.write_apascal(tmp_path)
    changed(apascal_file(tmp_path), "000002.jpg cat", "000009.jpg cat")
    with pytest.warns(UserWarning, match=r"1 rows name an image that is not there.*line 3.*000009"):
        data = tw.data.apascal("train", path=tmp_path, accept=("missing image",))
    assert [data.key(i) for i in range(len(data))] == ["000001", "000004"]


def test_apascal_files(tmp_path):
    trees.write_apascal(tmp_path)
    refuses(lambda: tw.data.apascal("val", path=tmp_path), FileNotFoundError, "apascal_val.txt", "apascal_train.txt")
    refuses(lambda: tw.data.apascal("train", path=tmp_path).only(("depth",)), ValueError, "'depth'")
    refuses(lambda: tw.data.apascal("train", path=tmp_path, classes=("kitten",)), ValueError, "'kitten'")
    write_list(tmp_path / "attribute_data" / "attribute_names.txt", ["Round"])
    refuses(lambda: tw.data.apascal("train", path=tmp_path), ValueError, "attribute_names.txt", "1 names", "64")


PENN_FUDAN_CHANGES = {
    "outside": ("(16, 1) - (30, 20)", "(16, 1) - (31, 20)", "line 8", "(15, 0, 31, 20)", "30 wide and 20 high"),
    "no area": ("(16, 1) - (30, 20)", "(16, 1) - (15, 20)", "line 8", "no area"),
    "class": ('object 2 "PASpersonWalking" (X', 'object 2 "PAScarSide" (X', "line 8", "'PAScarSide'"),
    "no size": ("Image size", "Picture size", "Image size"),
    "count": ("ground truth : 2", "ground truth : 3", "announces 3", "2 readable"),
}


@pytest.mark.parametrize("change", PENN_FUDAN_CHANGES.values(), ids=PENN_FUDAN_CHANGES.keys())
def test_penn_fudan(tmp_path, change):
    trees.write_penn_fudan(tmp_path)
    old, new, *words = change
    file = tmp_path / "Annotation" / "000002.txt"
    changed(file, old, new)
    refuses(lambda: tw.data.penn_fudan("all", path=tmp_path), ValueError, file, *words)


def test_penn_fudan_files(tmp_path):
    trees.write_penn_fudan(tmp_path)
    refuses(lambda: tw.data.penn_fudan("val", path=tmp_path), ValueError, "'val'", "'train', 'test' or 'all'")
    refuses(lambda: tw.data.penn_fudan("test", path=tmp_path, test_share=0.01), ValueError, "no images")
    refuses(lambda: tw.data.penn_fudan("test", path=tmp_path, test_share=1.0), ValueError, "test_share")
    (tmp_path / "PedMasks" / "000003_mask.png").unlink()
    refuses(lambda: tw.data.penn_fudan("all", path=tmp_path), FileNotFoundError, "000003_mask.png", "000003.txt")


def coco(root, content, **options):
    trees.write_coco(root, content)
    return lambda: tw.data.coco("test", path=root, **options)


def altered(part, place, **entries):
    content = trees.coco_content()
    content[part][place] |= entries
    return content


COCO_CHANGES = {
    "image id twice": (altered("images", 2, id=10), "images[2]", "id 10", "images[0]"),
    "annotation id twice": (altered("annotations", 3, id=501), "annotations[3]", "id 501", "annotations[1]"),
    "category id twice": (altered("categories", 2, id=18), "categories[2]", "id 18", "categories[0]"),
    "category name twice": (altered("categories", 2, name="dog"), "'dog'"),
    "unknown image": (altered("annotations", 1, image_id=11), "annotation 501", "image_id 11"),
    "unknown category": (altered("annotations", 1, category_id=2), "annotation 501", "category_id 2", "[1, 7, 18]"),
    "outside": (altered("annotations", 1, bbox=[35, 3, 6, 2]), "annotation 501", "(35, 3, 41, 5)"),
    "no area": (altered("annotations", 1, bbox=[35, 3, 0, 2]), "annotation 501", "no area"),
    "bbox of 3": (altered("annotations", 1, bbox=[35, 3, 6]), "annotation 501", "[35, 3, 6]", "[x, y, width, height]"),
}


@pytest.mark.parametrize("change", COCO_CHANGES.values(), ids=COCO_CHANGES.keys())
def test_coco(tmp_path, change):
    content, *words = change
    refuses(coco(tmp_path, content, accept=()), ValueError, "instances_val2017.json", *words)


def test_coco_files(tmp_path):
    missing = trees.coco_content()
    del missing["annotations"][0]["bbox"]
    refuses(coco(tmp_path, missing), ValueError, "annotation 500", "'bbox'")
    del missing["categories"]
    refuses(coco(tmp_path, missing), ValueError, "'categories'")
    file = tmp_path / "annotations" / "instances_val2017.json"
    file.write_text(json.dumps([1]))
    refuses(lambda: tw.data.coco("test", path=tmp_path), ValueError, file, "list")
    file.write_text("{")
    refuses(lambda: tw.data.coco("test", path=tmp_path), ValueError, file, "not readable json")
    elsewhere = file.with_name("other.json")
    refuses(
        lambda: tw.data.coco("test", path=tmp_path, test_annotations=elsewhere), FileNotFoundError, "other.json", file.name
    )
    action = coco(tmp_path, None)
    (tmp_path / "val2017" / "000003.jpg").unlink()
    refuses(action, FileNotFoundError, "000003.jpg", "image 30")


CSV_CHANGES = {
    "missing image": ("000002.jpg", "000009.jpg", "line 4", "'000009.jpg'"),
    "class": ("cat", "kitten", "line 4", "'kitten'"),
    "outside": ("cat,2,1,19,30", "cat,2,1,21,30", "line 4", "(2, 1, 21, 30)"),
    "no area": ("cat,2,1,19,30", "cat,2,1,2,30", "line 4", "no area"),
    "no number": ("cat,2,1,19,30", "cat,2,1,,30", "line 4", "xmax", "''"),
    "too short": ("cat,2,1,19,30", "cat,2,1,19", "line 4", "fewer cells"),
    "other size": ("20,30,cat", "30,20,cat", "line 4", "30 wide and 20 high", "20 wide and 30 high"),
    "columns": ("filename,", "file,", "line 1", "filename,width"),
}


@pytest.mark.parametrize("change", CSV_CHANGES.values(), ids=CSV_CHANGES.keys())
def test_box_csv(tmp_path, change):
    trees.write_box_csv(tmp_path)
    old, new, *words = change
    file = tmp_path / "annotations" / "train_labels.csv"
    changed(file, old, new)
    open_it = lambda: tw.data.box_csv("train", path=tmp_path, classes=("person", "cat", "dog"))  # noqa: E731
    refuses(open_it, ValueError, file, *words)


def test_box_csv_files(tmp_path):
    trees.write_box_csv(tmp_path)
    images, file = tmp_path / "images" / "train", tmp_path / "annotations" / "train_labels.csv"
    refuses(lambda: tw.data.box_csv("train", path=tmp_path, train_images=images.with_name("val")), FileNotFoundError, "val")
    refuses(
        lambda: tw.data.box_csv("train", path=tmp_path, train_annotations=file.with_name("val.csv")),
        FileNotFoundError,
        "val.csv",
        "train_labels.csv",
    )
    (images / "000004.jpg").write_bytes(b"no picture")
    refuses(lambda: tw.data.box_csv("train", path=tmp_path), ValueError, "000004.jpg", "not a readable picture")


def test_birds(tmp_path):
    trees.write_birds(tmp_path)
    refuses(lambda: tw.data.birds("train", path=tmp_path, area="left half"), ValueError, "'left half'", "'right half'")
    refuses(lambda: tw.data.birds("test", path=tmp_path, area="whole"), FileNotFoundError, "test.txt", "train.txt")
    changed(tmp_path / "lists" / "train.txt", "000012", "000013")
    refuses(lambda: tw.data.birds("train", path=tmp_path, area="whole"), FileNotFoundError, "'000013'", "name 2")
    changed(tmp_path / "lists" / "train.txt", "000013", "000012")
    (tmp_path / "masks" / "000012.png").unlink()
    whole = tw.data.birds("train", path=tmp_path, area="whole")
    refuses(lambda: every_label(whole), FileNotFoundError, "000012.png", ".only(('detection',))")
    refuses(lambda: whole[0], FileNotFoundError, "000012.png", ".only(('detection',))")
    assert len(whole.only(("detection",))) == 2, "masks were not asked for"


def test_an_empty_set():
    refuses(lambda: BoxSet([], labels=(), objects=("a",), where="list.txt"), ValueError, "list.txt", "empty")

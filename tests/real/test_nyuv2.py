"""The real NYUv2 sample in ../shared/data/nyuv2. Nothing of it is stored in this repository."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from contracts.dataset_contract import assert_dataset
from PIL import Image
from torchvision.transforms import v2

import taskweave as tw
from taskweave.data import RandomCrop, RandomScale, Reduced, ToInput, Transformed, collate, split_by_scene
from taskweave.data.readers.indoor.nyuv2 import FORTY_TO_THIRTEEN
from taskweave.images import IMAGENET

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def nyuv2(shared):
    return shared / "data" / "nyuv2"


@pytest.fixture(autouse=True, scope="module")
def cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TASKWEAVE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def angle(a, b):
    """Degrees between (3, H, W) unit vectors, where both are known."""
    known = (a.norm(dim=0) > 0.5) & (b.norm(dim=0) > 0.5)
    return torch.rad2deg(torch.arccos((a * b).sum(0)[known].clamp(-1, 1)))


@pytest.mark.parametrize("classes", [13, 40])
def test_the_contract(nyuv2, classes):
    assert_dataset(tw.data.nyuv2_folder("val", path=nyuv2, classes=classes), at=(0, 26))


def test_counts_and_units(nyuv2):
    train, val = (tw.data.nyuv2_folder(split, path=nyuv2) for split in ("train", "val"))
    assert (len(train), len(val)) == (145, 53)
    keys = [part.key(i) for part in (train, val) for i in range(len(part))]
    assert len(set(keys)) == 198
    sample = train[0]
    stored = np.asarray(Image.open(nyuv2 / "depth" / "0046.png"))
    assert sample["key"] == "0046"
    assert sample["image"].shape == (3, 480, 640)
    assert np.allclose(sample["depth"][0].numpy(), stored / 1000)
    assert sample["depth"].min() > 0.5
    assert sample["depth"].max() < 10.1
    void = float((sample["segmentation"] == 255).float().mean())
    assert void == pytest.approx(float((np.asarray(Image.open(nyuv2 / "label40" / "0046.png")) == 0).mean()))


def test_forty_classes_group_into_the_published_thirteen(nyuv2):
    forty, thirteen = (tw.data.nyuv2_folder("val", path=nyuv2, classes=c).only(("segmentation",)) for c in (40, 13))
    groups = torch.tensor([*FORTY_TO_THIRTEEN, *[255] * 216])
    for index in range(0, len(forty), 9):
        assert torch.equal(groups[forty[index]["segmentation"]], thirteen[index]["segmentation"].as_subclass(torch.Tensor))


def test_scenes_of_the_split(nyuv2):
    train = tw.data.nyuv2_folder("train", path=nyuv2).only(())
    part, held = split_by_scene(train, 0.15, seed=0)
    assert len(part) + len(held) == 145
    assert 0.1 < len(held) / 145 < 0.2
    numbers = [{int(p.key(i)) for i in range(len(p))} for p in (part, held)]
    assert not any(n + 1 in numbers[1] or n - 1 in numbers[1] for n in numbers[0]), "neighbours are in both parts"


def test_derived_normals_see_the_room(nyuv2):
    """Floors look up and ceilings down: the camera is held nearly level (it tilts by up to some 30 degrees)."""
    data = tw.data.nyuv2_folder("train", path=nyuv2).only(("segmentation", "normals"))
    floor, ceiling = data.classes.index("floor"), data.classes.index("ceiling")
    ups = {floor: [], ceiling: []}
    for index in range(0, len(data), 24):
        sample = data[index]
        for name, values in ups.items():
            values.append(sample["normals"][1][sample["segmentation"] == name])
    assert torch.cat(ups[floor]).median() > 0.8
    assert torch.cat(ups[ceiling]).median() < -0.5


def test_a_training_batch(nyuv2):
    """13 classes and depth, scaled, mirrored and cropped as NDDR's authors do, at a size for small runs."""
    data = Reduced(tw.data.nyuv2_folder("train", path=nyuv2, classes=13).only(("segmentation", "depth")), size=(120, 160))
    steps = [RandomScale(least=0.5, most=1.5), v2.RandomHorizontalFlip(), RandomCrop(IMAGENET, size=97), ToInput(IMAGENET)]
    seen = Transformed(data, v2.Compose(steps), seed=0)
    batch = collate([seen[index, 0] for index in range(3)])
    assert batch.image.shape == (3, 3, 97, 97)
    assert batch.image.isfinite().all()
    assert batch.targets["depth"].shape == (3, 1, 97, 97)
    assert batch.targets["segmentation"].shape == (3, 97, 97)
    assert batch.image.abs().max() < 3


@pytest.mark.slow
def test_the_mtan_tree_that_convert_makes(nyuv2, tmp_path):
    """Same pictures, labels and depth as the folder; its normals, computed otherwise, agree with ours."""
    command = [sys.executable, str(nyuv2 / "convert.py"), "--layout", "mtan", "--out", str(tmp_path), "--limit", "2"]
    subprocess.run(command, check=True, capture_output=True)
    tree = tw.data.nyuv2_mtan("val", path=tmp_path)
    assert_dataset(tree)
    ours = Reduced(tw.data.nyuv2_folder("val", path=nyuv2, classes=13), size=(288, 384))
    for index in range(2):
        theirs, own = tree[index], ours[index]
        assert (theirs["image"].float() - own["image"].float()).abs().mean() < 3
        assert (theirs["segmentation"] == own["segmentation"]).float().mean() > 0.98
        assert (theirs["depth"] - own["depth"]).abs().median() < 0.02
        assert angle(theirs["normals"], own["normals"]).median() < 15

"""Pictures without one valid label, alone or a whole batch of them: from their files to losses and metrics, without NaN."""

import math

import numpy as np
import pytest
import torch
from data import trees
from experiments.tiny import Told, content

import taskweave as tw
from taskweave.data import collate
from taskweave.experiments.comparison import compare
from taskweave.experiments.recipe import Recipe
from taskweave.tasks import Depth, Normals, NormalsByCodebook, Segmentation

TASKS = {
    "segmentation": lambda resolution: Segmentation(13, loss_resolution=resolution),
    "depth": lambda resolution: Depth(loss_resolution=resolution),
    "normals": lambda resolution: Normals(loss_resolution=resolution),
    "codebook": lambda resolution: NormalsByCodebook(codebook=torch.eye(3), loss_resolution=resolution),
}
BLANK = {"label": (24, 32), "depth": (24, 32, 1), "normal": (24, 32, 3)}


def blank(root, split, *numbers):
    """Nothing of these pictures is labelled."""
    for number in numbers:
        for kind, shape in BLANK.items():
            value = -1.0 if kind == "label" else 0.0
            trees.save(root / split / kind / f"{number}.npy", np.full(shape, value, np.float32))


@pytest.fixture
def batches(tmp_path):
    """Two sound pictures; the same with a blank one between; two blank ones."""
    trees.write_mtan(tmp_path)
    blank(tmp_path, "train", 1, 3)
    data = tw.data.nyuv2_mtan("train", path=tmp_path)
    return [collate([data[i] for i in indices]) for indices in ((0, 2), (0, 1, 2), (1, 3))]


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("resolution", ["eighth", "full"])
def test_losses_and_metrics(name, resolution, batches):
    task = TASKS[name](resolution)
    sound, mixed, empty = [batch.targets["normals" if name == "codebook" else name] for batch in batches]
    outputs = torch.randn(3, task.channels, 3, 4)

    def loss_and_gradient(rows, target):
        output = outputs[rows].clone().requires_grad_()
        loss = task.loss(output, target)
        loss.backward()
        return loss, output.grad

    alone, gradient = loss_and_gradient([0, 2], sound)
    with_blank, further = loss_and_gradient([0, 1, 2], mixed)
    nothing, none = loss_and_gradient([0, 1], empty)
    assert torch.allclose(with_blank, alone, rtol=1e-6)  # sums of another order
    assert torch.allclose(further[[0, 2]], gradient, rtol=1e-5, atol=1e-9)
    assert not further[1].any()
    assert nothing == 0
    assert not none.any() and none.isfinite().all()
    assert task.label_count(outputs[:2], empty) == 0

    measured = []
    for updates in ([([0, 2], sound)], [([0, 1], empty), ([0, 1, 2], mixed), ([1], empty[:1])]):
        metric = task.metric()
        for rows, target in updates:
            metric.update(task.decode(outputs[rows], (24, 32)), target)
        measured.append({key: float(value) for key, value in metric.compute().items()})
    assert measured[1] == pytest.approx(measured[0], rel=1e-12)
    assert all(math.isfinite(value) for value in measured[0].values())


def test_inverse_depth_without_a_label(tmp_path):
    shape = (24, 32)
    for number, depth in enumerate((np.zeros(shape), np.full(shape, 0.25))):
        trees.save(tmp_path / "val" / "image" / f"{number}.npy", np.full((*shape, 3), 0.5))
        trees.save(tmp_path / "val" / "depth" / f"{number}.npy", depth[..., None])
    data = tw.data.cityscapes_mtan("val", path=tmp_path).only(("depth",))
    task, target = Depth(loss_resolution="full"), collate([data[0], data[1]]).targets["depth"]
    prediction = torch.full((2, 1, *shape), 0.5)
    assert task.loss(prediction, target) == pytest.approx(0.25)
    metric = task.metric()
    metric.update(prediction, target)
    assert {key: float(value) for key, value in metric.compute().items()} == pytest.approx(
        {"abs": 0.25, "rel": 1.0, "rmse": 0.25}
    )


@pytest.mark.slow
def test_a_comparison(tmp_path):
    """Four of five training pictures are blank: of three batches of two, one at least is. The test has no depth."""
    for split in ("train", "val"):
        trees.write_mtan(tmp_path / "data", split)
    blank(tmp_path / "data", "train", 0, 1, 2, 4)
    blank(tmp_path / "data", "val", 3)
    for number in range(5):
        trees.save(tmp_path / "data" / "val" / "depth" / f"{number}.npy", np.zeros((24, 32, 1), np.float32))
    given = content(data={"use": "nyuv2_mtan", "path": str(tmp_path / "data"), "size": [24, 32]})
    given["tasks"] = {"segmentation": {}, "depth": {}}
    given["training"]["single"]["steps"] = given["training"]["connected"]["steps"] = 3
    rows = compare(Recipe.model_validate(given), folder=tmp_path / "out", progress=Told()).result.rows
    assert [row.method for row in rows] == ["single", "cross-stitch"]
    for row in rows:
        assert set(row.metrics["depth"].values()) == {None}  # undefined, and said so
        assert all(math.isfinite(value) for value in row.metrics["segmentation"].values())

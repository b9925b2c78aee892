"""The full-size recipe of MT-UNet's table 2 against the paper's protocol (p003)."""

import pytest

from taskweave.recipes.mt_unet.table2 import recipe


@pytest.mark.parametrize("stage", ["single", "connected", "joint"])
def test_training(stage: str) -> None:
    options = recipe().model_dump()["training"][stage]
    assert options["optimizer"] == {"kind": "adam", "lr": 1e-4, "betas": (0.9, 0.999)}
    assert options["batch_size"] == 2
    assert options["steps"] == 200 * 398  # 200 epochs of 795 images, 398 batches of 2
    assert options["schedule"]["kind"] == "constant"


def test_data_and_tasks() -> None:
    full = recipe()
    assert full.data.kind == "nyuv2_mtan"
    assert full.data.size == (128, 256)
    assert full.data.classes == 13
    assert list(full.tasks.chosen) == ["segmentation", "depth"]
    depth = full.tasks.depth
    assert depth is not None and depth.loss == "l1"
    assert all(choice.weight == 1.0 for choice in full.tasks.chosen.values())  # eq. 4: L1 + L2


def test_methods() -> None:
    for small in (False, True):
        kinds = [m.kind for m in recipe(small=small).rows]
        assert kinds == ["single", "single_trained_on", "shared", "cross_stitch", "nddr"]

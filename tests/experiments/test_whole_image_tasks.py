"""A comparison of tasks with one answer per image on the pets that ship, and its runs asked for anybody's picture."""

import pytest
import torch
from experiments.tiny import tiny
from PIL import Image

from taskweave.experiments.comparison import compare
from taskweave.experiments.predicting import predict_pictures
from taskweave.reporting import write_report


@pytest.mark.slow
@pytest.mark.draws
def test_compared_and_predicted(tmp_path) -> None:
    recipe = tiny(
        data={"use": "pets_sample", "size": [64, 64]},
        tasks={"species": {"use": "classification"}, "box": {"use": "box_regression"}},
        network={"use": "timm_classifier", "body": "resnet10t"},
        methods=[{"use": "cross_stitch", "at": ["layer1", "layer2"]}],
    )
    result = compare(recipe, folder=tmp_path)
    write_report(result.folder)
    table = (tmp_path / "tiny" / "table.md").read_text()
    assert result is not None and all(name in table for name in ("accuracy", "class accuracy", "box IoU"))
    for task in ("species", "box"):
        assert (tmp_path / "tiny" / "pictures" / f"{task}.png").is_file()
    photo = tmp_path / "photo.png"
    Image.fromarray(torch.full((90, 120, 3), 130, dtype=torch.uint8).numpy()).save(photo)
    written = set()
    for run in (tmp_path / "runs").iterdir():
        for path in predict_pictures(run, [photo], tmp_path / "out"):
            written.add(path.name)
            assert Image.open(path).size == (120, 90)
    assert written == {"photo-species.png", "photo-box.png"}

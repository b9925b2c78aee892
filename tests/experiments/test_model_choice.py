"""Which weights count, on which part, and how often the test part is read."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from experiments.tiny import content

import taskweave.experiments.measuring as measuring
import taskweave.training.loop as fitting
from taskweave.experiments.comparison import Comparison, compare
from taskweave.experiments.recipe import Recipe
from taskweave.results.image_statistics import IMAGES, read_images

Read = tuple[str, tuple[str, ...]]
"""Who read (training or the measuring after it), and the keys of the samples."""


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Read]:
    """Every reading of a part that is not trained on, in order."""
    monkeypatch.setenv("TASKWEAVE_CACHE", str(tmp_path / "cache"))
    found: list[Read] = []
    for where, module, function in (("training", fitting, "validate"), ("measuring", measuring, "collect")):
        original = getattr(module, function)

        def noted(net: Any, tasks: Any, dataset: Any, *, where: str = where, original: Any = original, **rest: Any) -> Any:
            found.append((where, tuple(dataset[i]["key"] for i in range(len(dataset)))))
            return original(net, tasks, dataset, **rest)

        monkeypatch.setattr(module, function, noted)
    return found


def compared(folder: Path, choose: str, *, share: float = 0.0) -> Comparison:
    given = content(methods=[], tasks={"segmentation": {}}, evaluation={"pictures": 0})
    given["data"]["validation_share"] = share
    given["training"]["single"] |= {"steps": 4, "choose": choose, "validate_every": 1, "mean_over": 3}
    return compare(Recipe.model_validate(given), folder=folder)


def who(reads: Sequence[Read]) -> list[str]:
    return [where for where, _ in reads]


def test_last_reads_the_test_part_once_and_no_other(tmp_path: Path, reads: list[Read]) -> None:
    compared(tmp_path, "last", share=0.25)
    assert who(reads) == ["measuring"]


def test_best_is_chosen_on_whole_scenes_of_train_and_the_test_part_read_once(tmp_path: Path, reads: list[Read]) -> None:
    done = compared(tmp_path, "best", share=0.25)
    assert who(reads) == ["training"] * 4 + ["measuring"]
    held, test = set(reads[0][1]), set(reads[-1][1])
    assert len(held) == 2 and len(test) == 4 and not held & test
    assert all(set(keys) == held for _, keys in reads[:4])
    (folder,) = [path for path in (tmp_path / "runs").iterdir() if (path / "validation.csv").is_file()]
    assert len((folder / "validation.csv").read_text().splitlines()) == 1 + 4 * 3  # mIoU, pixacc, fwIU
    assert done.finished


@pytest.mark.parametrize("share", [0.0, 0.25])
def test_mean_last_is_the_mean_of_the_test_parts_last_epochs(tmp_path: Path, reads: list[Read], share: float) -> None:
    (row,) = compared(tmp_path, "mean_last", share=share).result.rows
    assert who(reads) == ["training"] * 3
    assert all(len(keys) == 4 for _, keys in reads)
    (images,) = tmp_path.glob(f"runs/*/{IMAGES}")  # the final weights' images are not those of the reported mean
    assert read_images(images.parent, "segmentation") is None
    lines = [line.split(",") for line in next(tmp_path.glob("runs/*/validation.csv")).read_text().splitlines()[1:]]
    assert sorted({int(step) for step, *_ in lines}) == [2, 3, 4]
    shares = [float(value) for _, _, metric, value in lines if metric == "pixacc"]
    assert row.metrics["segmentation"]["pixacc"] == pytest.approx(sum(shares) / 3)

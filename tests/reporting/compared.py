"""Comparisons made by hand, and folders as `compare` leaves them, for tests of reports."""

from pathlib import Path
from typing import Any

from PIL import Image

from taskweave.results.comparison import ComparisonResult, Failure, Gain, Mark, Row, SeedGain, TransferWarning

DIRECTIONS = {"segmentation": {"mIoU": "higher"}, "depth": {"abs": "lower"}}
SCORES = {
    "single": ((30.0, 0.50), (34.0, 0.60), (35.0, 0.70)),
    "NDDR": ((33.0, 0.40), (36.0, 0.66), (39.0, 0.62)),
    "cross-stitch": ((29.0, 0.45), (33.0, 0.55), (34.0, None)),
}
SCENES = {
    "name": "by hand",
    "data": {"use": "scenes", "size": [32, 48], "train": 8, "test": 4},
    "tasks": {"segmentation": {}, "depth": {}},
    "network": {"use": "deeplab_resnet", "body": "resnet10t", "head": {"rates": [1, 2]}},
    "methods": [{"use": "nddr", "label": "NDDR"}, {"use": "cross_stitch"}],
    "training": {"single": {"steps": 2, "batch_size": 2}, "connected": {"steps": 2, "batch_size": 2}},
    "notes": "umlauts: äöü",
}
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="300pt" height="150pt"><rect width="9" height="9"/></svg>'


def by_hand(**changes: Any) -> ComparisonResult:
    """Three methods, three seeds, one number missing, one run failed, one warning."""
    weak = Mark(task="depth", metric="abs", reason="no better than a constant prediction")
    rows = [
        Row(
            method=method, seed=seed, metrics={"segmentation": {"mIoU": miou}, "depth": {"abs": error}},
            directions=DIRECTIONS, parameters=1_234_567, flops=2_500_000_000, seconds_per_step=0.125, recipe_hash="h",
            runs=(f"run{method[0]}{seed}",), marks=(weak,) if (method, seed) == ("single", 2) else (),
        )
        for method, scores in SCORES.items()
        for seed, (miou, error) in enumerate(scores)
    ]  # fmt: skip
    gain = Gain(
        method="NDDR", kind="task_mean", value=9.38, low=2.01, high=16.75, distinguishable=True,
        seeds=(SeedGain(seed=0, value=15.0, low=11.0, high=19.0), SeedGain(seed=1, value=-2.06)),
    )  # fmt: skip
    fields: dict[str, Any] = {
        "name": "by hand", "recipe": SCENES, "recipe_hash": "0123abcd", "taskweave_version": "0.1.0", "rows": tuple(rows),
        "constant": {"segmentation": {"mIoU": 5.0}, "depth": {"abs": 0.9}}, "missing": ("sluice, seed 0",),
        "failed": (Failure(method="sluice", seed=1, run="feed", reason="the loss of depth is nan at step 17"),),
        "warnings": (TransferWarning(method="NDDR", seed=2, task="depth", place="layer3", since=120, message="apart"),),
        "seeds": (0, 1, 2), "columns": {"segmentation": "segmentation", "depth": "depth"},
        "may_be_published": {"data": True}, "gains": (gain,),
        "command": "taskweave compare x.yaml --out 'a b'", "machine": "AMD EPYC, 2 cores",
        "versions": {"python": "3.11.9", "torch": "2.15.0"},
    }  # fmt: skip
    return ComparisonResult(**{**fields, **changes})


def folder_with(
    folder: Path, result: ComparisonResult, *, charts: tuple[str, ...] = (), pictures: tuple[str, ...] = ()
) -> Path:
    """A comparison's folder: charts as SVG beside a larger PNG, pictures as PNG."""
    folder.mkdir(parents=True, exist_ok=True)
    result.save(folder / "comparison.json")
    for name in charts:
        (folder / "charts").mkdir(exist_ok=True)
        (folder / "charts" / f"{name}.svg").write_text(SVG)
        noise((500, 250)).save(folder / "charts" / f"{name}.png")
    for name in pictures:
        (folder / "pictures").mkdir(exist_ok=True)
        noise((60, 40)).save(folder / "pictures" / f"{name}.png")
    return folder


def noise(size: tuple[int, int]) -> Image.Image:
    """A picture that no compression makes small."""
    return Image.effect_noise(size, 80).convert("RGB")

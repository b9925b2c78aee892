"""A finished run's predictions for anybody's pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from taskweave.experiments.bench import Bench
from taskweave.experiments.building.data import grid_of
from taskweave.experiments.building.networks import build_network
from taskweave.experiments.building.views import statistics_of
from taskweave.experiments.choices.mixture import sets_of
from taskweave.experiments.plan import Run, all_runs, entries
from taskweave.experiments.recipe import Recipe
from taskweave.experiments.running import RECORD, RunRecord
from taskweave.tasks.task import Task
from taskweave.training.checkpoint import open_folder
from taskweave.training.finished import WEIGHTS
from taskweave.training.weights import load_weights
from taskweave.weaving.connected import Connected


def predict_pictures(folder: Path, images: Sequence[Path], out: Path) -> list[Path]:
    """Write ``out/<picture>-<task>.png`` for every picture and task of the run in `folder`; the files written.

    Pictures are predicted at their own size; a network that looks at regions looks at the grid of its recipe. Raises
    FileNotFoundError for a folder without a finished run or a picture that is not there, ValueError for a file that is no
    picture, or regions that are known from a file only.
    """
    (net, tasks), recipe = _finished(folder), Recipe.from_yaml(folder / "recipe.yaml")
    pictures = [read_picture(path) for path in images]
    open_folder(out)
    written: list[Path] = []
    for path, picture in zip(images, pictures, strict=True):
        for task, value in predicted(net, tasks, recipe, picture).items():
            target = out / f"{path.stem}-{task}.png"
            _draw(tasks[task], value, picture, path=target)
            written.append(target)
    return written


@torch.no_grad()
def predicted(net: Connected, tasks: Mapping[str, Task], recipe: Recipe, picture: Tensor) -> dict[str, Any]:
    """{task: prediction} for one picture, RGB uint8 (3, H, W), by a network in eval mode."""
    size = (int(picture.shape[-2]), int(picture.shape[-1]))
    x = statistics_of(recipe.data).normalise(picture[None])
    regions = next(iter(sets_of(recipe.data).values())).regions
    rois = None if regions is None else [grid_of(regions, size).as_subclass(Tensor)]
    outputs = net({name: task.network_input(x, None, rois) for name, task in tasks.items()})
    return {name: tasks[name].decode(output, size)[0] for name, output in outputs.items()}


def network_of(folder: Path) -> Connected:
    """The network of a finished run's folder, with its weights."""
    return _finished(folder)[0]


def _finished(folder: Path) -> tuple[Connected, dict[str, Task]]:
    """The network of a finished run's folder, with its weights, and its tasks, which decode and draw."""
    if not (folder / RECORD).is_file():
        raise FileNotFoundError(
            f"{folder} holds no finished run (no {RECORD}); give a folder like results/runs/<hash>; "
            "comparison.json names those of every row"
        )
    recipe = Recipe.from_yaml(folder / "recipe.yaml")
    run = _run_of(recipe, folder)
    if run.role == "ensemble":
        members = ", ".join(parent.digest for parent in run.parents)
        raise ValueError(f"{folder} is an ensemble, which has no weights of its own; predict with its members: {members}")
    normals = recipe.tasks.normals
    by_codebook = normals is not None and normals.loss == "codebook"  # its directions are found on the train part
    bench = Bench(recipe)
    tasks = bench.tasks if by_codebook else bench.shapes_only
    net = build_network(run, tasks, bench.example())
    load_weights(net, folder / WEIGHTS)
    return net.eval(), {name: tasks[name] for name in net.streams}


def _run_of(recipe: Recipe, folder: Path) -> Run:
    """The run of a recipe that a folder holds, found by what it is; not by its hash, in which the machine has a part."""
    stored = _what(RunRecord.model_validate_json((folder / RECORD).read_text(encoding="utf-8")).content)
    found = [run for run in all_runs(entries(recipe)) if _what(run.content) == stored]
    if not found:
        raise ValueError(f"the recipe.yaml in {folder} does not give the run that its {RECORD} tells of; was it changed?")
    return found[0]


def _what(content: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in content.items() if key not in ("options", "parents", "format", "start", "made_by")}


def read_picture(path: Path) -> Tensor:
    """RGB uint8 (3, H, W). Raises FileNotFoundError, or ValueError for a file that is no picture."""
    import numpy as np
    from PIL import Image, UnidentifiedImageError

    if not path.is_file():
        raise FileNotFoundError(f"there is no picture {path}")
    try:
        with Image.open(path) as image:
            return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1).contiguous()
    except UnidentifiedImageError as error:
        raise ValueError(f"{path} is no picture that can be read (PNG and JPEG can)") from error


def _draw(task: Task, value: Any, picture: Tensor, *, path: Path) -> None:
    from PIL import Image

    drawn = task.over(picture, value)
    Image.fromarray(drawn.permute(1, 2, 0).numpy()).save(path)

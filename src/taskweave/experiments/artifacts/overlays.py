"""Masks and boxes of every method on one picture: figure 3 of the pet paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from taskweave.data.readers.label_codes import IGNORE
from taskweave.experiments.artifacts.predictions import as_picture, predicted_value
from taskweave.experiments.artifacts.trained import finished, network_behind
from taskweave.experiments.bench import Bench
from taskweave.experiments.columns import Column, columns_of, is_own_test
from taskweave.experiments.plan import Entry
from taskweave.reporting.figures import side_by_side
from taskweave.tasks.pictures import class_keys
from taskweave.tasks.task import Task

MASK, BOX = "segmentation", "box"


def write_masks_and_boxes(rows: Sequence[Entry], bench: Bench, *, root: Path, place: Path) -> tuple[Path, ...]:
    """``masks-and-boxes.png`` in `place` for a recipe with masks and a box per image: a line per test picture with its
    labels and what every finished method (first seed) says; () for other recipes.

    A method without one of the two tasks has the other alone.
    """
    recipe = bench.recipe
    columns = {column.task: column for column in columns_of(recipe) if is_own_test(column) and column.task in (MASK, BOX)}
    done = finished(rows, root, seed=recipe.seeds[0])
    if len(columns) < 2 or len({c.data for c in columns.values()}) > 1 or not done or not recipe.evaluation.pictures:
        return ()
    test, wanted = bench.test(columns[MASK]), recipe.evaluation.pictures
    chosen = [i * len(test) // wanted for i in range(min(wanted, len(test)))]
    samples = [test[index] for index in chosen]
    images = [as_picture(torch.as_tensor(sample["image"]).as_subclass(Tensor)) for sample in samples]
    drawn = {"input": images, "target": [_over(i, s, bench.tasks) for i, s in zip(images, samples, strict=True)]}
    for entry in done:
        values = _values(entry, columns, chosen, bench=bench, root=root)
        drawn[entry.method.title] = [_over(i, v, bench.tasks) for i, v in zip(images, values, strict=True)]
    place.mkdir(exist_ok=True)
    shown = bench.choice(columns[MASK]).may_be_shown
    title = "masks and boxes" + ("" if shown else "; for your own use: these data may not be published")
    legend = class_keys(bench.tasks[MASK].classes)[1:]  # the background is not drawn
    return (side_by_side(drawn, place / "masks-and-boxes.png", title=title, legend=legend),)


@torch.no_grad()
def _values(
    entry: Entry, columns: Mapping[str, Column], chosen: Sequence[int], *, bench: Bench, root: Path
) -> list[dict[str, Any]]:
    """{task: prediction} for every chosen picture."""
    found: list[dict[str, Any]] = [{} for _ in chosen]
    for run in entry.runs:
        told = [column for task, column in columns.items() if task in run.measured]
        net = network_behind(run, bench, root) if told else None
        for column in told:
            assert net is not None
            for values, index in zip(found, chosen, strict=True):
                values[column.task] = predicted_value(net, run, column, bench=bench, index=index)
    return found


def _over(image: Tensor, values: Mapping[str, Any], tasks: Mapping[str, Task]) -> Tensor:
    """A picture with its mask's colours, background left as it is, and its box; of what `values` have."""
    if MASK in values:
        mask = torch.as_tensor(values[MASK]).as_subclass(Tensor)
        inside = (mask > 0) & (mask != IGNORE)
        image = torch.where(inside, image // 2 + tasks[MASK].picture(mask) // 2, image)
    if BOX in values:
        lines = tasks[BOX].over(torch.zeros_like(image), values[BOX])
        image = torch.where((lines != 0).any(0), lines, image)
    return image

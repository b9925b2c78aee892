"""Pictures of a comparison: test pictures with what every method says of them, and where attention looks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from taskweave.data.readers.label_codes import IGNORE
from taskweave.experiments.artifacts.predictions import (
    as_picture,
    drawn_prediction,
    drawn_truth,
    finished,
    network_behind,
    predicted_value,
)
from taskweave.experiments.artifacts.sheets import Key, side_by_side
from taskweave.experiments.bench import Bench
from taskweave.experiments.choices.whole import WholeChoice
from taskweave.experiments.columns import Column, columns_of, is_own_test
from taskweave.experiments.plan import Entry, Run
from taskweave.experiments.recipe import Recipe
from taskweave.experiments.running import load_network
from taskweave.networks.segnet.attention_masks import attention_masks
from taskweave.results.folder import distinct_names
from taskweave.results.pictured import AttentionMasks, keep_attention
from taskweave.tasks.depth import Depth
from taskweave.tasks.detection import Detection
from taskweave.tasks.palette import label_colours, scale_colours
from taskweave.tasks.segmentation import Segmentation
from taskweave.tasks.task import Task
from taskweave.tasks.torchvision_detection import TorchvisionDetection
from taskweave.units.attention import Attention


def write_pictures(rows: Sequence[Entry], bench: Bench, *, root: Path, place: Path) -> tuple[Path, ...]:
    """One PNG per test part: a line per picture with input, target and every finished method's prediction (first seed).

    root: holds the runs.  place: where pictures go.  Pictures are evenly spaced over the test part.
    """
    done = finished(rows, root, seed=bench.recipe.seeds[0])
    columns = _drawn(bench.recipe)
    chosen = {c.name: _evenly(len(bench.test(c)), bench.recipe.evaluation.pictures) for c in columns if done}
    if not any(chosen.values()):
        return ()
    drawn: dict[str, dict[str, list[Tensor]]] = {}
    for column in columns:
        images, targets = zip(*(drawn_truth(column, bench, index) for index in chosen[column.name]), strict=True)
        drawn[column.name] = {"input": list(images), "target": list(targets)}
    for entry in done:
        for run in entry.runs:
            _add_predictions(drawn, entry.method.title, run, bench=bench, chosen=chosen, root=root)
    written: list[Path] = []
    names = distinct_names(column.name for column in columns)
    for column in columns:
        told = drawn[column.name]
        legend = legend_of(bench.tasks[column.task], [p for name, of in told.items() if name != "input" for p in of])
        title = "; ".join(word for word in (column.name, _warning(column, bench)) if word)
        written.append(side_by_side(told, place / f"{names[column.name]}.png", title=title, legend=legend))
    return tuple(written)


def _drawn(recipe: Recipe) -> tuple[Column, ...]:
    """The tests, own and further; pictures that a network was trained on say little of it."""
    return tuple(column for column in columns_of(recipe) if column.part == "test")


def _warning(column: Column, bench: Bench) -> str:
    return "" if bench.choice(column).may_be_shown else "for your own use: these data may not be published"


def _evenly(count: int, wanted: int) -> list[int]:
    return [i * count // wanted for i in range(min(wanted, count))] if wanted else []


def _add_predictions(
    drawn: dict[str, dict[str, list[Tensor]]],
    title: str,
    run: Run,
    *,
    bench: Bench,
    chosen: Mapping[str, Sequence[int]],
    root: Path,
) -> None:
    net = network_behind(run, bench, root)
    with torch.no_grad():
        for column in (column for column in _drawn(bench.recipe) if column.task in run.measured):
            drawn[column.name][title] = [
                drawn_prediction(net, run, column, bench=bench, index=index) for index in chosen[column.name]
            ]


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
    title = "; ".join(word for word in ("masks and boxes", _warning(columns[MASK], bench)) if word)
    masks = bench.tasks[MASK]
    legend = mask_legend(masks.classes) if isinstance(masks, Segmentation) else []
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


def write_attention(rows: Sequence[Entry], bench: Bench, *, root: Path, place: Path) -> Iterator[Path]:
    """An .npz for each row whose network is built as one and has attention: masks of every block for up to two pictures.

    Of the first seed, on evenly spaced pictures of the first test.
    """
    column, done = columns_of(bench.recipe)[0], finished(rows, root, seed=bench.recipe.seeds[0])
    names, part = distinct_names(entry.method.title for entry in done), bench.test(column)
    chosen = _evenly(len(part), bench.recipe.evaluation.pictures)[:2]
    for entry in done if chosen else ():
        net = load_network(entry.runs[0], bench, root) if isinstance(entry.method, WholeChoice) else None
        if net is None or not any(isinstance(module, Attention) for module in net.modules()):
            continue
        images = torch.stack([as_picture(torch.as_tensor(part[i]["image"]).as_subclass(Tensor)) for i in chosen])
        masks = attention_masks(net, net.statistics.normalise(images))
        words = [f"{entry.method.title}: attention masks, mean over channels", _warning(column, bench)]
        means = {task: [block.float().mean(1).cpu().numpy() for block in blocks] for task, blocks in masks.items()}
        attention = AttentionMasks("; ".join(word for word in words if word), images.numpy(), means)
        yield keep_attention(attention, place / f"{names[entry.method.title]}.npz")


def legend_of(task: Task, pictures: Iterable[Tensor]) -> list[Key]:
    """(name, RGB) for a legend; of classes those whose colour some picture has. [] for tasks drawn without such colours.

    pictures: what was drawn, RGB uint8 (3, H, W).
    """
    match task:
        case Segmentation():
            return [*_present(task.classes, pictures), ("no label", (0, 0, 0))]
        case Detection() | TorchvisionDetection():
            return _present(task.classes, pictures)
        case Depth():
            levels = [task.far * share for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
            colours = scale_colours(torch.tensor(levels)[:, None] / task.far)[..., 0].T.tolist()
            words = [*(f"{level:.3g}" for level in levels[:-1]), f"{levels[-1]:.3g} and more"]
            keys = [(word, _rgb(colour)) for word, colour in zip(words, colours, strict=True)]
            return [*keys, ("no label", (0, 0, 0))]
        case _:
            return []


def mask_legend(classes: Sequence[str]) -> list[Key]:
    """Of masks laid over their picture: all classes but the first, the background."""
    return [(name, _rgb(colour)) for name, colour in zip(classes, label_colours(len(classes)).tolist(), strict=False)][1:]


def _present(classes: Sequence[str], pictures: Iterable[Tensor]) -> list[Key]:
    seen = {tuple(colour) for picture in pictures for colour in torch.unique(picture.flatten(1).T, dim=0).tolist()}
    keys = [(name, _rgb(colour)) for name, colour in zip(classes, label_colours(len(classes)).tolist(), strict=False)]
    return [key for key in keys if key[1] in seen]


def _rgb(colour: Sequence[int]) -> tuple[int, int, int]:
    red, green, blue = colour
    return red, green, blue

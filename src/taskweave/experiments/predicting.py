"""What trained networks say of pictures: a finished run's predictions, and proposals for networks that look at regions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from taskweave.data.dataset import LabelledSet
from taskweave.data.transforms.augmentation import resize
from taskweave.experiments.bench import Bench
from taskweave.experiments.data import sets_of
from taskweave.experiments.plan import Run, all_runs, entries
from taskweave.experiments.prepare import grid_for
from taskweave.experiments.recipe import Recipe
from taskweave.heads.anchors import proposals_of
from taskweave.heads.layers import AnchorOutputs
from taskweave.images import IMAGENET, ImageStatistics
from taskweave.parts.own_code import trusting_only
from taskweave.results.run_files import RECORD, RunRecord
from taskweave.streams.stream import evaluating
from taskweave.tasks.task import Task
from taskweave.training.checkpoint import open_folder
from taskweave.weaving.connected import Connected


def predict_pictures(
    folder: Path, images: Sequence[Path], out: Path, *, recipe: Path | None = None, allow: Sequence[Path] = ()
) -> list[Path]:
    """Write ``out/<picture>-<task>.png`` for every picture and task of a finished run.

    Pictures are predicted at their own size; a network that looks at regions looks at the grid of its recipe.

    Args:
        folder: The run's.
        images: The pictures.
        out: Where the files go.
        recipe: The recipe that the run is of, for one with code of one's own, which a result's folder may not name.
        allow: Files of code that may be run, instead of `recipe`.

    Returns:
        The files written.

    Raises:
        FileNotFoundError: The folder holds no finished run, or a picture is not there.
        ValueError: A file is no picture, regions are known from a file only, or the code is not allowed or another one.
    """
    stored, tasks, net = network_of(folder, recipe=recipe, allow=allow)
    pictures = [read_picture(path) for path in images]
    open_folder(out)
    written: list[Path] = []
    for path, picture in zip(images, pictures, strict=True):
        for task, value in predicted(net, tasks, stored, picture).items():
            target = out / f"{path.stem}-{task}.png"
            _draw(tasks[task], value, picture, path=target)
            written.append(target)
    return written


@torch.no_grad()
def predicted(net: nn.Module, tasks: dict[str, Task], recipe: Recipe, picture: Tensor) -> dict[str, Any]:
    """{task: prediction} for one picture, RGB uint8 (3, H, W), by a network in eval mode."""
    size = (int(picture.shape[-2]), int(picture.shape[-1]))
    x = recipe.data.image_statistics.normalise(picture[None])
    regions = next(iter(sets_of(recipe.data).values())).regions
    rois = None if regions is None else [grid_for(regions, size).as_subclass(Tensor)]
    outputs = net({name: task.network_input(x, None, rois) for name, task in tasks.items()})
    return {name: tasks[name].decode(output, size)[0] for name, output in outputs.items()}


def network_of(
    folder: Path, *, recipe: Path | None = None, allow: Sequence[Path] = ()
) -> tuple[Recipe, dict[str, Task], nn.Module]:
    """The recipe, the tasks and the network with its weights of a finished run's folder. Arguments: `predict_pictures`."""
    if not (folder / RECORD).is_file():
        raise FileNotFoundError(
            f"{folder} holds no finished run (no {RECORD}); give a folder like results/runs/<hash>; "
            "comparison.json names those of every row"
        )
    if recipe is not None:
        found = Recipe.from_yaml(recipe)
    else:
        with trusting_only(allow):
            found = Recipe.from_yaml(folder / "recipe.yaml")
    run = _run_of(found, folder)
    if run.schedule == "none":
        members = ", ".join(parent.digest for parent in run.parents)
        raise ValueError(f"{folder} is an ensemble, which has no weights of its own; predict with its members: {members}")
    bench = Bench(found)
    counted = any(found.tasks[name].task.fact("reads_train_labels") for name in run.tasks)
    tasks = {name: (bench.tasks if counted else bench.shapes_only)[name] for name in run.tasks}
    net = run.method.build(run, tasks, bench.example())
    run.method.restore(net, run, folder.parent)
    return found, tasks, net.eval()


def _run_of(recipe: Recipe, folder: Path) -> Run:
    """The run of a recipe that a folder holds, found by what it is; not by its hash, in which the machine has a part."""
    stored = _what(RunRecord.model_validate_json((folder / RECORD).read_text(encoding="utf-8")).content)
    found = [run for run in all_runs(entries(recipe)) if _what(run.content) == stored]
    if not found:
        raise ValueError(
            f"the recipe does not give the run that {folder / RECORD} tells of; was it, or code that it names, changed?"
        )
    return found[0]


def _what(content: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in content.items() if key not in ("options", "parents", "format", "start", "data")}


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


@torch.no_grad()
def propose(
    net: Connected,
    dataset: LabelledSet,
    *,
    stream: str = "detection",
    size: tuple[int, int] | None = None,
    count: int = 300,
    nms: float = 0.7,
    statistics: ImageStatistics = IMAGENET,
) -> dict[str, Tensor]:
    """{key: (p, 4) boxes in the pixels of the data set's image, the surest first}, p <= `count`: see `proposals_of`.

    Only the images are looked at, no label: the proposals serve to train and to measure. Store them with
    `taskweave.data.write_proposals`; recipes read them as {kind: file}.

    net: one of its streams ends in a region proposal network (`rpn_vgg16`); others run as far as they are linked to it.
    size: (H, W) into which images are fitted at their own aspect before the network sees them, e.g. that of its training;
        None for their own.
    statistics: how images become its input, as in its training.
    Raises ValueError for a stream that does not propose boxes, as it has no anchors.
    """
    found = {}
    with evaluating(net):
        for index in range(len(dataset)):
            image = dataset[index]["image"]
            height, width = int(image.shape[-2]), int(image.shape[-1])
            seen = (height, width) if size is None else _fitting((height, width), size)
            x = statistics.normalise(resize(image, seen)[None].as_subclass(Tensor))
            output = net(x.to(next(net.parameters()).device), tasks=(stream,))[stream]
            if not isinstance(output, AnchorOutputs):
                raise ValueError(
                    f"stream {stream!r} gives {type(output).__name__}, expected AnchorOutputs, as rpn_vgg16 gives; name "
                    f"the stream of such a network; the streams are {list(net.streams)}"
                )
            (boxes,) = proposals_of(output, seen, count=count, nms=nms)
            scale = torch.tensor([width / seen[1], height / seen[0]]).repeat(2)
            found[dataset.key(index)] = boxes.cpu() * scale
    return found


def _fitting(image: tuple[int, int], size: tuple[int, int]) -> tuple[int, int]:
    """The largest size of `image`'s aspect within `size`."""
    scale = min(size[0] / image[0], size[1] / image[1])
    return max(1, round(image[0] * scale)), max(1, round(image[1] * scale))

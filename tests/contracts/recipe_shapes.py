"""Whether what a network returns has the shape that its task reads: watched while sizes are counted, at no further cost."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from contracts.network_contract import Size, cells
from torch import Tensor
from torch.nn.modules.module import register_module_forward_hook

from taskweave.experiments import bench
from taskweave.tasks import Age, Attributes, BoxRegression, Classification, Detection, RoiDetection
from taskweave.weaving.connected import Connected

STRIDES = (1, 2, 4, 8, 16, 32)
"""Of the dense networks that there are."""

Seen = list[tuple[Any, Any, Size]]
"""(task, output, height and width of the picture)."""


@contextmanager
def outputs_seen() -> Iterator[Seen]:
    """What every network returns whose cost is counted while inside."""
    seen: Seen = []
    tasks: dict[str, Any] = {}
    counted = bench.cost_of

    def cost_of(net: Any, run: Any, recipe: Any, named: Mapping[str, Any], **more: Any) -> Any:
        tasks.update(named)
        return counted(net, run, recipe, named, **more)

    def look(module: Any, given: tuple[Any, ...], outputs: Any) -> None:
        if isinstance(module, Connected):
            for name, output in outputs.items():
                x = given[0][name] if isinstance(given[0], Mapping) else given[0]
                picture = x if isinstance(x, Tensor) else x[0]
                seen.append((tasks[name], output, (picture.shape[-2], picture.shape[-1])))

    handle = register_module_forward_hook(look)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(bench, "cost_of", cost_of)
            yield seen
    finally:
        handle.remove()


def assert_fits(task: Any, output: Any, size: Size) -> None:
    """The output of one picture of `size`: channels, boxes and regions as the task has them, a grid of all of it."""
    match task:
        case Age() | Classification() | BoxRegression():
            assert tuple(output.shape) == (1, task.channels)
        case Detection():
            count = len(output.anchors)
            assert count > 0 and tuple(output.anchors.shape) == (count, 4)
            assert (tuple(output.logits.shape), tuple(output.deltas.shape)) == ((1, count, task.channels), (1, count, 4))
        case RoiDetection():
            regions = sum(len(part) for part in output.rois)
            assert tuple(output.logits.shape) == (regions, task.channels)
            assert tuple(output.deltas.shape) == (regions, 4 * task.channels)
        case Attributes():
            assert tuple(output.logits.shape) == (sum(len(part) for part in output.rois), task.channels)
        case _:
            assert tuple(output.shape[:2]) == (1, task.channels)
            assert tuple(output.shape[2:]) in [cells(size, stride) for stride in STRIDES], (output.shape, size)

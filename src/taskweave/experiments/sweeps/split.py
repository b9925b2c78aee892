"""Where two networks split: a shared trunk up to every stage in turn (cross-stitch paper, section 1.1 and figure 2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import final

import torch

from taskweave.experiments.bench import Bench
from taskweave.experiments.building.plain import build_plain
from taskweave.experiments.choices.method import ConnectingChoice, CrossStitch, Shared, SingleTrainedOn
from taskweave.experiments.choices.network import network_of
from taskweave.experiments.explaining import unknown
from taskweave.experiments.recipe import Recipe
from taskweave.experiments.sweeps.axis import Axis, Sweep, connecting, different, varied
from taskweave.results.swept import Point, Swept
from taskweave.streams.convert import as_stream
from taskweave.streams.stream import Stream
from taskweave.weaving.share import share


@final
class Split(Axis):
    """Shared up to a stage, beside a connected network, which is to make the choice needless."""

    @property
    def name(self) -> str:
        return "split"

    def usual(self, recipe: Recipe, method: str | None) -> tuple[str, ...]:
        return split_points(recipe)

    def of(self, recipe: Recipe, *, values: Sequence[str] = (), method: str | None = None) -> Sweep:
        """values: stages.  method: what stands beside; default cross-stitch. The recipe's own shared row gives the rest."""
        streams = _streams(recipe)
        every, possible = next(iter(streams.values())).stages, _points(streams)
        stages = different(values, self) or possible
        if wrong := next((stage for stage in stages if stage not in every), None):
            raise ValueError(f"sweep split: {unknown(f'stage {wrong!r}', wrong, possible)}")
        template = next((row for row in recipe.methods if isinstance(row, Shared) and row.network is None), None)
        base = (template or Shared(until=stages[0])).model_copy(update={"label": ""})
        rows = [base.model_copy(update={"until": stage}) for stage in stages]
        stitched = connecting(recipe, method, self, kinds=(ConnectingChoice,) if method else (CrossStitch,))
        if stitched.network is not None and method is None:  # of another network than those that split
            stitched = CrossStitch()
        swept = varied(recipe, self, [*rows, stitched])
        trained_on = (row.title for row in swept.rows if isinstance(row, SingleTrainedOn))
        axis = Swept(
            axis=self.name,
            label="last shared stage",
            points=tuple(Point(text=row.until, method=row.title) for row in rows),
            beside=(*trained_on, stitched.title),  # what further training gains without sharing, too
            relative=True,
        )
        return Sweep(swept, axis)


def split_points(recipe: Recipe) -> tuple[str, ...]:
    """The stages after which the networks of all tasks can go their own ways, from the first shared to the last.

    Of stages in a row that share the same parameters (a convolution and its pooling) the last. Not those that would share
    nothing, or leave a task without a layer of its own.
    Raises ValueError where the tasks' networks have no stage in common.
    """
    return _points(_streams(recipe))


def _points(streams: Mapping[str, Stream]) -> tuple[str, ...]:
    alone = sum(_count(stream) for stream in streams.values())
    leader, *others = streams.values()
    found: dict[int, str] = {}
    refused = ""
    for stage in leader.stages:
        try:
            with torch.device("meta"):
                shared = share(streams, until=stage)
        except ValueError as error:
            refused = refused or str(error)
            continue
        trunk = (alone - sum(p.numel() for p in shared.parameters())) // max(1, len(others))
        if 0 < trunk < min(_count(stream) for stream in streams.values()):
            found[trunk] = stage
    if not found:
        why = refused or f"{list(streams)} are too few tasks"
        raise ValueError(
            f"sweep split: the networks of {list(streams)} have no stage that they could share ({why}); "
            "give all tasks one network, or sweep over unit, places, init, lr, start or seeds"
        )
    return tuple(found.values())


def _streams(recipe: Recipe) -> dict[str, Stream]:
    """The single networks of all tasks, from shapes alone."""
    tasks = Bench(recipe).shapes_only
    detection = recipe.tasks.detection
    with torch.device("meta"):
        return {
            name: as_stream(build_plain(network_of(recipe.network, name), task, detection=detection))
            for name, task in tasks.items()
        }


def _count(stream: Stream) -> int:
    return sum(parameter.numel() for parameter in stream.parameters())

"""Sweeps over stages: where two networks split (cross-stitch paper, section 1.1 and figure 2), and where they meet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import final

import torch

from taskweave.experiments.bench import Bench
from taskweave.experiments.methods import Shared
from taskweave.experiments.methods.row import Row
from taskweave.experiments.recipe import Recipe
from taskweave.experiments.sweeps.axis import Axis, Sweep, connecting, different, unit_row, varied
from taskweave.parts import part, unknown
from taskweave.results.comparison import Point, Swept
from taskweave.streams.convert import as_stream
from taskweave.streams.stream import Stream
from taskweave.units.cross_stitch import CrossStitch
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
        template = next((row for row in recipe.methods if row.method.call is Shared and not row.has_networks), None)
        base = template or Row(method=part(Shared, until=stages[0]))
        rows = [base.changed(until=stage, label="") for stage in stages]
        stitched = self._beside(recipe, method)
        made = varied(recipe, self, [*rows, stitched])
        trained_on = (row.title for row in made.rows if row.made.is_control)
        swept = Swept(
            axis=self.name,
            label="last shared stage",
            points=tuple(Point(text=stage, method=row.title) for stage, row in zip(stages, rows, strict=True)),
            beside=(*trained_on, stitched.title),  # what further training gains without sharing, too
            relative=True,
        )
        return Sweep(made, swept)

    def _beside(self, recipe: Recipe, method: str | None) -> Row:
        """The connected row: the named one, else the recipe's cross-stitch of the networks that split, else a plain one."""
        if method is not None:
            return connecting(recipe, method, self)
        own = (row for row in recipe.methods if row.unit is not None and row.unit.call is CrossStitch)
        return next((row for row in own if not row.has_networks), None) or unit_row("cross_stitch")


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
    with torch.device("meta"):
        return {name: as_stream(recipe.network_of(name)(task.channels)) for name, task in tasks.items()}


def _count(stream: Stream) -> int:
    return sum(parameter.numel() for parameter in stream.parameters())


@final
class Places(Axis):
    """`at` of a connected method."""

    @property
    def name(self) -> str:
        return "places"

    def usual(self, recipe: Recipe, method: str | None) -> tuple[str, ...]:
        """Each place of the method alone, then the first two, three, ... and all of them."""
        every = connecting(recipe, method, self).fold_stages(recipe)
        growing = ["+".join(every[: count + 1]) for count in range(1, len(every))]
        return (*every, *growing)

    def of(self, recipe: Recipe, *, values: Sequence[str] = (), method: str | None = None) -> Sweep:
        """values: stages joined by "+", in the order in which they run.  method: any row with units; default the first."""
        base = connecting(recipe, method, self)
        sets = [text.split("+") for text in different(values, self) or self.usual(recipe, method)]
        if wrong := next((stages for stages in sets if "" in stages or len(set(stages)) < len(stages)), None):
            raise ValueError(f"sweep places: --values are stages joined by +, e.g. pool1+pool2; got {'+'.join(wrong)!r}")
        rows = [base.changed(at=tuple(stages), label=f"{base.title} at {' + '.join(stages)}") for stages in sets]
        swept = Swept(
            axis=self.name,
            label=f"{base.title}: places where streams meet",
            points=tuple(Point(text=_short(stages), method=row.title) for stages, row in zip(sets, rows, strict=True)),
        )
        return Sweep(varied(recipe, self, rows), swept)


def _short(stages: Sequence[str]) -> str:
    """The first and the last of many, since charts have little room."""
    return " + ".join(stages) if len(stages) < 3 else f"{stages[0]} ... {stages[-1]} ({len(stages)})"

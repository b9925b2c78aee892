"""Single networks that meet through units."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from annotated_types import Gt
from torch import Tensor

from taskweave.experiments.methods.method import Method
from taskweave.experiments.methods.single import shortcut_title, single_run
from taskweave.experiments.methods.streams import example_inputs, streams_of, usual_stages
from taskweave.experiments.plan import Run, first_of
from taskweave.experiments.starts.start import Start
from taskweave.parts import Part, made_by, part, snake_case
from taskweave.tasks.task import Task
from taskweave.training import TrainingOptions
from taskweave.units.gathering import LayerMixing
from taskweave.units.unit import Unit
from taskweave.weaving import connect
from taskweave.weaving.connected import Connected as ConnectedNetwork

if TYPE_CHECKING:
    from taskweave.experiments.methods.row import Row
    from taskweave.experiments.recipe import Recipe


class Connected(Method):
    """Single networks that meet through units: cross-stitch, NDDR, cross-connected, sluice, or a unit of one's own.

    Args:
        unit: What exchanges the features; its name may be written where a method is expected.
        at: Stages where the streams meet, in order; () for the recipe's, or the networks' usual ones.
        rate: How many times the base rate the connections learn at; None for the unit's own (SGD) or 1 (Adam).
        start: None for the stored single networks, fine-tuned. Otherwise the streams begin so and are trained jointly.
        layer_mixing: Mix the features of all stages before the head (the sluice's beta); None: as the unit's paper has it.
        shortcut: A unit that gathers the fused features of several stages in front of the head (NDDR-CNN, section 4.4).
        shortcut_at: The stages that it gathers: those where the streams meet, and only to be said for the single networks.
    """

    def __init__(
        self,
        *,
        unit: Part[Unit],
        at: tuple[str, ...] = (),
        rate: Annotated[float, Gt(0)] | None = None,
        start: Part[Start] | None = None,
        layer_mixing: bool | None = None,
        shortcut: Part[Unit] | None = None,
        shortcut_at: tuple[str, ...] = (),
    ) -> None:
        self.unit = unit
        self.at = at
        self.rate = rate
        self.begin = start
        self.layer_mixing = bool(unit.fact("mixes_layers")) if layer_mixing is None else layer_mixing
        self.shortcut = shortcut
        self.shortcut_at = shortcut_at

    @property
    def title(self) -> str:
        return self.unit.title + shortcut_title(self.shortcut)

    @property
    def fine_tunes(self) -> bool:
        return self.begin is None

    def runs(self, row: Row, recipe: Recipe, seed: int) -> tuple[Run, ...]:
        tasks = tuple(recipe.tasks)
        if self.begin is not None:
            begun = recipe.model_copy(update={"start": self.begin})
            return (Run(begun, row, "joint", tasks, tasks, seed, first_of(begun)),)
        return (Run(recipe, row, "connected", tasks, tasks, seed, self.singles(recipe, seed)),)

    def singles(self, recipe: Recipe, seed: int) -> tuple[Run, ...]:
        """The single networks that it starts from, with its shortcut, which gathers where its streams meet."""
        at = self.shortcut_at or (() if self.at in ((), recipe.at) else self.at)
        with_shortcut: dict[str, Any] = {} if self.shortcut is None else {"shortcut": self.shortcut, "shortcut_at": at}
        return tuple(single_run(recipe, task, seed, **with_shortcut) for task in recipe.tasks)

    def build(self, run: Run, tasks: Mapping[str, Task], example: Tensor) -> ConnectedNetwork:
        return connect(
            streams_of(run, tasks),
            at=self.stages(run.recipe),
            unit=self.unit,
            example=example_inputs(run, tasks, example),
            gather=self._gathering,
            prove=False,  # the networks' own tests prove every stream; here it would cost a forward pass per stream and run
        )

    @property
    def _gathering(self) -> tuple[Part[Unit], ...]:
        # ResNets and VGG widen from stage to stage: layers mix only if their channels are brought to the last one's
        mixing: tuple[Part[Unit], ...] = (part(LayerMixing, project=True),) if self.layer_mixing else ()
        return mixing if self.shortcut is None else (*mixing, self.shortcut)

    def options(self, options: TrainingOptions) -> TrainingOptions:
        """Only the unit is sped up: a shortcut and layer mixing keep the base rate."""
        if self.rate is None:
            return options
        meets = snake_case((made_by(self.unit.call) or Unit).__name__)
        rates = {"shortcut": 1.0, "layer_mixing": 1.0, meets: self.rate}
        return options.model_copy(update={"connection_lr": rates})

    def stages(self, recipe: Recipe) -> tuple[str, ...]:
        return self.at or recipe.at or usual_stages(recipe, recipe.tasks)

    def require_fit(self, row: Row, recipe: Recipe) -> None:
        meets = self.at or recipe.at
        if self.shortcut_at and self.shortcut_at != meets:
            raise ValueError(
                f"{row.title!r} gathers at {list(self.shortcut_at)}, but its streams meet at "
                f"{list(meets) or 'the usual stages of its networks'}: a connected network's shortcut gathers where its "
                "streams meet; leave `shortcut_at` out"
            )

    def parts(self) -> Iterator[tuple[str, Any]]:
        if self.rate is not None:
            yield "rate of units", f"{self.title} x {self.rate:g}"

"""An experiment as data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, final

from pydantic import (
    BeforeValidator,
    Field,
    ModelWrapValidatorHandler,
    PositiveInt,
    ValidationError,
    field_validator,
    model_validator,
)
from torch import nn

from taskweave.experiments import rooms as rooms  # where short names are looked up
from taskweave.experiments.agreement import check_all
from taskweave.experiments.config import Setting
from taskweave.experiments.data import FurtherTest, MixtureOf, Source
from taskweave.experiments.explaining import explain
from taskweave.experiments.fingerprint import digest_of
from taskweave.experiments.methods import Single, SingleTrainedOn
from taskweave.experiments.methods.method import Method
from taskweave.experiments.methods.row import Row
from taskweave.experiments.starts.scratch import scratch
from taskweave.experiments.starts.start import Start
from taskweave.experiments.tasks import TaskEntry, named
from taskweave.parts import Part, part, paths_from
from taskweave.results.comparison import Printed
from taskweave.training import TrainingOptions


@final
class Training(Setting):
    """How networks are trained, by what they are.

    With a mixture of data sets a step reads a batch of one of them. So that every method sees as many images per task, a
    network that is trained on some of the sets only, or alone, is given `connected`'s steps times the share of turns that
    these sets have; see `Run.options`.
    """

    single: TrainingOptions = TrainingOptions(steps=1000)
    """Every single-task network."""
    single_steps: dict[str, PositiveInt] = Field(default_factory=dict)
    """{task: steps} of single networks that are trained for another number of steps than `single` says."""
    connected: TrainingOptions = TrainingOptions(steps=500)
    """The fine-tuning of connected networks; `single, trained on` gets as many further steps of `single`'s kind."""
    joint: TrainingOptions | None = None
    """Networks trained jointly from the start (hard sharing, shared latent); None: as `connected`, for the steps of
    `single` and `connected` together, so that every method sees as many images per task."""

    def of_single(self, task: str) -> TrainingOptions:
        """How a task's single network is trained."""
        steps = self.single_steps.get(task)
        return self.single if steps is None else self.single.model_copy(update={"steps": steps})

    @property
    def of_joint(self) -> TrainingOptions:
        if self.joint is not None:
            return self.joint
        return self.connected.model_copy(update={"steps": self.single.steps + self.connected.steps})

    @property
    def of_trained_on(self) -> TrainingOptions:
        """Single's own options, for connected's steps and with its optimiser, schedule and batch."""
        c = self.connected
        return self.single.model_copy(
            update={"steps": c.steps, "batch_size": c.batch_size, "optimizer": c.optimizer, "schedule": c.schedule}
        )

    def options(self, schedule: str, task: str) -> TrainingOptions | None:
        """What a schedule's name says; None for "none", which trains nothing."""
        by_name = {"trained_on": self.of_trained_on, "joint": self.of_joint, "connected": self.connected}
        return self.of_single(task) if schedule == "single" else by_name.get(schedule)

    def determining(self) -> dict[str, Any]:
        """What of it changes a result, as JSON."""
        return {
            "single": self.single.determining(),
            "connected": self.connected.determining(),
            "joint": None if self.joint is None else self.joint.determining(),
            "single_steps": dict(self.single_steps),
        }


@final
class Evaluation(Setting):
    """How the test part is read."""

    batch_size: int = Field(default=8, ge=1)
    pictures: int = Field(default=4, ge=0)
    """How many test images are drawn beside their targets and predictions."""
    also_on: tuple[Literal["train", "validation"], ...] = ()
    """Parts that are measured beside the test, in columns of their own: what was learned by heart, what was chosen by."""


def _a_list(given: Any) -> Any:
    if isinstance(given, str | Mapping) or not hasattr(given, "__iter__"):
        raise ValueError(f"methods is a list, got {given!r}")
    return tuple(given)


@final
class Recipe(Setting):
    """Data, tasks, networks, methods, training and seeds of one comparison.

    Raises:
        ValueError: An unknown key (with the nearest valid one), an unknown part (with the list of parts), an invalid
            option, two methods of one label, or parts that do not fit each other.
    """

    name: Annotated[str, Field(min_length=1)] = "comparison"
    data: Source | MixtureOf
    tasks: Annotated[dict[str, TaskEntry], BeforeValidator(named), Field(min_length=1)]
    """By name; a task named as its part need not say `use`."""
    network: Part[nn.Module] | None = None
    """What is built for every task that `networks` does not name."""
    networks: dict[str, Part[nn.Module]] = Field(default_factory=dict)
    """By task."""
    start: Part[Start] = part(scratch)
    """What fresh networks begin with."""
    methods: Annotated[tuple[Row, ...], BeforeValidator(_a_list)] = ()
    """Single networks are always trained and are the first row: the baseline."""
    single_trained_on: bool = True
    """Also give the row `single, trained on` wherever a method fine-tunes: a gain may be mere training time."""
    at: tuple[str, ...] = ()
    """Stages where streams meet unless a method says otherwise; () for the networks' usual ones."""
    training: Training = Training()
    seeds: Annotated[tuple[int, ...], Field(min_length=1)] = (0,)
    further_tests: dict[str, FurtherTest] = Field(default_factory=dict)
    """Tests on other data, by name; each gives the table columns of its own, which do not count in the average gain."""
    evaluation: Evaluation = Evaluation()
    notes: str = ""
    """What a reader should know; changes no result and no hash."""
    printed: Printed | None = None
    """What a paper prints for these methods, to stand beside the results; changes no result and no hash."""

    @model_validator(mode="wrap")
    @classmethod
    def _explained(cls, given: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(given)
        except ValidationError as error:
            raise ValueError(explain(error, cls)) from error

    @field_validator("data", mode="before")
    @classmethod
    def _one_or_several(cls, given: Any) -> Any:
        """A mixture has `sets`, one data set `use`; told apart here, so that a fault is told of the one that is meant."""
        if isinstance(given, Source | MixtureOf):
            return given
        if isinstance(given, Mapping) and "sets" in given and "use" not in given:
            return MixtureOf.model_validate(given)
        return Source.model_validate(given)

    @field_validator("name")
    @classmethod
    def _fit_for_a_folder(cls, value: str) -> str:
        if value == "runs" or not any(letter.isalnum() for letter in value):
            raise ValueError(f"a recipe's name is the folder of its results beside runs/, so it cannot be {value!r}")
        return value

    @field_validator("seeds", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, range) else value

    @field_validator("seeds")
    @classmethod
    def _different(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(value)) < len(value):
            raise ValueError(f"seeds must differ, got {list(value)}")
        return value

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        check_all(self)
        return self

    @property
    def _has_networks(self) -> bool:
        return self.network is not None or set(self.tasks) <= set(self.networks)

    def network_of(self, task: str) -> Part[nn.Module]:
        """The network that a task has.

        Raises:
            ValueError: There is none.
        """
        found = self.networks.get(task, self.network)
        if found is None:
            raise ValueError(f"the task {task!r} has no network: give `network`, or `networks: {{{task}: ...}}`")
        return found

    def row(self, method: Part[Method], **beside: Any) -> Row:
        """A row of a method that this recipe does not name itself."""
        return Row(method=method, **beside)

    @property
    def rows(self) -> tuple[Row, ...]:
        """The methods in the order of the table: single first, then single trained on, then the rest."""
        rows = list(self.methods)
        given = all(self.network_of(task).fact("as_given") for task in self.tasks) if self._has_networks else False
        usual = self.row(part(Single), label="as given" if given else "")
        single = next((r for r in rows if r.made.is_baseline and not r.has_networks), usual)
        on = [r for r in rows if r.made.is_control]
        if not on and self.single_trained_on and any(r.made.fine_tunes for r in rows):
            like = {name: single.method.options[name] for name in ("shortcut",)}
            on = [self.row(part(SingleTrainedOn, **like))]
        return (single, *on, *(r for r in rows if r is not single and not r.made.is_control))

    def digest(self) -> str:
        """A hash of all that determines the results: not of name, notes, printed numbers, pictures, logs, checkpoints."""
        content = self.identity(without={"name", "notes", "printed", "training", "evaluation"})
        content["evaluation"] = self.evaluation.identity(without={"pictures"})
        return digest_of({**content, "training": self.training.determining()})

    def to_yaml(self) -> str:
        """The resolved recipe, every field written out."""
        import yaml

        return str(yaml.safe_dump(self.dump(), sort_keys=False))

    @classmethod
    def from_yaml(cls, path: Path) -> Recipe:
        """Read a recipe; the paths of code in it count from its folder.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: Anything is wrong in it; the message names the file.
        """
        import yaml

        try:
            content = yaml.safe_load(path.read_text())
        except yaml.YAMLError as error:
            raise ValueError(f"{path} is not YAML: {error}") from error
        if not isinstance(content, dict):
            raise ValueError(f"{path} should hold the keys {list(cls.model_fields)}, got a {type(content).__name__}")
        with paths_from(path.resolve().parent):
            return read(content, str(path))


def read(content: Mapping[str, Any], where: str) -> Recipe:
    """A recipe from plain data. Raises ValueError with one plain message that begins with `where`."""
    try:
        return Recipe.model_validate(content)
    except ValidationError as error:
        raise ValueError(f"{where}: {plain(error)}") from error


def plain(error: ValidationError) -> str:
    """What a recipe's validation says, without pydantic's frame."""
    return "; ".join(str(detail["msg"]).removeprefix("Value error, ") for detail in error.errors())

"""An experiment as data."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, final

from pydantic import Field, ModelWrapValidatorHandler, PositiveInt, ValidationError, field_validator, model_validator

import taskweave.experiments.rooms  # noqa: F401 - so that short names of parts are known
from taskweave.experiments.choices.agreement import (
    check_detection,
    check_labels,
    check_networks,
    check_only,
    check_regions,
    check_shortcuts,
    check_weightings,
)
from taskweave.experiments.choices.choice import Choice
from taskweave.experiments.choices.method import (
    ConnectedTrainedOnOneTask,
    ConnectingChoice,
    Method,
    Single,
    SingleTrainedOn,
)
from taskweave.experiments.choices.methodchoice import MethodChoice
from taskweave.experiments.choices.mixture import Data, FurtherTest, sets_of
from taskweave.experiments.choices.network import Network
from taskweave.experiments.choices.pets import check_batch_statistics, check_branches
from taskweave.experiments.choices.printed import Printed
from taskweave.experiments.choices.start import Scratch, Start
from taskweave.experiments.choices.task import Tasks
from taskweave.experiments.explaining import explain
from taskweave.training.options import TrainingOptions


@final
class Training(Choice):
    """How networks are trained, by what they are.

    With a mixture of data sets a step reads a batch of one of them. So that every method sees as many images per task, a
    network that is trained on some of the sets only, or alone, is given `connected`'s steps times the share of turns that
    these sets have; see `Run.options`.
    """

    single: TrainingOptions
    """Every single-task network."""
    single_steps: dict[str, PositiveInt] = Field(default_factory=dict)
    """{task: steps} of single networks that are trained for another number of steps than `single` says."""
    connected: TrainingOptions
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


@final
class Evaluation(Choice):
    """How the test part is read."""

    added: ClassVar[frozenset[str]] = frozenset({"also_on"})

    batch_size: int = Field(default=8, ge=1)
    pictures: int = Field(default=4, ge=0)
    """How many test images are drawn beside their targets and predictions."""
    also_on: tuple[Literal["train", "validation"], ...] = ()
    """Parts that are measured beside the test, in columns of their own: what was learned by heart, what was chosen by."""


@final
class Recipe(Choice):
    """Data, tasks, network, methods, training and seeds of one comparison.

    Raises ValueError for an unknown key (with the nearest valid one), an unknown choice (with the list of choices), two
    methods of one label.
    """

    added: ClassVar[frozenset[str]] = frozenset({"further_tests"})

    name: Annotated[str, Field(min_length=1)]
    data: Data
    tasks: Tasks
    network: Network
    start: Start = Scratch()
    methods: tuple[Method, ...]
    """Single networks are always trained and are the first row: the baseline."""
    single_trained_on: bool = True
    """Also give the row `single, trained on` wherever a method fine-tunes: a gain may be mere training time."""
    places: tuple[str, ...] = ()
    """Where streams meet unless a method says otherwise; () for the network's usual places."""
    training: Training
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

    @field_validator("name")
    @classmethod
    def _fit_for_a_folder(cls, value: str) -> str:
        if value == "runs" or not any(letter.isalnum() for letter in value):
            raise ValueError(f"a recipe's name is the folder of its results beside runs/, so it cannot be {value!r}")
        return value

    @field_validator("seeds")
    @classmethod
    def _different(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(value)) < len(value):
            raise ValueError(f"seeds must differ, got {list(value)}")
        return value

    @model_validator(mode="after")
    def _unique_labels(self) -> Self:
        titles = [method.title for method in self.rows]
        twice = sorted({title for title in titles if titles.count(title) > 1})
        if twice:
            raise ValueError(f"two methods are called {twice}; give them different labels (`label: ...`)")
        return self

    @model_validator(mode="after")
    def _validated(self) -> Self:
        t = self.training
        options = {"single": t.single, "connected": t.connected, "joint": t.of_joint}
        best = [name for name, how in options.items() if how.choose == "best"]
        if best and any(not one.has_validation for one in sets_of(self.data).values()):
            raise ValueError(
                f"training.{best[0]}.choose is 'best', which needs a validation part: set data.validation_share to e.g. 0.1"
            )
        return self

    @model_validator(mode="after")
    def _measured_parts(self) -> Self:
        parts = self.evaluation.also_on
        without = [name for name, one in sets_of(self.data).items() if not one.has_validation]
        if "validation" in parts and without:
            raise ValueError(
                f"evaluation.also_on names the validation part, which {without} have not: set validation_share to e.g. 0.1"
            )
        return self

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        tasks = list(self.tasks.chosen)
        if unknown := [task for task in self.training.single_steps if task not in tasks]:
            raise ValueError(f"training.single_steps names {unknown}, no tasks of this recipe, whose tasks are {tasks}")
        check_labels(tasks, self.data, self.further_tests)
        for network in (self.network, *(method.network for method in self.methods if method.network is not None)):
            check_networks(tasks, network)
            check_detection(self.tasks.detection, network)
            check_regions(tasks, network, self.data, self.further_tests)
        check_shortcuts(self.methods, self.places)
        check_only(self.methods, tasks)
        check_weightings(self.methods, tasks)
        check_branches(self.methods, tasks)
        sets = {**sets_of(self.data), **{name: test.data for name, test in self.further_tests.items()}}
        check_batch_statistics(self.methods, self.network, tasks, {name: one.picture_size for name, one in sets.items()})
        return self

    @property
    def rows(self) -> tuple[Method, ...]:
        """The methods in the order of the table: single first, then single trained on, then the rest."""
        methods = list(self.methods)
        single = next((m for m in methods if isinstance(m, Single) and m.network is None), Single())
        on = [m for m in methods if isinstance(m, SingleTrainedOn)]
        tuned = any(
            isinstance(m, ConnectedTrainedOnOneTask) or (isinstance(m, ConnectingChoice) and m.start is None)
            for m in methods
        )
        if not on and tuned and self.single_trained_on:
            on = [SingleTrainedOn(shortcut=single.shortcut)]
        return (single, *on, *(m for m in methods if m is not single and not isinstance(m, SingleTrainedOn)))

    def digest(self) -> str:
        """A hash of all that determines the results: not of name, notes, printed numbers, pictures, logs, checkpoints."""
        content = self.determining(without={"name", "notes", "printed", "training"})
        del content["evaluation"]["pictures"]
        t = self.training
        content["training"] = {
            "single": t.single.determining(),
            "connected": t.connected.determining(),
            "joint": None if t.joint is None else t.joint.determining(),
            **({"single_steps": t.single_steps} if t.single_steps else {}),
        }
        return digest_of(content)

    def to_yaml(self) -> str:
        """The resolved recipe, every field written out."""
        import yaml

        return str(yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False))

    @classmethod
    def from_yaml(cls, path: Path) -> Recipe:
        """Read a recipe. Raises FileNotFoundError, or ValueError that names the file for anything wrong in it."""
        import yaml

        try:
            content = yaml.safe_load(path.read_text())
        except yaml.YAMLError as error:
            raise ValueError(f"{path} is not YAML: {error}") from error
        if not isinstance(content, dict):
            raise ValueError(f"{path} should hold the keys {list(cls.model_fields)}, got a {type(content).__name__}")
        return read(content, str(path))


def read(content: dict[str, Any], where: str) -> Recipe:
    """A recipe from plain data. Raises ValueError with one plain message that begins with `where`."""
    try:
        return Recipe.model_validate(content)
    except ValidationError as error:
        raise ValueError(f"{where}: {plain(error)}") from error


def plain(error: ValidationError) -> str:
    """What a recipe's validation says, without pydantic's frame."""
    return "; ".join(str(detail["msg"]).removeprefix("Value error, ") for detail in error.errors())


def digest_of(content: Any) -> str:
    """The first 16 hex digits of SHA-256 over canonical JSON."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def usual_places(method: MethodChoice, recipe: Recipe) -> tuple[str, ...]:
    """Where a method's streams meet; () for the network's usual places."""
    own = method.places if isinstance(method, ConnectingChoice) else ()
    return own or recipe.places

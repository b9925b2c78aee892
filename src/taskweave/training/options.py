"""What determines a training, as data: typed, validated, hashable."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any, Literal, final

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveInt,
    field_validator,
    model_validator,
)
from torch.optim import Optimizer

from taskweave.parts import Part, part
from taskweave.training.optimizers import Schedule, constant, sgd

PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Settings(BaseModel):
    """Frozen settings that refuse keys they do not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@final
class WeightDecay(Settings):
    """Weight decay by role, in torch's convention (decay * w is added to the gradient); one number sets all three roles.

    Args:
        connections: Applies only to units whose published method decays its weights (`Unit.decays`).
        norms_and_biases: Whether parameters with one axis (norms, biases, scales) of streams and heads decay too.
    """

    streams: NonNegativeFloat = 0.0
    heads: NonNegativeFloat = 0.0
    connections: NonNegativeFloat = 0.0
    norms_and_biases: bool = False

    @model_validator(mode="before")
    @classmethod
    def _one_number(cls, given: Any) -> Any:
        if isinstance(given, str):  # YAML reads 5e-4 as text: for it a number has a point
            with suppress(ValueError):
                given = float(given)
        return dict.fromkeys(("streams", "heads", "connections"), given) if isinstance(given, int | float) else given


@final
class Freeze(Settings):
    """For how many of the first steps the parameters of a role stay as they are (their batch norms' statistics too)."""

    streams: NonNegativeInt = 0
    heads: NonNegativeInt = 0
    connections: NonNegativeInt = 0


@final
class TrainingOptions(Settings):
    """How a network is trained. Learning rates are multiples of the optimiser's `lr`, at every step of the schedule.

    Args:
        steps: Optimiser steps, each on `batch_size` * `accumulate` samples.
        batch_size: Samples of a batch.
        optimizer: `sgd`, `adam`, `adamw`, or one of your own with an option `lr`, the base rate.
        schedule: `constant`, `poly`, `step`, `cosine`, or one of your own.
        accumulate: Batches of a step.
        clip: Largest norm of all gradients together; None for no limit.
        ema: Decay of the exponential moving average of the weights, which is then validated and kept. At step s the decay
            is at most (1 + s) / (10 + s), so that the average forgets the start.
        connection_lr: Multiple for the connections: one number for all, or one for each kind of unit by its class's name,
            e.g. ``{"cross_stitch": 1000}``; a subclass without one has that of the class it extends. Units that are not
            named, and all if None, have their own (`Unit.sgd_lr_multiplier`) under SGD, else 1.
        last_layer_lr: Multiple for the weights of the last layers (`Stream.head`); 10 in NDDR's protocol.
        bias_lr: Multiple for the biases of the last layers; 20 in NDDR's protocol. None: as their weights.
        weight_decay: One number, or one for each role; see `WeightDecay`.
        freeze: How many first steps each role stays frozen; see `Freeze`.
        batch_norm: Which statistics batch norms keep: "shared", one set for all data; "per_data_set", one for each data set
            of a `taskweave.data.Mixture`, not averaged by `ema`; "frozen", those that the network comes with.
        precision: "32", or "bf16" for autocast with float32 weights; "auto": what this machine computes fastest.
        memory_format: Of images and convolutions; "auto": channels_last.
        device: "auto": CUDA if there is a device.
        choose: Which weights are kept and which metrics are reported: "last"; "best", the best on the validation data (see
            `taskweave.training.validation.gain`); "mean_last", the last weights, and each metric's mean over the last
            `mean_over` validations, which are then the only ones made (MTAN's protocol).
        mean_over: Validations that "mean_last" averages.
        validate_every: Steps between validations. None: once per epoch.
        log_every: Steps between rows of the log. Changes no result.
        checkpoint_every: Steps between checkpoints; None for none by steps. Changes no result.
        checkpoint_seconds: Seconds between checkpoints; None for none by time. Changes no result.
        monitor_every: Steps between two comparisons of the tasks' gradients when a comparison watches for negative transfer
            (`Monitor`); 0 for none. Changes no result.
        workers: Processes that load data. Changes no result.
        tensorboard: Also write TensorBoard logs.
    """

    steps: PositiveInt
    batch_size: PositiveInt = 8
    optimizer: Part[Optimizer] = part(sgd)
    schedule: Part[Schedule] = part(constant)
    accumulate: PositiveInt = 1
    clip: PositiveFloat | None = None
    ema: Annotated[float, Field(gt=0, lt=1)] | None = None
    connection_lr: PositiveFloat | dict[str, PositiveFloat] | None = None
    last_layer_lr: PositiveFloat = 1.0
    bias_lr: PositiveFloat | None = None
    weight_decay: WeightDecay = WeightDecay()
    freeze: Freeze = Freeze()
    batch_norm: Literal["shared", "per_data_set", "frozen"] = "shared"
    precision: Literal["auto", "32", "bf16"] = "auto"
    memory_format: Literal["auto", "channels_last", "contiguous"] = "auto"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    choose: Literal["last", "best", "mean_last"] = "last"
    mean_over: PositiveInt = 10
    validate_every: PositiveInt | None = None
    log_every: PositiveInt = 20
    checkpoint_every: PositiveInt | None = None
    checkpoint_seconds: PositiveFloat | None = 300.0
    monitor_every: NonNegativeInt = 50
    workers: NonNegativeInt = 0
    tensorboard: bool = False

    @field_validator("optimizer")
    @classmethod
    def _has_a_rate(cls, value: Part[Optimizer]) -> Part[Optimizer]:
        if "lr" not in value.options:
            raise ValueError(
                f"{value.name} has no option `lr`, which is the base rate of every group; it has {[*value.options]}"
            )
        return value

    @property
    def lr(self) -> float:
        """The base rate, before multiples and schedule."""
        return float(self.optimizer.options["lr"])

    def determining(self) -> dict[str, JsonValue]:
        """The fields that change the trained weights or the reported metrics, as JSON values: what a run is known by.

        Settle "auto" first, see `taskweave.training.speed.settle`.
        """
        unimportant = {"log_every", "checkpoint_every", "checkpoint_seconds", "monitor_every", "workers", "tensorboard"}
        if self.batch_norm == "shared":
            unimportant.add("batch_norm")  # so that trainings from before there was a choice are still known
        parts = {"optimizer": self.optimizer.identity(), "schedule": self.schedule.identity()}
        return {**self.model_dump(mode="json", exclude=unimportant), **parts}

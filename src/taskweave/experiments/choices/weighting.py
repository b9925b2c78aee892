"""How the losses of a network's tasks are weighed."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, Self, final

from pydantic import Field, model_validator

from taskweave.experiments.choices.choice import Choice

Above0 = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
TaskWeights = dict[str, Above0]


class OneWeighting(Choice):
    """What every weighting states. It takes the place of the tasks' own weights, which are then not read."""

    added: ClassVar[frozenset[str]] = frozenset({"drop_below"})

    drop_below: TaskWeights = Field(default_factory=dict)
    """{task: threshold}: a loss below it is left out of that step's total (the pet paper's code)."""

    @property
    @abstractmethod
    def title(self) -> str:
        """What a table calls it."""

    @property
    def named(self) -> Sequence[str]:
        """The tasks that it names."""
        return ()


@final
class FixedWeights(OneWeighting):
    """sum_t w_t L_t, as the tasks' own weights, but of this method alone. Not named: 1."""

    kind: Literal["fixed"] = "fixed"
    weights: TaskWeights = Field(default_factory=dict)

    @property
    def title(self) -> str:
        return "weights " + (", ".join(f"{task} {weight:g}" for task, weight in self.weights.items()) or "1")

    @property
    def named(self) -> Sequence[str]:
        return list(self.weights)


@final
class DynamicWeightAverage(OneWeighting):
    """DWA: by the ratio of the last two epochs' mean losses (MTAN; the pet paper)."""

    kind: Literal["dwa"] = "dwa"
    temperature: Above0 = 2.0
    pre_weights: TaskWeights = Field(default_factory=dict)
    """Factors beforehand, and the weights until there is a ratio; 1 for a task that is not named."""
    every: Literal["epoch", "iteration"] = "epoch"
    """iteration: ratios of the last two steps of one epoch, as the pet paper's code."""

    @property
    def title(self) -> str:
        return "DWA" + (" per iteration" if self.every == "iteration" else "")

    @property
    def named(self) -> Sequence[str]:
        return list(self.pre_weights)


@final
class Uncertainty(OneWeighting):
    """Learned log variances (Kendall, Gal and Cipolla)."""

    kind: Literal["uncertainty"] = "uncertainty"
    forms: Literal["by_task", "regression"] = "by_task"
    """by_task: depth, regressed normals and boxes as regression, the rest as classification; regression: all, as MTAN's
    code."""
    initial: float = Field(default=-0.5, ge=-10.0, le=10.0)
    learning_rate: Above0 | None = None
    """Before the schedule's factor; None for the network's."""

    @property
    def title(self) -> str:
        return "uncertainty"


@final
class GeometricMean(OneWeighting):
    """GLS: the geometric mean of the losses."""

    kind: Literal["geometric_mean"] = "geometric_mean"

    @property
    def title(self) -> str:
        return "geometric mean"


@final
class VarianceRatio(OneWeighting):
    """MT-UNet's eq. 5; see `taskweave.weighting.VarianceRatio`."""

    kind: Literal["variance_ratio"] = "variance_ratio"
    learning_rate: Above0 = 1e-3
    window: int = Field(default=5, ge=1)
    """Epochs; the paper does not say how many."""
    variance_of: Literal["iterations", "epochs"] = "iterations"
    """iterations: the mean over the window of the variance within an epoch; epochs: of the epochs' means."""
    eps: Above0 = 1e-8
    floor: float = Field(default=0.01, ge=0.0, lt=1.0)
    """The least that a learned W can be; all start at 1."""
    optimizer: Literal["adam", "sgd"] = "adam"
    literal: bool = False
    """As printed, with nothing that keeps weights positive or finite."""

    @property
    def title(self) -> str:
        return "eq. 5" + (" as printed" if self.literal else "")


Aggregator = Literal[
    "upgrad", "mgda", "pcgrad", "cagrad", "nash_mtl", "imtl_g", "aligned_mtl", "gradvac", "fairgrad", "dualproj", "config",
    "graddrop", "mean", "sum",
]  # fmt: skip


@final
class GradientAggregation(OneWeighting):
    """The tasks' gradients combined by TorchJD (``pip install taskweave[aggregation]``)."""

    kind: Literal["aggregation"] = "aggregation"
    aggregator: Aggregator = "upgrad"
    over: Literal["shared", "all"] = "shared"
    """The parameters that several tasks reach, or all."""
    cagrad_c: float = Field(default=0.4, ge=0.0, lt=1.0)
    """CAGrad's c: how far from the mean gradient it may go."""
    fairgrad_alpha: float = Field(default=2.0, ge=0.0)
    """FairGrad's alpha."""
    gradvac_beta: float = Field(default=0.5, ge=0.0, le=1.0)
    """GradVac's decay of its goals."""
    nash_mtl_max_norm: float = Field(default=1.0, ge=0.0)
    """The largest norm of Nash-MTL's gradient; 0 for no limit."""

    @model_validator(mode="after")
    def _drops_nothing(self) -> Self:
        if self.drop_below:
            raise ValueError("aggregation combines gradients and drops no losses; leave `drop_below` out")
        return self

    @property
    def title(self) -> str:
        words = {"upgrad": "UPGrad", "mgda": "MGDA", "pcgrad": "PCGrad", "cagrad": "CAGrad", "nash_mtl": "Nash-MTL"}
        words |= {"imtl_g": "IMTL-G", "aligned_mtl": "Aligned-MTL", "gradvac": "GradVac", "fairgrad": "FairGrad"}
        words |= {"dualproj": "DualProj", "config": "ConFIG", "graddrop": "GradDrop"}
        return words.get(self.aggregator, f"{self.aggregator} of gradients")


WeightingChoice = Annotated[
    FixedWeights | DynamicWeightAverage | Uncertainty | GeometricMean | VarianceRatio | GradientAggregation,
    Field(discriminator="kind"),
]

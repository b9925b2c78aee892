"""Combining the tasks' gradients with TorchJD's aggregators."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Annotated, Any, Literal, final

import numpy as np
import torch
from annotated_types import Ge, Le, Lt
from torch import Tensor, nn

from taskweave.weighting.weighting import GradientWeighting, Tasks, sum_of

if TYPE_CHECKING:
    from torchjd.aggregation import Aggregator, GradVac, NashMTL

MISSING = "needs TorchJD and its solvers: pip install taskweave[aggregation]"
Over = Literal["shared", "all"]
Name = Literal[
    "upgrad", "mgda", "pcgrad", "cagrad", "nash_mtl", "imtl_g", "aligned_mtl", "gradvac", "fairgrad", "dualproj", "config",
    "graddrop", "mean", "sum",
]  # fmt: skip
_CLASSES: dict[str, str] = {
    "upgrad": "UPGrad", "mgda": "MGDA", "pcgrad": "PCGrad", "cagrad": "CAGrad", "nash_mtl": "NashMTL", "imtl_g": "IMTLG",
    "aligned_mtl": "AlignedMTL", "gradvac": "GradVac", "fairgrad": "FairGrad", "dualproj": "DualProj", "config": "ConFIG",
    "graddrop": "GradDrop", "mean": "Mean", "sum": "Sum",
}  # fmt: skip
_TITLES = {"nash_mtl": "Nash-MTL", "imtl_g": "IMTL-G", "aligned_mtl": "Aligned-MTL"}
_TITLES |= {name: f"{name} of gradients" for name in ("mean", "sum")}


@final
class GradientAggregation(GradientWeighting):
    """Combine the tasks' gradients over shared parameters with a TorchJD aggregator: UPGrad, MGDA, PCGrad ...

    Most aggregators weigh the gradients (`weights` then tells the last step's factors); ConFIG and GradDrop do not and have
    none to tell. `GradientAggregation.of` takes any other aggregator of TorchJD.

    With accumulated batches the gradients are those of the whole step: data sets that label one task each meet there. A
    step with one task follows that task's gradient, whatever the aggregator. It costs a backward pass for each task, and
    memory for each task's gradient.

    **Deviation**: a task whose gradient is 0 everywhere is left out of its step; min-norm methods would else return 0.

    Args:
        aggregator: TorchJD's method. Each set of two or more tasks that meets in a step works with a copy of its own.
        over: See `GradientWeighting`; "all" is the aggregation of the whole gradients, in which a task that does not reach
            a parameter counts with 0 (then "mean" is the mean loss's gradient exactly).
        cagrad_c: CAGrad's c: how far from the mean gradient it may go.
        fairgrad_alpha: FairGrad's alpha.
        gradvac_beta: GradVac's decay of its goals.
        nash_mtl_max_norm: The largest norm of Nash-MTL's gradient; 0 for no limit.

    Raises:
        ImportError: TorchJD, or a solver that the aggregator needs, is not installed.
    """

    def __init__(
        self,
        tasks: Tasks,
        *,
        aggregator: Name = "upgrad",
        over: Over = "shared",
        cagrad_c: Annotated[float, Ge(0), Lt(1)] = 0.4,
        fairgrad_alpha: Annotated[float, Ge(0)] = 2.0,
        gradvac_beta: Annotated[float, Ge(0), Le(1)] = 0.5,
        nash_mtl_max_norm: Annotated[float, Ge(0)] = 1.0,
    ) -> None:
        options: dict[str, dict[str, Any]] = {
            "cagrad": {"c": cagrad_c},
            "fairgrad": {"alpha": fairgrad_alpha},
            "gradvac": {"beta": gradvac_beta},
            "nash_mtl": {"n_tasks": len(tasks), "max_norm": nash_mtl_max_norm},
        }
        self._begin(tasks, lambda: _made(aggregator, options.get(aggregator, {})), over)

    @classmethod
    def of(cls, tasks: Tasks, aggregator: Aggregator, *, over: Over = "shared") -> GradientAggregation:
        """A weighting by any aggregator: ``GradientAggregation.of(["seg", "depth"], torchjd.aggregation.UPGrad())``.

        Args:
            tasks: {name: task}, or their names.
            aggregator: An object of `torchjd.aggregation`; stays as given.
            over: As of the class.

        Raises:
            ImportError: TorchJD is not installed.
            TypeError: It is no aggregator.
            ValueError: Its state is not known here, so that a resumed training would differ.
        """
        made = cls.__new__(cls)
        made._begin(tasks, lambda: aggregator, over)
        return made

    def _begin(self, tasks: Tasks, make: Callable[[], Aggregator], over: Over) -> None:
        super().__init__(tasks)
        aggregator = make()
        check_storable(aggregator)
        self.over = over
        self._given = [deepcopy(aggregator)]  # in a list: a part of this module would be moved and stored with it
        self._used: dict[tuple[str, ...], Aggregator] = {}
        self._factors: dict[str, float] = {}
        self._met: set[str] = set()  # the tasks that met in the step under way

    def forward(self, losses: Mapping[str, Tensor]) -> Tensor:
        self.check_losses(losses)
        return sum_of(list(losses.values()))

    def aggregate(self, gradients: Mapping[str, Tensor]) -> Tensor:
        self.check_losses(gradients)
        tasks = tuple(task for task in self.tasks if task in gradients)
        if len(tasks) == 1:
            return gradients[tasks[0]]
        aggregator, rows = self._of(tasks), torch.stack([gradients[task] for task in tasks])
        inner = weighting_of(aggregator)
        if inner is None:
            return aggregator(rows)
        factors: list[Tensor] = []
        hook = inner.register_forward_hook(lambda *told: factors.append(told[-1]))
        try:
            found = aggregator(rows)
        finally:
            hook.remove()
        self._factors |= dict(zip(tasks, factors[-1].tolist(), strict=True))
        self._met.update(tasks)
        return found

    def observe(self, losses: Mapping[str, float]) -> None:
        if weighting_of(self._given[0]) is not None:
            self._factors |= {task: 1.0 for task in losses if task not in self._met}
        self._met.clear()

    def _of(self, tasks: tuple[str, ...]) -> Aggregator:
        """The copy of the aggregator for these tasks."""
        if tasks not in self._used:
            self._used[tasks] = fresh_copy(self._given[0], len(tasks))
        return self._used[tasks]

    def weights(self) -> dict[str, float]:
        """Of each task's last step, 1 where it met no other; {} for an aggregator without weights and before the first."""
        return dict(self._factors)

    def get_extra_state(self) -> dict[str, Any]:
        used = [{"tasks": list(tasks), "state": state_of(one)} for tasks, one in self._used.items()]
        return {"factors": dict(self._factors), "used": used}

    def set_extra_state(self, state: Mapping[str, Any]) -> None:
        self._factors, self._used = dict(state["factors"]), {}
        for stored in state["used"]:
            restore_state(self._of(tuple(stored["tasks"])), stored["state"])

    def determining(self) -> dict[str, Any]:
        return {**super().determining(), "aggregator": repr(self._given[0]), "over": self.over}

    @staticmethod
    def title(options: Mapping[str, Any]) -> str:
        return _title_of(options["aggregator"])


def _title_of(name: Name) -> str:
    return _TITLES.get(name, _CLASSES[name])


def _made(name: Name, options: Mapping[str, Any]) -> Aggregator:
    try:
        from torchjd import aggregation
    except ImportError as error:
        raise ImportError(f"the weighting {_title_of(name)!r} {MISSING}") from error
    try:
        made: Aggregator = getattr(aggregation, _CLASSES[name])(**options)
    except ImportError as error:  # TorchJD is there, a solver is not
        raise ImportError(f"the weighting {_title_of(name)!r} {MISSING} ({error})") from error
    return made


def check_storable(aggregator: Aggregator) -> None:
    """Check that TorchJD is installed and the state of its aggregator can be stored.

    Raises:
        ImportError: TorchJD is not installed.
        TypeError: This is not one of TorchJD's aggregators.
        ValueError: Its state is unknown.
    """
    try:
        from torchjd import Stateful
        from torchjd.aggregation import Aggregator as Kind
    except ImportError as error:
        raise ImportError(f"gradient aggregation {MISSING}") from error
    if not isinstance(aggregator, Kind):
        raise TypeError(
            f"aggregator should be an object of torchjd.aggregation such as UPGrad(), got {aggregator!r} "
            f"({type(aggregator).__name__})"
        )
    known = isinstance(aggregator, _remembering()) or not (isinstance(aggregator, Stateful) or aggregator.state_dict())
    if not known:
        raise ValueError(
            f"{aggregator!r} keeps a state that cannot be stored here, so that a resumed training would differ; "
            "take NashMTL, GradVac or one without state"
        )


def _remembering() -> tuple[type[NashMTL], type[GradVac]]:
    from torchjd.aggregation import GradVac, NashMTL

    return NashMTL, GradVac


def fresh_copy(aggregator: Aggregator, tasks: int) -> Aggregator:
    """One of the same kind and options without memory, for so many tasks."""
    found = deepcopy(aggregator)
    nash, _ = _remembering()
    if isinstance(found, nash):  # the one that is made for a number of tasks
        found.n_tasks = tasks
        found.reset()
    return found


def weighting_of(aggregator: Aggregator) -> nn.Module | None:
    """What gives an aggregator the factors of its rows; None for one that has none."""
    from torchjd.aggregation import WeightedAggregator

    return aggregator.weighting if isinstance(aggregator, WeightedAggregator) else None


def state_of(aggregator: Aggregator) -> dict[str, Any]:
    """Plain values and tensors; {} for an aggregator without memory."""
    inner: Any = getattr(aggregator, "weighting", None)
    nash, vac = _remembering()
    if isinstance(aggregator, nash):
        previous = torch.from_numpy(np.array(inner.prvs_alpha))
        return {"previous": previous, "step": inner.step, "scale": float(np.asarray(inner.normalization_factor).item())}
    if isinstance(aggregator, vac):
        inner = aggregator.gramian_weighting
        return {"targets": deepcopy(inner._phi_t), "key": None if inner._state_key is None else list(inner._state_key)}
    return {}


def restore_state(aggregator: Aggregator, state: Mapping[str, Any]) -> None:
    """Go on as the aggregator that `state_of` was asked of."""
    inner: Any = getattr(aggregator, "weighting", None)
    nash, vac = _remembering()
    if isinstance(aggregator, nash):
        inner.prvs_alpha, inner.step = state["previous"].numpy().copy(), state["step"]
        inner.normalization_factor = np.full((1,), state["scale"])
        if inner.step:
            inner._init_optim_problem()
    if isinstance(aggregator, vac):
        inner = aggregator.gramian_weighting
        inner._phi_t = deepcopy(state["targets"])
        inner._state_key = None if state["key"] is None else tuple(state["key"])

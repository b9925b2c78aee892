"""What learns how fast, and from when on: the roles of a network's parameters, torch's groups, and freezing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, final

import torch
from torch import nn

from taskweave.parts import snake_case
from taskweave.training.options import Freeze, TrainingOptions
from taskweave.units.unit import Unit
from taskweave.weaving.connected import Connected
from taskweave.weighting.weighting import Weighting

Role = Literal["streams", "heads", "connections"]
ROLES: tuple[Role, ...] = ("streams", "heads", "connections")


def modules_by_role(net: Connected) -> dict[Role, list[nn.Module]]:
    """Every module once, in a fixed order, under its role; what is shared counts as head, else as connection."""
    found: dict[Role, list[nn.Module]] = {role: [] for role in ROLES}
    taken: set[int] = set()
    for role, module in _owners(net):
        if id(module) not in taken:
            taken.add(id(module))
            found[role].append(module)
    return found


def _owners(net: Connected) -> Iterator[tuple[Role, nn.Module]]:
    for name in net.streams:
        stream = net.stream(name)
        for path in stream.head:
            for module in stream.net.get_submodule(path).modules():
                yield "heads", module
    for connection in net.connections:
        for module in connection.modules():
            yield "connections", module
    for name in net.streams:
        for module in net.stream(name).net.modules():
            yield "streams", module


def parameters_by_role(net: Connected) -> dict[Role, list[nn.Parameter]]:
    """Every parameter once, in a fixed order, under its role."""
    found: dict[Role, list[nn.Parameter]] = {role: [] for role in ROLES}
    taken: set[int] = set()
    modules = modules_by_role(net)
    for role in ("heads", "connections", "streams"):
        for module in modules[role]:
            for parameter in module.parameters(recurse=False):
                if id(parameter) not in taken:
                    taken.add(id(parameter))
                    found[role].append(parameter)
    return found


@final
@dataclass(frozen=True)
class Group:
    """Parameters that share a learning rate and a weight decay.

    Args:
        label: What the parameters are; shown to users and used for the log's columns.
        multiplier: Multiple of the base learning rate.
        decay: Weight decay in torch's convention.
    """

    label: str
    multiplier: float
    decay: float
    parameters: list[nn.Parameter] = field(default_factory=list)

    def __str__(self) -> str:
        count = sum(p.numel() for p in self.parameters)
        decay = f", weight decay {self.decay:g}" if self.decay else ""
        return f"{self.label}: lr x{self.multiplier:g}{decay} ({count:,} parameters)"


def groups_of(net: Connected, options: TrainingOptions, *, weighting: Weighting | None = None) -> list[Group]:
    """Every parameter of `net` and `weighting` in exactly one group, shared ones once.

    Connections have the multiplier that `connection_lr` says. Vectors (norms, biases, scales) do not decay unless
    `weight_decay.norms_and_biases`; connections' vectors and a weighting's parameters never do. A weighting's rate is its
    `learning_rate`, whatever the base rate; the schedule's factor applies to it, too.
    """
    merged: dict[tuple[str, float, float], Group] = {}
    for label, multiplier, decay, parameter in _each(net, options):
        group = merged.setdefault((label, multiplier, decay), Group(label, multiplier, decay))
        group.parameters.append(parameter)
    groups = list(merged.values())
    learned = [] if weighting is None else list(weighting.parameters())
    if weighting is None or not learned:
        return groups
    multiplier = 1.0 if weighting.learning_rate is None else weighting.learning_rate / options.lr
    return [*groups, Group("weighting", multiplier, 0.0, learned)]


def _each(net: Connected, options: TrainingOptions) -> Iterator[tuple[str, float, float, nn.Parameter]]:
    decay = options.weight_decay
    roles = parameters_by_role(net)
    for parameter in roles["streams"]:
        yield "streams", 1.0, _decay(parameter, decay.streams, vectors=decay.norms_and_biases), parameter
    layers = [m for m in modules_by_role(net)["heads"] if isinstance(m, nn.Linear | nn.modules.conv._ConvNd)]
    biases = {id(layer.bias) for layer in layers if layer.bias is not None}
    bias_lr = options.last_layer_lr if options.bias_lr is None else options.bias_lr
    for parameter in roles["heads"]:
        amount = _decay(parameter, decay.heads, vectors=decay.norms_and_biases)
        if id(parameter) in biases and bias_lr != options.last_layer_lr:
            yield "biases of heads", bias_lr, amount, parameter
        else:
            yield "heads", options.last_layer_lr, amount, parameter
    units = _units(net)
    for parameter in roles["connections"]:
        unit = units[id(parameter)]
        multiplier = _rate_of(unit, options)
        amount = _decay(parameter, decay.connections, vectors=False) if unit.decays else 0.0
        yield f"{type(unit).__name__} connections", multiplier, amount, parameter


def _rate_of(unit: Unit, options: TrainingOptions) -> float:
    """A unit's multiple of the base rate. See `TrainingOptions.connection_lr`."""
    given = options.connection_lr
    if isinstance(given, float):
        return given
    classes = [snake_case(one.__name__) for one in type(unit).__mro__]
    own = unit.sgd_lr_multiplier if options.optimizer.fact("scales_units", default=False) else 1.0
    return next((given[name] for name in classes if name in given), own) if given else own


def _decay(parameter: nn.Parameter, amount: float, *, vectors: bool) -> float:
    return amount if vectors or parameter.ndim > 1 else 0.0


def _units(net: Connected) -> dict[int, Unit]:
    """Every connection parameter's unit, by the parameter's id; the first of those that share it."""
    owners: dict[int, Unit] = {}
    for index in range(len(net.connections)):
        connection = net.connection(index)
        for parameter in connection.parameters():
            owners.setdefault(id(parameter), connection.unit)
    return owners


def describe(groups: Sequence[Group]) -> str:
    """One line per group, e.g. ``CrossStitch connections: lr x100 (384 parameters)``."""
    return "\n".join(str(group) for group in groups)


def make_optimizer(groups: Sequence[Group], options: TrainingOptions) -> torch.optim.Optimizer:
    """The optimiser over the groups. Each of its groups also remembers `label` and `base_lr`, its rate before schedules."""
    rates = [options.lr * group.multiplier for group in groups]
    return options.optimizer(
        [
            {"params": g.parameters, "lr": rate, "base_lr": rate, "weight_decay": g.decay, "label": g.label}
            for g, rate in zip(groups, rates, strict=True)
        ]
    )


def set_rates(optimizer: torch.optim.Optimizer, factor: float) -> None:
    """Give every group its base rate times `factor`."""
    for group in optimizer.param_groups:
        group["lr"] = group["base_lr"] * factor


def rates(optimizer: torch.optim.Optimizer) -> dict[str, float]:
    """The current rate by group label, for the log."""
    return {group["label"]: float(group["lr"]) for group in optimizer.param_groups}


@final
class Freezing:
    """Keep the parameters of each role frozen for a given number of steps.

    While a role is frozen, its parameters do not require gradients, so momentum and decay do not change them, and its batch
    norms run in eval mode, so their statistics do not change. Dropout stays active, since it has no state.

    Parameters that did not require gradients before training stay frozen, and so do norms that were in eval mode.

    Args:
        freeze: For how many steps each role stays frozen.
        hold_norms: Run every batch norm in eval mode at every step, whatever is frozen.

    Raises:
        ValueError: No parameter requires a gradient, or `freeze` leaves nothing to train at step 0.
    """

    def __init__(self, net: Connected, freeze: Freeze, *, hold_norms: bool = False) -> None:
        parameters, modules = parameters_by_role(net), modules_by_role(net)
        self._steps: dict[Role, int] = {"streams": freeze.streams, "heads": freeze.heads, "connections": freeze.connections}
        self._parameters = {role: [p for p in parameters[role] if p.requires_grad] for role in ROLES}
        self._norms = {
            role: [m for m in modules[role] if isinstance(m, nn.modules.batchnorm._NormBase) and m.training]
            for role in ROLES
        }
        if not any(self._parameters.values()):
            raise ValueError("no parameter of the network wants a gradient; call net.requires_grad_(True) before training")
        if not any(self._steps[role] == 0 and self._parameters[role] for role in ROLES):
            raise ValueError(
                f"freeze leaves nothing to train at step 0: {self._steps}; leave one role with parameters at 0"
            )

        self._hold_norms = hold_norms

    def enforce(self, step: int) -> None:
        """Freeze and release as it is to be at `step`. Costs nothing to speak of; changes only at the steps of change."""
        if self._hold_norms:
            self._set_norms(training=False)
        for role in ROLES:
            if self._steps[role]:
                self._set(role, frozen=step < self._steps[role])

    def release(self) -> None:
        """Everything as free as it was before training."""
        if self._hold_norms:
            self._hold_norms = False
            self._set_norms(training=True)
        for role in ROLES:
            if self._steps[role]:
                self._set(role, frozen=False)

    def _set(self, role: Role, *, frozen: bool) -> None:
        for parameter in self._parameters[role]:
            if parameter.requires_grad == frozen:
                parameter.requires_grad_(not frozen)
        for norm in self._norms[role]:
            norm.training = not frozen and not self._hold_norms

    def _set_norms(self, *, training: bool) -> None:
        for norms in self._norms.values():
            for norm in norms:
                norm.training = training

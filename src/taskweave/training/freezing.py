"""Parts that stay as they are for the first steps."""

from __future__ import annotations

from typing import final

from torch import nn

from taskweave.training.groups import ROLES, Role, modules_by_role, parameters_by_role
from taskweave.training.options import Freeze
from taskweave.weaving.connected import Connected


@final
class Freezing:
    """Holds the parameters of each role still for its number of steps.

    While a role is frozen its parameters want no gradient (so no momentum and no decay reach them) and its batch norms
    run in eval mode (so their statistics stay too). Dropout inside goes on: it changes no state.

    What came frozen stays so: parameters that want no gradient, and norms that keep in eval mode when told to train.
    hold_norms: every batch norm runs in eval mode at every step, whatever is frozen.
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

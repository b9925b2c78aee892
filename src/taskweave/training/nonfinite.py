"""The error for a training that diverged."""

from __future__ import annotations

from typing import final


@final
class NonFiniteLossError(ArithmeticError):
    """A loss, a gradient or a weight became NaN or infinite; training stopped and saved nothing of it.

    what: whose, e.g. "the loss of task 'depth'".  step: the number of the optimiser step, from 0.
    """

    def __init__(self, what: str, *, step: int, value: float, kept: str) -> None:
        super().__init__(
            f"{what} became {value} at step {step}; training stops. {kept} Lower optimizer.lr or the connections' rate "
            "(connection_lr), set clip, or look at the samples of this step"
        )
        self.what, self.step = what, step

"""The monitor of negative transfer: what it compares with, how often it looks and when it warns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import final

from taskweave.training.monitor.alarm import Limits
from taskweave.training.monitor.gaps import Reference

GAP = Limits(threshold=0.0488, window=5, rows=10, sure=6.0)
"""Of a task: its smoothed loss 5 % above the reference's (log 1.05 = 0.0488)."""

COSINE = Limits(threshold=0.1, window=10, rows=1, sure=6.0)
"""Of a place: a mean cosine below -0.1 over ten looks."""


@final
@dataclass(frozen=True)
class Monitor:
    """Watches a training of several tasks and changes nothing of it: pass it to `taskweave.training.loop.fit`.

    It writes ``monitor.csv`` and ``warnings.json`` into the training's folder, draws in TensorBoard where that is on, and
    tells warnings as they begin. Columns:

    - ``gap.<task>`` at every row of the log: g = exp(mean_r log(l_r / s_r)) - 1 over the last five rows r, l_r the task's
      unweighted loss in the log and s_r that of its reference over the same stretch of steps.
    - ``cosine.<place>.<a>|<b>``: cos(d L_a / d z, d L_b / d z), z the features that meet at the place: the inputs of the
      unit, those of all streams and all pictures of the batch as one vector; at the end of a shared trunk, the feature with
      which the streams go on. It does not depend on the weights of the losses. From a mixture's sets that never label the
      two tasks together, z is instead the weights of the last layer of each stream before the place, each task's gradient
      from its own batch; ``age`` is how many steps lie between those batches.

    A warning needs limits passed several times in a row and a t-test over those values; see `Limits`.
    Source: d L / d z as a stand-in for the gradient of all that lies below: Sener and Koltun, "Multi-task learning as
    multi-objective optimization" (NeurIPS 2018), section 3.3; the cosine as a sign of transfer: Du et al., "Adapting
    auxiliary losses using gradient similarity" (2018), section 3.

    references: {task: the training to compare with}; a task without one has no gap.
    cosine_every: steps between looks at the gradients, each a backward pass per task down to the first place; 0 for none.
    notes: what is to be said of the comparison when a training begins, e.g. which reference is missing.
    """

    references: Mapping[str, Reference] = field(default_factory=dict)
    cosine_every: int = 50
    notes: tuple[str, ...] = ()
    gap: Limits = GAP
    cosine: Limits = COSINE

    def __post_init__(self) -> None:
        if self.cosine_every < 0:
            raise ValueError(f"cosine_every should be a number of steps, or 0 for no cosines; got {self.cosine_every}")


IDLE = Monitor(cosine_every=0)
"""It sees nothing."""

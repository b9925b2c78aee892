"""All axes of sweeps. A new one joins here."""

from __future__ import annotations

from taskweave.evaluation.explaining import unknown
from taskweave.evaluation.sweeping.axis import Axis
from taskweave.evaluation.sweeping.init import Init
from taskweave.evaluation.sweeping.places import Places
from taskweave.evaluation.sweeping.rate import Rate
from taskweave.evaluation.sweeping.seeds import Seeds
from taskweave.evaluation.sweeping.split import Split
from taskweave.evaluation.sweeping.start import Starts
from taskweave.evaluation.sweeping.unit import Units

AXES: tuple[Axis, ...] = (Split(), Init(), Rate(), Starts(), Units(), Places(), Seeds())


def axis_named(name: str) -> Axis:
    """The axis that the command line calls so. Raises ValueError with what there is."""
    for axis in AXES:
        if axis.name == name:
            return axis
    raise ValueError(unknown(f"axis {name!r}", name, [axis.name for axis in AXES]))

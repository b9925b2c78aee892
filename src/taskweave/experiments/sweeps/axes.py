"""All axes of sweeps. A new one joins here."""

from __future__ import annotations

from taskweave.experiments.sweeps.axis import Axis
from taskweave.experiments.sweeps.seeds import Seeds
from taskweave.experiments.sweeps.stages import Places, Split
from taskweave.experiments.sweeps.start import Starts
from taskweave.experiments.sweeps.units import Init, Rate, Units
from taskweave.parts import unknown

AXES: tuple[Axis, ...] = (Split(), Init(), Rate(), Starts(), Units(), Places(), Seeds())


def axis_named(name: str) -> Axis:
    """The axis that the command line calls so. Raises ValueError with what there is."""
    for axis in AXES:
        if axis.name == name:
            return axis
    raise ValueError(unknown(f"axis {name!r}", name, [axis.name for axis in AXES]))

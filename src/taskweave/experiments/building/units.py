"""From a method to the units that its connections are made of."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import assert_never

from taskweave.experiments.choices.method import (
    NDDR,
    CommonStitch,
    ConnectedTrainedOnOneTask,
    Connecting,
    CrossConnected,
    CrossStitch,
    Method,
    ScaleLayer,
    Sluice,
)
from taskweave.weaving.connect import UnitFactory


def identity() -> UnitFactory:
    """The unit that changes nothing: for places that are only gathered from."""
    from taskweave.units.identity import Identity

    return Identity


def unit_of(choice: Connecting, streams: Sequence[str]) -> UnitFactory:
    """The unit of a method. streams: their names, by which `links` are given."""
    from taskweave.units.common_stitch import CommonStitch as CommonStitchUnit
    from taskweave.units.cross_connection import CrossConnection
    from taskweave.units.cross_stitch import CrossStitch as CrossStitchUnit
    from taskweave.units.nddr import NDDR as NDDRUnit  # noqa: N811 - the paper's name is in capitals
    from taskweave.units.scale_layer import ScaleLayer as ScaleLayerUnit
    from taskweave.units.sluice import Sluice as SluiceUnit

    match choice:
        case CrossStitch():
            return partial(
                CrossStitchUnit, per=choice.per, self_weight=choice.self_weight, other_weight=choice.other_weight
            )
        case NDDR():
            return partial(
                NDDRUnit,
                order=choice.order,
                initial=choice.initial,
                self_weight=choice.self_weight,
                other_weight=choice.other_weight,
            )
        case Sluice():
            return partial(
                SluiceUnit,
                subspaces=choice.subspaces,
                initial=choice.initial,
                self_weight=choice.self_weight,
                other_weight=choice.other_weight,
                orthogonality=choice.orthogonality,
            )
        case CrossConnected():
            return partial(CrossConnection, gate=choice.gate, linear=choice.linear, links=choice.links)
        case ScaleLayer():
            return partial(ScaleLayerUnit, other_weight=choice.other_weight)
        case CommonStitch():
            return partial(CommonStitchUnit, weight=choice.weight)
        case _:
            assert_never(choice)


def gathered_by(method: Method) -> tuple[UnitFactory, ...]:
    """The units that gather the features of all places of a stream: a sluice's layer mixing, a shortcut."""
    from taskweave.units.layer_mixing import LayerMixing
    from taskweave.units.shortcut import Shortcut

    inner = method.connected if isinstance(method, ConnectedTrainedOnOneTask) else method
    mixes = isinstance(inner, Sluice) and inner.layer_mixing
    # ResNets and VGG widen from stage to stage: layers mix only if their channels are brought to the last's
    mixing: tuple[UnitFactory, ...] = (partial(LayerMixing, project=True),) if mixes else ()
    if method.shortcut is None:
        return mixing
    options = method.shortcut
    return (*mixing, partial(Shortcut, channels=options.channels, normalise=options.normalise))

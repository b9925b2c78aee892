"""From a run to its network, with random weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import assert_never

from torch import Tensor, nn

from taskweave.evaluation.choices.data import DataChoice
from taskweave.evaluation.choices.method import (
    NDDR,
    ConnectedTrainedOnOneTask,
    Connecting,
    CrossConnected,
    CrossStitch,
    Method,
    Shared,
    SharedLatent,
    Sluice,
)
from taskweave.evaluation.choices.network import DeepLabResNet, DeepLabVGG16, FCN32sAlexNet, Network
from taskweave.evaluation.planning import Run
from taskweave.evaluation.recipe import usual_places
from taskweave.images import CAFFE, IMAGENET, ImageStatistics
from taskweave.networks.connected import Connected
from taskweave.networks.connecting import UnitFactory, connect
from taskweave.networks.deeplab_resnet import DeepLabResNet as DeepLabResNetNet
from taskweave.networks.deeplab_resnet import deeplab_resnet
from taskweave.networks.deeplab_vgg16 import DeepLabVGG16 as DeepLabVGG16Net
from taskweave.networks.deeplab_vgg16 import deeplab_vgg16
from taskweave.networks.fcn32s_alexnet import FCN32sAlexNet as FCN32sAlexNetNet
from taskweave.networks.fcn32s_alexnet import fcn32s_alexnet
from taskweave.networks.latent import share_latent
from taskweave.networks.sharing import share
from taskweave.streams.convert import as_stream
from taskweave.tasks.task import Task


def build_plain(choice: Network, channels: int) -> nn.Module:
    """One task's network, random weights."""
    match choice:
        case DeepLabVGG16():
            return deeplab_vgg16(
                channels,
                head=choice.head,
                batch_norm=choice.batch_norm,
                dropout=choice.dropout,
                hidden=choice.hidden,
                bn_momentum=choice.bn_momentum,
                bn_eps=choice.bn_eps,
            )
        case DeepLabResNet():
            return deeplab_resnet(
                channels,
                body=choice.body,
                output_stride=choice.output_stride,
                head=choice.head,
                hidden=choice.hidden,
                rates=choice.rates,
                dropout=choice.dropout,
            )
        case FCN32sAlexNet():
            return fcn32s_alexnet(channels, body=choice.body, hidden=choice.hidden, dropout=choice.dropout)
        case _:
            assert_never(choice)


def places_of(choice: Network) -> tuple[str, ...]:
    """Where streams of such networks usually meet."""
    match choice:
        case DeepLabVGG16():
            return DeepLabVGG16Net.places
        case DeepLabResNet():
            return DeepLabResNetNet.places
        case FCN32sAlexNet():
            return FCN32sAlexNetNet.places
        case _:
            assert_never(choice)


def statistics_of(data: DataChoice) -> ImageStatistics:
    """How these data become network input."""
    return CAFFE if data.statistics == "caffe" else IMAGENET


def build_network(run: Run, tasks: Mapping[str, Task], example: Tensor) -> Connected:
    """The network of a run: its streams, connected as its method says. Random weights, on the default device.

    tasks: those of the run at least.  example: an image batch of the size to train at.
    Raises ValueError for a stage that does not exist, with the list of stages.
    """
    statistics = statistics_of(run.recipe.data)
    streams = {name: as_stream(build_plain(run.recipe.network, tasks[name].channels)) for name in run.tasks}
    decoders = {name: tasks[name] for name in run.tasks}
    if run.method is None:
        until = places_of(run.recipe.network)[-1]
        return share(streams, until=until, tasks=decoders, statistics=statistics)
    method, gather = run.method, _gather(run.method)
    places = _places(run, method)
    if isinstance(method, SharedLatent):
        return share_latent(streams, rank=method.rank, tasks=decoders, statistics=statistics)
    if isinstance(method, Shared):
        return share(
            streams,
            until=method.until,
            at=places if gather else (),
            example=example,
            gather=gather,
            tasks=decoders,
            statistics=statistics,
        )
    connecting = method.connected if isinstance(method, ConnectedTrainedOnOneTask) else method
    if isinstance(connecting, CrossStitch | NDDR | Sluice | CrossConnected):
        unit = _unit(connecting, list(streams))
    elif gather:
        unit = _identity()
    else:
        return Connected(streams, tasks=decoders, statistics=statistics)
    return connect(
        streams,
        at=places,
        unit=unit,
        example=example,
        gather=gather,
        tasks=decoders,
        statistics=statistics,
        prove=False,  # the networks' own tests prove every stream; here it would cost a forward pass per stream and run
    )


def _places(run: Run, method: Method) -> tuple[str, ...]:
    inner = method.connected if isinstance(method, ConnectedTrainedOnOneTask) else method
    own = method.shortcut.places if method.shortcut is not None else ()
    return own or usual_places(inner, run.recipe) or places_of(run.recipe.network)


def _identity() -> UnitFactory:
    from taskweave.units.identity import Identity

    return Identity


def _unit(choice: Connecting, streams: Sequence[str]) -> UnitFactory:
    from taskweave.units.cross_connection import CrossConnection
    from taskweave.units.cross_stitch import CrossStitch as CrossStitchUnit
    from taskweave.units.nddr import NDDR as NDDRUnit  # noqa: N811 - the paper's name is in capitals
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
            return partial(CrossConnection, gate=choice.gate, linear=choice.linear, links=_links(choice, streams))
        case _:
            assert_never(choice)


def _gather(method: Method) -> tuple[UnitFactory, ...]:
    from taskweave.units.layer_mixing import LayerMixing
    from taskweave.units.shortcut import Shortcut

    inner = method.connected if isinstance(method, ConnectedTrainedOnOneTask) else method
    mixes = isinstance(inner, Sluice) and inner.layer_mixing
    # ResNets and VGG widen from stage to stage: layers mix only if their channels are brought to the last's
    mixing: tuple[UnitFactory, ...] = (partial(LayerMixing, project=True),) if mixes else ()
    if method.shortcut is None:
        return mixing
    options = method.shortcut
    return (*mixing, partial(Shortcut, out_channels=options.channels, normalise=options.normalise))


def _links(choice: CrossConnected, streams: Sequence[str]) -> list[tuple[int, int]] | None:
    """Links by name -> by position; None for all."""
    for link in choice.links:
        for name in link:
            if name not in streams:
                raise ValueError(f"links names {name!r}, which is no task of this recipe; its tasks are {list(streams)}")
    return [(streams.index(a), streams.index(b)) for a, b in choice.links] or None

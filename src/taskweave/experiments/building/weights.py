"""What a run's network begins with: the common start, or the weights of the runs before it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor, nn

from taskweave.experiments.building.plain import body_end
from taskweave.experiments.choices.classifiers import TimmClassifier
from taskweave.experiments.choices.network import OneNetwork, network_of
from taskweave.experiments.choices.start import FromFile, LibraryWeights
from taskweave.experiments.plan import Run
from taskweave.networks.resnet.mtan_resnet import STANResNet
from taskweave.networks.segnet.baselines import DenseSegNet
from taskweave.networks.weights import load_pretrained
from taskweave.streams.stream import Stream
from taskweave.training.checkpoint import WrongCheckpointError
from taskweave.training.finished import WEIGHTS
from taskweave.training.weights import load_stream_weights, read_state
from taskweave.weaving.connected import Connected


def load_parents(net: Connected, run: Run, runs: Path) -> None:
    """Give a fresh network what its run begins with; connections without a stored counterpart stay as built.

    Streams that no run before trained have the common start.

    Raises FileNotFoundError and WrongCheckpointError for weights that are not there or not of this network.
    """
    before = [parent for parent in run.parents if parent.role != "start"]
    for parent in before:
        stored = runs / parent.digest / WEIGHTS
        for name in parent.tasks:
            load_stream_weights(net.stream(name), stored, name=name)
        _load_shortcut(net, parent, stored)
    loaded = {name for parent in before for name in parent.tasks}
    fresh = [name for name in net.streams if name not in loaded]
    if fresh and run.role != "start":
        _load_start(net, fresh, run, runs)


def _load_shortcut(net: Connected, parent: Run, stored: Path) -> None:
    """The gathering connections that a single network brings (its shortcut), found by the stage and stream they serve."""
    state = read_state(stored)
    if parent.method is None or parent.method.shortcut is None:
        return
    for name in parent.tasks:
        ours = [c for c in net.connections if c.gathers and list(c.at) == [name]]
        last = max(int(key.split(".")[1]) for key in state if key.startswith("connections."))
        prefix = f"connections.{last}."
        ours[-1].load_state_dict({k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)})


def _load_start(net: Connected, names: Sequence[str], run: Run, runs: Path) -> None:
    start, streams = run.recipe.start, [net.stream(name) for name in names]
    if isinstance(start, LibraryWeights):
        for stream in streams:
            load_pretrained(stream.net)
    elif isinstance(start, FromFile):
        state = read_state(start.path)
        for stream in streams:
            _load_all_but_head(stream, state, start.path)
    for parent in (parent for parent in run.parents if parent.role == "start"):
        state = read_state(runs / parent.digest / WEIGHTS)
        for name, stream in zip(names, streams, strict=True):
            end, path = _body(stream.net, network_of(run.recipe.network, name))
            stream.net.load_state_dict(body_of(state, stream, end, parent.tasks[0], renamed=path), strict=False)


def _body(net: nn.Module, choice: OneNetwork) -> tuple[str, str | None]:
    """The last stage of a network's body, and what its paths begin with where the stored ones begin with "body."."""
    if isinstance(choice, TimmClassifier):  # timm's own network, which is the whole body of a DeepLab
        return "layer4", ""
    if isinstance(net, DenseSegNet):  # the shared SegNet beside the task's own ends before its last decoder block
        return net.body_end, net.body_prefix
    if isinstance(net, STANResNet):
        return net.body_end, None
    return body_end(choice), None


def body_of(
    state: dict[str, Tensor], stream: Stream, end: str, leader: str, *, renamed: str | None = None
) -> dict[str, Tensor]:
    """Of a stored shared network, the trunk: what the modules of a stream's stages up to `end` have in common with it.

    renamed: what the stream's paths begin with instead of "body."; None where they are the stored ones.
    Raises WrongCheckpointError where that is nothing.
    """
    stages = list(stream.stages)
    paths = [path for stage in stages[: stages.index(end) + 1] for path in stream.modules_of(stage)]
    own, body = stream.net.state_dict(), dict[str, Tensor]()
    for path in paths:
        there = path if renamed is None else "body." + path.removeprefix(renamed)
        prefix = f"streams.{leader}.net.{there}."
        found = {f"{path}.{key.removeprefix(prefix)}": v for key, v in state.items() if key.startswith(prefix)}
        # the fully connected layers of a network for regions have another shape than their dense counterparts; batch norms
        # that go by their own batch have no statistics
        body |= {key: value for key, value in found.items() if key in own and own[key].shape == value.shape}
    if not body:
        raise WrongCheckpointError(f"the stored body has nothing in common with {type(stream.net).__name__}")
    return body


def _load_all_but_head(stream: Stream, state: dict[str, Tensor], path: Path) -> None:
    """Every weight of the file but the last layer's, which is the task's own (NDDR's start: all but fc8)."""
    own = stream.net.state_dict()
    heads = tuple(f"{head}." for head in stream.head)
    wanted = {key: value for key, value in state.items() if not key.startswith(heads)}
    wrong = [
        key for key, v in own.items() if not key.startswith(heads) and (key not in wanted or wanted[key].shape != v.shape)
    ]
    extra = [key for key in wanted if key not in own]
    if wrong or extra:
        raise WrongCheckpointError(
            f"{path} holds another network than {type(stream.net).__name__}: missing or of another shape {wrong[:3]}, "
            f"unexpected {extra[:3]}; the last layer {list(stream.head)} may differ, nothing else"
        )
    stream.net.load_state_dict(wanted, strict=False)

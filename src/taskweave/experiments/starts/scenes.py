"""Bodies trained on generated scenes, once; every stream of every method and seed starts from the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from annotated_types import Ge, Gt
from torch import Tensor, nn
from torchvision.transforms import v2

from taskweave.data import mirror
from taskweave.experiments.starts.start import Start
from taskweave.parts import Part, part, states
from taskweave.streams.stream import Stream
from taskweave.training import WrongCheckpointError
from taskweave.training.weights import read_state

if TYPE_CHECKING:
    from taskweave.experiments.recipe import Recipe

TASKS = ("segmentation", "depth", "normals")
LEADER = TASKS[0]
"""The stream whose body all others share."""


def _title(options: Mapping[str, Any]) -> str:
    return f"bodies trained for {options['steps']} steps on generated scenes"


def _trained_first(options: Mapping[str, Any]) -> Callable[[Recipe], Recipe]:
    return lambda recipe: pretraining(recipe, options)


@states(title=_title, trained_first=_trained_first)
def scenes(
    stream: Stream,
    stored: Path | None,
    network: Part[nn.Module],
    *,
    steps: Annotated[int, Ge(1)] = 300,
    batch_size: Annotated[int, Ge(1)] = 8,
    images: Annotated[int, Ge(1)] = 512,
    size: tuple[Annotated[int, Ge(8)], Annotated[int, Ge(8)]] = (96, 128),
    learning_rate: Annotated[float, Gt(0)] = 1e-3,
    augment: tuple[Part[v2.Transform], ...] = (part(mirror),),
    seed: int = 0,
) -> Start:
    """Start from a body that was trained on generated scenes for segmentation, depth and normals; heads start fresh.

    Args:
        steps: Of the pre-training.
        batch_size: Pictures of a step.
        images: Generated pictures.
        size: (height, width) of the pictures.
        learning_rate: Of Adam, with polynomial decay.
        augment: What a picture goes through.
        seed: Of the scenes and of the pre-training.
    """
    assert stored is not None, "the program trains the body first"
    stream.net.load_state_dict(body_of(read_state(stored), stream, network), strict=False)
    return Start(source="pre-training on generated scenes")


def pretraining(recipe: Recipe, options: Mapping[str, Any]) -> Recipe:
    """The recipe of the pre-training: the same body, all dense tasks, generated data, one trunk up to the body's end."""
    network = shared_body(recipe)
    training = {
        "steps": options["steps"],
        "batch_size": options["batch_size"],
        "optimizer": {"use": "adam", "lr": options["learning_rate"]},
        "schedule": "poly",
    }
    return type(recipe).model_validate(
        {
            "name": f"{recipe.name}: start",
            "data": {
                "use": "scenes",
                "size": options["size"],
                "train": options["images"],
                "test": 1,
                "seed": options["seed"],
                "augment": options["augment"],
                "statistics": recipe.data.statistics,
            },
            "tasks": {task: {} for task in TASKS},
            "network": network,
            "methods": [{"use": "shared", "until": network.fact("body_end")}],
            "training": {"single": training, "connected": training, "joint": training},
            "seeds": [options["seed"]],
        }
    )


def shared_body(recipe: Recipe) -> Part[nn.Module]:
    """The network for dense tasks whose body is that of all networks of a recipe: itself, or its dense counterpart.

    Raises:
        ValueError: A network has no counterpart, or the networks have different bodies.
    """
    found = {task: _counterpart(recipe.network_of(task)) for task in recipe.tasks}
    first_task, first = next(iter(found.items()))
    if other := next((task for task, one in found.items() if one != first), None):
        raise ValueError(
            f"start {{use: scenes}} trains one body for all networks, but those of {first_task!r} and {other!r} have "
            "different ones; give them the same body (width, batch_norm), or start from scratch"
        )
    return first


def _counterpart(network: Part[nn.Module]) -> Part[nn.Module]:
    own = network if network.fact("gives") == "map" and network.fact("body_end") else None
    found: Part[nn.Module] | None = network.fact("dense_counterpart", default=own)
    if found is None:
        raise ValueError(
            f"start {{use: scenes}} has no dense counterpart of {network.name}; start from scratch or the library"
        )
    return found


def body_of(state: Mapping[str, Tensor], stream: Stream, network: Part[nn.Module]) -> dict[str, Tensor]:
    """What the modules of a stream's body have in common with a stored shared network's trunk.

    A network states with `body_end` the last stage of its body, and with `body_prefix` what the body's paths begin with
    where its dense counterpart's begin with "body."; a stream of a joint network does so itself.

    Raises:
        WrongCheckpointError: That is nothing.
    """
    prefix, end = (getattr(stream.net, fact, network.fact(fact)) for fact in ("body_prefix", "body_end"))
    stages = list(stream.stages)
    paths = [path for stage in stages[: stages.index(end) + 1] for path in stream.modules_of(stage)]
    own, body = stream.net.state_dict(), dict[str, Tensor]()
    for path in paths:
        there = path if prefix is None else "body." + path.removeprefix(prefix)
        begin = f"streams.{LEADER}.net.{there}."
        found = {f"{path}.{key.removeprefix(begin)}": v for key, v in state.items() if key.startswith(begin)}
        # fully connected layers of a network for regions have another shape than their dense counterparts; batch norms that
        # go by their own batch have no statistics
        body |= {key: value for key, value in found.items() if key in own and own[key].shape == value.shape}
    if not body:
        raise WrongCheckpointError(f"the stored body has nothing in common with {type(stream.net).__name__}")
    return body

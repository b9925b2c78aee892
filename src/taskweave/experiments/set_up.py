"""A recipe's set-up in words, aspect by aspect, and where it is another than a paper's."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from taskweave.experiments.choices.choice import Choice
from taskweave.experiments.choices.data import Augmentation, NYUv2Folder, Size
from taskweave.experiments.choices.method import ConnectedTrainedOnOneTask, ConnectingChoice
from taskweave.experiments.choices.mixture import MixtureData, OneSet, sets_of
from taskweave.experiments.choices.network import PerTask
from taskweave.experiments.choices.start import FromFile, LibraryWeights, Scratch, Start
from taskweave.experiments.data_titles import title_of, titles_of
from taskweave.experiments.recipe import Recipe, Training
from taskweave.training.options import TrainingOptions

NONE = "none"
"""Where one of two set-ups has nothing of an aspect."""


def set_up(recipe: Recipe) -> dict[str, str]:
    """{aspect: how it is}: data, pictures, start, networks, steps, what tasks learn and how they are measured.

    Paths, names, seeds and notes are no part of it: a recipe with its data elsewhere has the same set-up.
    """
    sets = sets_of(recipe.data)
    return {
        "data": _joined(_data(one, name, recipe) for name, one in sets.items()),
        **({"turns": _words(recipe.data.schedule)} if isinstance(recipe.data, MixtureData) else {}),
        **(
            {"further tests": _joined(titles_of(recipe)[name] for name in recipe.further_tests)}
            if recipe.further_tests
            else {}
        ),
        "pictures": _joined(_size(one) for one in sets.values()),
        "varied in training by": _joined(_variation(one.augmentation) for one in sets.values()),
        "start": _start(recipe.start),
        "networks": _joined(_networks(recipe)),
        "rate of units": _joined(_rates(recipe)) or "as the rest",
        **_training(recipe.training),
        **{
            f"{task} {field.replace('_', ' ')}": _words(getattr(choice, field))
            for task, choice in recipe.tasks.chosen.items()
            for field in type(choice).model_fields
            if field not in choice.unimportant
        },
    }


def differences(recipe: Recipe, paper: Mapping[str, str]) -> tuple[str, ...]:
    """Every aspect that differs, as "aspect: this recipe's [the paper's]". paper: as `set_up` gives it."""
    ours = set_up(recipe)
    both = dict.fromkeys([*ours, *paper])
    pairs = {aspect: (ours.get(aspect, NONE), paper.get(aspect, NONE)) for aspect in both}
    return tuple(f"{aspect}: {mine} [{theirs}]" for aspect, (mine, theirs) in pairs.items() if mine != theirs)


def _joined(parts: Iterable[str]) -> str:
    """Different parts, each once, in their order."""
    return ", ".join(dict.fromkeys(parts))


def _words(value: object) -> str:
    """A field of a choice for people."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Choice):
        fields = {name: getattr(value, name) for name in type(value).model_fields}
        said = {name: one for name, one in fields.items() if name == "body" or one != _usual(value, name)}
        inner = ", ".join(f"{name.replace('_', ' ')} {_words(one)}" for name, one in said.items() if name != "kind")
        kind = str(fields.get("kind", ""))
        return f"{kind} ({inner})" if kind and inner else kind or inner or "as usual"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_words(one)}" for name, one in value.items())
    if isinstance(value, tuple):
        return ", ".join(_words(one) for one in value)
    return NONE if value is None or value == "" else str(value)


def _usual(choice: Choice, name: str) -> object:
    return type(choice).model_fields[name].get_default(call_default_factory=True)


def _data(one: OneSet, name: str, recipe: Recipe) -> str:
    """The title, with as many classes as the recipe asks for; and whether normals are not the published ones."""
    tasks, names = one.labelled_for(recipe.tasks.chosen), one.names
    said = [title_of(one, name)]
    said += [f"{_classes(names.classes)} of pixels"] if "segmentation" in tasks else []
    said += [f"{_classes(names.objects)} of objects"] if "detection" in tasks else []
    said += ["normals computed from depth"] if "normals" in tasks and isinstance(one, NYUv2Folder) else []
    return " with ".join([said[0], " and ".join(said[1:])]) if said[1:] else said[0]


def _classes(names: Collection[str]) -> str:
    return "1 class" if len(names) == 1 else f"{len(names)} classes"


def _size(one: OneSet) -> str:
    """How large pictures are in tests."""
    return f"{_by(one.size)}{', padded' if one.keep_aspect else ''}" if one.size is not None else "as published"


def _by(size: Size) -> str:
    return f"{size[0]} x {size[1]}"


def _variation(how: Augmentation) -> str:
    parts = ["mirror"] if how.mirror else []
    parts += [f"scales {how.scale[0]:g} to {how.scale[1]:g}"] if how.scale else []
    parts += [f"crops of {_by(how.crop)}"] if how.crop else []
    parts += ["zoomed crops"] if how.zoom_crops else []
    return ", ".join([*parts, *(["colour"] if how.colour else [])]) or "nothing"


def _start(start: Start) -> str:
    if isinstance(start, FromFile):
        return f"weights of {start.path.name}"
    if isinstance(start, LibraryWeights):
        return "ImageNet's weights"
    if isinstance(start, Scratch):
        return "random weights"
    return f"bodies trained for {start.steps} steps on generated scenes"


def _networks(recipe: Recipe) -> Iterator[str]:
    """The recipe's, then those of methods that have another."""
    for network in (recipe.network, *(method.network for method in recipe.methods)):
        if isinstance(network, PerTask):
            yield from (_words(one) for one in network.networks.values())
        elif network is not None:
            yield _words(network)


def _rates(recipe: Recipe) -> Iterator[str]:
    for method in recipe.methods:
        inner = method.connected if isinstance(method, ConnectedTrainedOnOneTask) else method
        if isinstance(inner, ConnectingChoice) and inner.lr_multiplier is not None:
            yield f"{inner.usual_label} x {inner.lr_multiplier:g}"


def _training(how: Training) -> dict[str, str]:
    own = "".join(f"; {task} {steps:,}" for task, steps in how.single_steps.items())
    return {
        "training alone": _steps(how.single) + own,
        "training together": _steps(how.connected),
        "training from the start": _steps(how.of_joint),
    }


def _steps(how: TrainingOptions) -> str:
    return f"{how.steps:,} steps of {how.batch_size}, {how.optimizer.name} at {how.lr:g}, rate {how.schedule.name}"

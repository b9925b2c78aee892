"""A recipe's set-up in words, aspect by aspect, and where it is another than a paper's."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from taskweave.experiments.data import ONLY, MixtureOf, Source, sets_of
from taskweave.experiments.recipe import Recipe, Training
from taskweave.parts import Part
from taskweave.parts.options import default_of
from taskweave.training import TrainingOptions

NONE = "none"
"""Where one of two set-ups has nothing of an aspect."""


def set_up(recipe: Recipe) -> dict[str, str]:
    """{aspect: how it is}: data, pictures, start, networks, steps, what tasks learn and how they are measured.

    Paths, names, seeds and notes are no part of it: a recipe with its data elsewhere has the same set-up.
    """
    sets = sets_of(recipe.data)
    return {
        "data": _joined(_data(one, name, recipe) for name, one in sets.items()),
        **({"turns": _words(recipe.data.mixture)} if isinstance(recipe.data, MixtureOf) else {}),
        **(
            {"further tests": _joined(titles_of(recipe)[name] for name in recipe.further_tests)}
            if recipe.further_tests
            else {}
        ),
        "pictures": _joined(_size(one) for one in sets.values()),
        "varied in training by": _joined(_joined(map(_words, one.augment)) or "nothing" for one in sets.values()),
        "start": recipe.start.title,
        "networks": _joined(_networks(recipe)),
        "rate of units": _joined(words for row in recipe.methods for _, words in row.made.parts()) or "as the rest",
        **_training(recipe.training),
        **{
            f"{task} {option.replace('_', ' ')}": _words(value)
            for task, entry in recipe.tasks.items()
            for option, value in {
                **entry.task.options,
                "weight": entry.weight,
                "single_weight": entry.single_weight,
            }.items()
            if option not in entry.task.aside
        },
    }


def differences(recipe: Recipe, paper: Mapping[str, str]) -> tuple[str, ...]:
    """Every aspect that differs, as "aspect: this recipe's [the paper's]". paper: as `set_up` gives it."""
    ours = set_up(recipe)
    both = dict.fromkeys([*ours, *paper])
    pairs = {aspect: (ours.get(aspect, NONE), paper.get(aspect, NONE)) for aspect in both}
    return tuple(f"{aspect}: {mine} [{theirs}]" for aspect, (mine, theirs) in pairs.items() if mine != theirs)


def title_of(data: Source, name: str = ONLY) -> str:
    """A data set's title. name: by which it goes in a mixture; told where many data sets have one form of files."""
    facts = data.facts
    return f"{facts.title} ({name})" if facts.named and name != ONLY else facts.title


def titles_of(recipe: Recipe) -> dict[str, str]:
    """{name of a data set or of a further test: its title}, those that are trained on first."""
    sets = {**sets_of(recipe.data), **{name: test.data for name, test in recipe.further_tests.items()}}
    return {name: title_of(data, name) for name, data in sets.items()}


def _joined(words: Iterable[str]) -> str:
    """Different words, each once, in their order."""
    return ", ".join(dict.fromkeys(words))


def _words(value: object, usual: object = None) -> str:
    """An option for people; of a part what is another than in `usual`, the default that it stands for."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Part):
        known = {name: default_of(value.call, name) for name in value.options}
        if isinstance(usual, Part) and usual.call is value.call:
            known = usual.options
        said = {name: one for name, one in value.options.items() if name == "body" or one != known[name]}
        inner = ", ".join(f"{name.replace('_', ' ')} {_words(one, known[name])}" for name, one in said.items())
        return f"{value.name} ({inner})" if inner else value.name
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_words(one)}" for name, one in value.items())
    if isinstance(value, tuple):
        return ", ".join(_words(one) for one in value)
    if isinstance(value, Path):
        return value.name
    return NONE if value is None or value == "" else str(value)


def _data(one: Source, name: str, recipe: Recipe) -> str:
    """The title, with as many classes as the recipe asks for; and whether normals are not the published ones."""
    tasks, facts = one.labelled_for(recipe.tasks), one.facts
    said = [f"{_classes(facts.classes)} of pixels"] if "segmentation" in tasks else []
    said += [f"{_classes(facts.objects)} of objects"] if "detection" in tasks else []
    said += [f"{label} computed from {other}" for label, other in facts.computed.items() if label in tasks]
    title = title_of(one, name)
    return f"{title} with {' and '.join(said)}" if said else title


def _classes(names: Collection[str]) -> str:
    return "1 class" if len(names) == 1 else f"{len(names)} classes"


def _size(one: Source) -> str:
    """How large pictures are in tests."""
    if not one.says_size:
        return "as published"
    height, width = one.picture_size
    return f"{height} x {width}{', padded' if one.keep_aspect else ''}"


def _networks(recipe: Recipe) -> Iterator[str]:
    """The recipe's, then those of rows that have another."""
    for network, networks in ((recipe.network, recipe.networks), *((r.network, r.networks) for r in recipe.methods)):
        yield from (_words(one) for one in (network, *networks.values()) if one is not None)


def _training(how: Training) -> dict[str, str]:
    own = "".join(f"; {task} {steps:,}" for task, steps in how.single_steps.items())
    return {
        "training alone": _steps(how.single) + own,
        "training together": _steps(how.connected),
        "training from the start": _steps(how.of_joint),
    }


def _steps(how: TrainingOptions) -> str:
    rate = how.optimizer.options.get("lr")
    return (
        f"{how.steps:,} steps of {how.batch_size}, {how.optimizer.name}{'' if rate is None else f' at {rate:g}'}, rate "
        f"{how.schedule.name}"
    )

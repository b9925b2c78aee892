"""Every field of every recipe can be set from a line of text."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from experiments.tiny import content, tiny

from taskweave.experiments.overrides import with_settings
from taskweave.experiments.recipe import Recipe
from taskweave.recipes.catalogue import find, names

FORMS = [(name, small) for name in names() for small in (False, True)]


def fields(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every path in plain data, those of lists and parts too, with what is there."""
    if path:
        yield path, value
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield from fields(part, (*path, str(key)))


def others(value: Any) -> tuple[Any, ...]:
    """Values to try in the place of a number or a switch: one of them is allowed wherever numbers are (13: classes)."""
    if isinstance(value, bool):
        return (not value,)
    if not isinstance(value, int | float):
        return ()
    tried = (value + 1, 2 * value, value + 16, value / 2, value + 0.25, value - 1, 13)
    return tuple(dict.fromkeys(other for other in tried if other != value))


def put(data: Any, path: tuple[str, ...], value: Any) -> Any:
    """A copy of plain data with one place changed."""
    if not path:
        return value
    key: Any = int(path[0]) if isinstance(data, list) else path[0]
    copied = list(data) if isinstance(data, list) else dict(data)
    copied[key] = put(data[key], path[1:], value)
    return copied


@pytest.mark.slow
@pytest.mark.parametrize(("name", "small"), FORMS)
def test_every_field_takes_the_value_it_has(name: str, small: bool) -> None:
    recipe = find(name, small=small)
    paths = list(fields(recipe.dump()))
    assert len(paths) > 100
    for path, value in paths:
        line = f"{'.'.join(path)}={json.dumps(value)}"
        assert with_settings(recipe, [line]) == recipe, line


@pytest.mark.parametrize("name", ["demo", "nddr/table4"])
def test_every_number_and_switch_takes_another_value_and_nothing_else_changes(name: str) -> None:
    recipe = find(name, small=True)
    before = recipe.dump()
    numbers = [(path, value) for path, value in fields(before) if others(value)]
    assert len(numbers) > 60
    for path, value in numbers:
        changed = [found for other in others(value) if (found := accepted(recipe, path, other)) is not None]
        assert changed, f"no other value of {'.'.join(path)} was taken"


def accepted(recipe: Recipe, path: tuple[str, ...], value: Any) -> Recipe | None:
    """The recipe with a field set; None where it refuses the value, saying so of this field."""
    line = f"{'.'.join(path)}={json.dumps(value)}"
    try:
        found = with_settings(recipe, [line])
    except ValueError as error:
        assert str(error).startswith(f"--set {line}: "), error
        return None
    wanted = put(recipe.dump(), path, value)
    assert found.dump() == Recipe.model_validate(wanted).dump(), line
    assert found != recipe, f"{line} changed nothing"
    return found


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (
            "methods.0.shortcut={use: shortcut, channels: 64}",
            lambda r: r.methods[0].method.options["shortcut"].options["channels"] == 64,
        ),
        ("methods.cross_stitch.at=[stem, layer2]", lambda r: r.methods[0].made.at == ("stem", "layer2")),
        ("training.joint.steps=7", lambda r: r.training.joint.steps == 7),
        ("training.single.ema=0.99", lambda r: r.training.single.ema == 0.99),
        ("training.single.clip=5", lambda r: r.training.single.clip == 5.0),
        ("training.single.freeze.streams=3", lambda r: r.training.single.freeze.streams == 3),
        ("training.single.weight_decay=5e-4", lambda r: r.training.single.weight_decay.heads == 5e-4),
        ("training.single.optimizer.lr=1e-5", lambda r: r.training.single.optimizer.options["lr"] == 1e-5),
        (
            "training.connected.schedule={use: step, every: 9}",
            lambda r: r.training.connected.schedule.options["every"] == 9,
        ),
        ("tasks.depth.loss=huber", lambda r: r.tasks["depth"].task.options["loss"] == "huber"),
        ("start={use: scenes, steps: 5}", lambda r: r.start.options["steps"] == 5),
        ("data.augment=[{use: random_crop, size: [24, 32]}]", lambda r: r.data.augment[0].options["size"] == (24, 32)),
        ("methods=[{use: nddr}, {use: ensemble}]", lambda r: [m.title for m in r.methods] == ["NDDR", "ensemble"]),
    ],
)
def test_options_that_were_left_out_can_be_set(line: str, found: Any) -> None:
    assert found(with_settings(tiny(), [line]))


def test_a_line_that_the_recipe_refuses_is_repeated() -> None:
    with pytest.raises(ValueError, match=r"--set training.single.steps=0: training.single.steps: Input should be greater"):
        with_settings(Recipe.model_validate(content()), ["training.single.steps=0"])

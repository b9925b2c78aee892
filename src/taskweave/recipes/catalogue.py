"""Finding a recipe: one of ours by its paper and its table, a YAML file, or a function in somebody's file."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from taskweave import recipes
from taskweave.experiments.data import ONLY, MixtureOf, sets_of
from taskweave.experiments.recipe import Recipe, read
from taskweave.parts import paths_from, unknown
from taskweave.parts.own_code import load_attribute
from taskweave.recipes.usual import Given, Seeds, places


@cache
def _ours() -> dict[str, Callable[..., Recipe]]:
    """{name: its function}: the public functions of demos.py, and of the file tables.py of each paper."""
    papers = [info.name for info in pkgutil.iter_modules(recipes.__path__) if info.ispkg]
    found: dict[str, Callable[..., Recipe]] = {}
    for before, file in [("", "demos"), *((f"{paper}/", f"{paper}.tables") for paper in papers)]:
        module = importlib.import_module(f"taskweave.recipes.{file}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and not name.startswith("_"):
                found[before + name] = function
    return dict(sorted(found.items()))


def names() -> tuple[str, ...]:
    """The recipes that come with taskweave, e.g. ``nddr/table4``."""
    return tuple(_ours())


def summary(name: str) -> str:
    """The first line of what a recipe's function says of itself."""
    return (_ours()[name].__doc__ or "").strip().splitlines()[0]


def find(what: str, *, small: bool = False, data: Given = None, seeds: Seeds = None) -> Recipe:
    """A recipe from ``nddr/table4``, ``my.yaml`` or ``my_file.py:my_recipe``.

    small, data, seeds: given to the recipe's function; a YAML file takes `data` and `seeds` in place of its own, and has
    no small form. data: one path, or a path for each data set by name, where there are several.
    Raises ValueError with what there is, FileNotFoundError for a file that is not there.
    """
    if what.endswith((".yaml", ".yml")):
        return _from_yaml(Path(what), small=small, data=data, seeds=seeds)
    path, colon, function = what.rpartition(":")
    if colon and path.endswith(".py"):
        return _from_file(Path(path), function, small=small, data=data, seeds=seeds)
    if what not in names():
        raise ValueError(unknown(f"recipe {what!r}", what, names()) + "; or give a file: my.yaml, or my_file.py:my_recipe")
    return _call(_ours()[what], what, small=small, data=data, seeds=seeds)


def _from_yaml(path: Path, *, small: bool, data: Given, seeds: Seeds) -> Recipe:
    if not path.is_file():
        raise FileNotFoundError(f"there is no recipe file {path}; `taskweave recipes --show demo` prints one to begin with")
    if small:
        raise ValueError(f"--small asks a recipe of ours for its small form; {path} is as large as it says")
    found = Recipe.from_yaml(path)
    content = found.dump()
    if data is not None:
        _put(content, found, data)
    if seeds is not None:
        content["seeds"] = list(seeds)
    return read(content, str(path))


def _put(content: dict[str, Any], recipe: Recipe, data: Given) -> None:
    """Data sets at other places, the only one or those of a mixture and of further tests by name."""
    sets = sets_of(recipe.data)
    single = isinstance(data, Path) and len(sets) == 1 and not isinstance(recipe.data, MixtureOf)
    if single:
        content["data"]["path"] = str(data)
        return
    for name, path in places(data, dict.fromkeys([*sets, *recipe.further_tests], Path())).items():
        if not (isinstance(data, Mapping) and name in data):
            continue
        inside = content["further_tests"][name]["data"] if name in recipe.further_tests else content["data"]
        (inside if name in recipe.further_tests or name == ONLY else inside["sets"][name])["path"] = str(path)


def _from_file(path: Path, function: str, *, small: bool, data: Given, seeds: Seeds) -> Recipe:
    """What a function of somebody's file makes; the paths of code in its recipe count from the file's folder."""
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path} to take the recipe {function!r} from")
    path = path.resolve()
    made = load_attribute(f"{path}:{function}")
    if not inspect.isfunction(made):
        raise ValueError(f"{function!r} of {path} is a {type(made).__name__}: give a function that makes a recipe")
    with paths_from(path.parent):
        return _call(made, f"{path}:{function}", small=small, data=data, seeds=seeds)


def _call(function: Callable[..., object], what: str, *, small: bool, data: Given, seeds: Seeds) -> Recipe:
    """Call a recipe's function with those options that were given."""
    given = {"small": small or None, "data": data, "seeds": seeds}
    options = {name: value for name, value in given.items() if value is not None}
    taken = inspect.signature(function).parameters
    refused = [name for name in options if name not in taken]
    if refused:
        raise ValueError(f"the recipe {what} has no option {refused[0]!r}; it has {list(taken)}")
    made = function(**options)
    if not isinstance(made, Recipe):
        raise ValueError(f"{what} should return a taskweave.Recipe, got a {type(made).__name__}")
    return made

"""Finding a recipe: one of ours by its path, a YAML file, or a function in somebody's file."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

from taskweave.evaluation.explaining import unknown
from taskweave.evaluation.recipe import Recipe

_NOT_RECIPES = ("catalogue",)


def names() -> tuple[str, ...]:
    """The recipes that come with taskweave, e.g. ``nddr/table4``."""
    package = importlib.import_module("taskweave.recipes")
    found = [info.name for info in pkgutil.walk_packages(package.__path__, "taskweave.recipes.") if not info.ispkg]
    short = [name.removeprefix("taskweave.recipes.").replace(".", "/") for name in found]
    return tuple(sorted(name for name in short if name not in _NOT_RECIPES))


def summary(name: str) -> str:
    """The first line of a recipe's file."""
    return (_module(name).__doc__ or "").strip().splitlines()[0]


def find(what: str, *, small: bool = False, data: Path | None = None, seeds: Sequence[int] | None = None) -> Recipe:
    """A recipe from ``nddr/table4``, ``my.yaml`` or ``my_file.py:my_recipe``.

    small, data, seeds: given to the recipe's function; a YAML file takes `data` and `seeds` in place of its own, and has
    no small form. Raises ValueError with what there is, FileNotFoundError for a file that is not there.
    """
    if what.endswith((".yaml", ".yml")):
        return _from_yaml(Path(what), small=small, data=data, seeds=seeds)
    path, colon, function = what.rpartition(":")
    if colon and path.endswith(".py"):
        return _call(_from_file(Path(path), function), what, small=small, data=data, seeds=seeds)
    if what not in names():
        raise ValueError(unknown(f"recipe {what!r}", what, names()) + "; or give a file: my.yaml, or my_file.py:my_recipe")
    return _call(_module(what).recipe, what, small=small, data=data, seeds=seeds)


def _module(name: str) -> ModuleType:
    return importlib.import_module("taskweave.recipes." + name.replace("/", "."))


def _from_yaml(path: Path, *, small: bool, data: Path | None, seeds: Sequence[int] | None) -> Recipe:
    if not path.is_file():
        raise FileNotFoundError(f"there is no recipe file {path}; `taskweave recipes --show demo` prints one to begin with")
    if small:
        raise ValueError(f"--small asks a recipe of ours for its small form; {path} is as large as it says")
    found = Recipe.from_yaml(path)
    content = found.model_dump(mode="json")
    if data is not None:
        content["data"]["path"] = str(data)
    if seeds is not None:
        content["seeds"] = list(seeds)
    from taskweave.evaluation.recipe import read

    return read(content, str(path))


def _from_file(path: Path, function: str) -> Callable[..., object]:
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path} to take the recipe {function!r} from")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    functions = {name: value for name, value in vars(module).items() if inspect.isfunction(value)}
    if function not in functions:
        raise ValueError(unknown(f"function {function!r} of {path}", function, list(functions)))
    return functions[function]


def _call(
    function: Callable[..., object], what: str, *, small: bool, data: Path | None, seeds: Sequence[int] | None
) -> Recipe:
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

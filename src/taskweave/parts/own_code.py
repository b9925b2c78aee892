"""Code and objects of one's own: loaded by path, known by their content."""

from __future__ import annotations

import ast
import copy
import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

BASE: ContextVar[Path | None] = ContextVar("BASE", default=None)
"""The folder from which the paths of code in a recipe count; None for the working directory."""


_TRUSTED: ContextVar[frozenset[Path] | None] = ContextVar("_TRUSTED", default=None)


class Code(NamedTuple):
    """Where a call of one's own stands.

    name: ``file:name``, the same wherever the file lies.  use: what a recipe names it by.  file: that it is defined in.
    """

    name: str
    use: str
    file: Path

    @property
    def digest(self) -> str:
        """Of the file and of the modules beside it that it imports."""
        return digest_of_code(self.file)


@contextmanager
def paths_from(folder: Path) -> Iterator[None]:
    """Inside, the paths of code in a recipe count from `folder`."""
    token = BASE.set(folder)
    try:
        yield
    finally:
        BASE.reset(token)


@contextmanager
def trusting_only(files: Iterable[Path]) -> Iterator[None]:
    """Inside, no code is imported but that of `files`: for recipes that lie in results and not in the user's hand."""
    token = _TRUSTED.set(frozenset(path.resolve() for path in files))
    try:
        yield
    finally:
        _TRUSTED.reset(token)


def is_ours(call: Callable[..., Any]) -> bool:
    """Whether a call belongs to this package."""
    return call.__module__.partition(".")[0] == "taskweave"


def code_of(call: Callable[..., Any]) -> Code:
    """Where a call of one's own stands.

    Raises:
        ValueError: It was typed into an interactive session, where no other process finds it.
    """
    module = sys.modules.get(call.__module__)
    found = getattr(module, "__file__", None)
    if found is None:
        raise ValueError(f"{call.__name__} is defined in no file, so no other run could find it; write it into a .py file")
    file, qualname = Path(found).resolve(), call.__qualname__
    by_path = call.__module__ == "__main__" or getattr(module, "__taskweave_file__", False)
    return Code(f"{file.stem}:{qualname}", f"{file if by_path else call.__module__}:{qualname}", file)


def load_attribute(name: str) -> Any:
    """What ``file.py:name`` or ``package.module:name`` names; the module is run where it was not yet.

    Raises:
        ValueError: There is no such file, module or name, or the module does not run.
    """
    where, _, attribute = name.rpartition(":")
    trusted = _TRUSTED.get()
    if trusted is not None and Path(where).resolve() not in trusted:
        raise ValueError(
            f"this result names code of its own, {name!r}, which is not run for its sake: give the recipe that you trust "
            "(--recipe my.yaml), or allow the file (--allow my_nets.py)"
        )
    try:
        module = load_file(where) if where.endswith(".py") else importlib.import_module(where)
    except ImportError as error:
        raise ValueError(f"{name!r}: {where} cannot be imported ({error})") from error
    here: Any = module
    for part in attribute.split("."):
        if not hasattr(here, part):
            from taskweave.parts.words import unknown

            raise ValueError(unknown(f"name {attribute!r} in {where}", attribute, [n for n in vars(module) if n[0] != "_"]))
        here = getattr(here, part)
    return here


def load_file(path: str) -> ModuleType:
    """A file as a module, run once for each content, under its own name in `sys.modules`; beside it lie its siblings."""
    file = Path(path).expanduser()
    file = (file if file.is_absolute() else (BASE.get() or Path.cwd()) / file).resolve()
    if not file.is_file():
        raise ValueError(f"there is no file {file}; a path of code counts from the recipe's folder")
    name, digest = file.stem, digest_of_code(file)
    there = sys.modules.get(name)
    if there is not None and getattr(there, "__taskweave_file__", None) == (str(file), digest):
        return there
    if there is not None and not getattr(there, "__taskweave_file__", False):
        if getattr(there, "__file__", None) and Path(str(there.__file__)).resolve() == file:
            return there
        name = f"{file.stem}_{digest[:8]}"  # a module of that name is somebody else's
        if name in sys.modules:
            return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    module.__dict__["__taskweave_file__"] = (str(file), digest)
    sys.modules[name] = module
    with _beside(file):
        try:
            spec.loader.exec_module(module)
        except Exception as error:
            del sys.modules[name]
            raise ValueError(f"{file} does not run: {type(error).__name__}: {error}") from error
    return module


@contextmanager
def _beside(file: Path) -> Iterator[None]:
    """Modules that lie beside a file can be imported by name, and those of an earlier content are not taken."""
    sys.path.insert(0, str(file.parent))
    try:
        yield
    finally:
        sys.path.remove(str(file.parent))


def digest_of_code(file: Path) -> str:
    """The first 16 hex digits of SHA-256 over a file and the modules beside it that it imports, and that these import."""
    together = hashlib.sha256()
    for path in sorted(_with_siblings(file, {})):
        together.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return together.hexdigest()[:16]


def _with_siblings(file: Path, found: dict[Path, None]) -> dict[Path, None]:
    if file in found:
        return found
    found[file] = None
    for name in _imports(file, file.stat().st_mtime_ns):
        for there in (file.parent / f"{name}.py", file.parent / name / "__init__.py"):
            if there.is_file():
                _with_siblings(there.resolve(), found)
    return found


@lru_cache(maxsize=256)
def _imports(file: Path, changed: int) -> tuple[str, ...]:
    """The first words of the modules that a file imports."""
    try:
        tree = ast.parse(file.read_bytes())
    except SyntaxError:
        return ()
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name.partition(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names.append(node.module.partition(".")[0])
        elif isinstance(node, ast.ImportFrom):
            names += [alias.name for alias in node.names]
    return tuple(dict.fromkeys(names))


def class_of(given: Any) -> str:
    """The class of an object, or of the first of several by name."""
    return type(next(iter(given.values())) if isinstance(given, Mapping) else given).__name__


def copied(given: Any) -> Any:
    """A copy of a module; one without values where fresh modules have none, inside ``torch.device("meta")``."""
    import torch

    made = copy.deepcopy(given)
    return made.to("meta") if torch.get_default_device().type == "meta" else made


def known_by(given: Any) -> str:
    """What an object is known by: the `identity` that it states, else the hash of its weights.

    Raises:
        ValueError: It has neither.
    """
    if isinstance(given, Mapping):
        return " ".join(f"{part} {known_by(one)}" for part, one in given.items())
    stated = getattr(given, "identity", None)
    if isinstance(stated, str):
        return stated
    if not hasattr(given, "state_dict"):
        raise ValueError(
            f"a {type(given).__name__} has no weights to be known by: state identity = 'a name and a version' on it"
        )
    import torch

    together = hashlib.sha256(type(given).__qualname__.encode())
    for name, value in given.state_dict().items():
        together.update(name.encode())
        if isinstance(value, torch.Tensor):
            plain = value.detach().cpu().contiguous()
            together.update(
                f"{plain.dtype}{tuple(plain.shape)}".encode() + plain.reshape(-1).view(torch.uint8).numpy().tobytes()
            )
    return together.hexdigest()[:16]

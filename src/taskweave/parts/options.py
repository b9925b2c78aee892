"""What can be called for a part, and its options: the signature is their one source."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from taskweave.parts.words import option_fault, short

if TYPE_CHECKING:
    from pydantic import BaseModel


C = TypeVar("C", bound=Callable[..., Any])


def makes(call: Callable[..., Any], kind: type) -> bool:
    """Whether a class is one of a kind, or a function is annotated to return one."""
    made = made_by(call)
    return inspect.isclass(made) and issubclass(made, kind)


@functools.cache
def made_by(call: Callable[..., Any]) -> Any:
    """The class that a call makes: itself, or what a function is annotated to return; None where that is not said."""
    if inspect.isclass(call):
        return call
    said = getattr(call, "__annotations__", {}).get("return")
    if isinstance(said, str):
        try:
            said = typing.get_type_hints(
                type("_", (), {"__annotations__": {"it": said}}), globalns=getattr(call, "__globals__", {})
            )["it"]
        except NameError:
            return None
    return typing.get_origin(said) or said


def require_callable(call: Any) -> None:
    """Raise ValueError for what cannot be a part: lambdas, builtins, modules, classes of fields."""
    name = getattr(call, "__name__", type(call).__name__)
    if name == "<lambda>":
        raise ValueError("a lambda cannot be a part: no other process could find it; write a function with a name")
    if inspect.isbuiltin(call) or inspect.ismodule(call) or not callable(call) or not hasattr(call, "__module__"):
        raise ValueError(f"{name} is no part: a part is a class or a function with keyword-only options, got {short(call)}")
    if inspect.isclass(call) and (hasattr(call, "__pydantic_fields__") or dataclasses.is_dataclass(call)):
        raise ValueError(f"{name} is a class of fields, no part: write a function with options behind `*` that makes it")


def function(call: Callable[..., Any]) -> Any:
    """The function behind a call: a class's constructor, what a decorator wraps."""
    return inspect.unwrap(call.__init__ if inspect.isclass(call) else call)


@functools.cache
def signature(call: Callable[..., Any]) -> inspect.Signature:
    """Its parameters, without `self`; none of a constructor that is inherited from a library."""
    if inspect.isclass(call):
        owner = next((one for one in call.__mro__ if "__init__" in vars(one)), object)
        if owner is not call and owner.__module__.partition(".")[0] in ("builtins", "torch", "torchvision", "torchmetrics"):
            return inspect.Signature()
    found = inspect.signature(function(call))
    own = list(found.parameters.values())
    return found.replace(parameters=own[1:]) if inspect.isclass(call) and own else found


def positions(call: Callable[..., Any]) -> int:
    """How many of the values that the program gives it takes."""
    parameters = list(signature(call).parameters.values())
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return 99
    return sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)


def states(**facts: Any) -> Callable[[C], C]:
    """State facts of a part that is a function, as class attributes do for a class: `check`, `title`, `usual_stages` ...

    Args:
        facts: Name and value; a fact that depends on the options is a function of them (`Mapping[str, Any]`).
    """

    def state(call: C) -> C:
        for name, value in facts.items():
            setattr(call, name, value)
        return call

    return state


class Where:
    """``Annotated[Path, Where]``: where a file lies. Not part of an identity: what lies there is."""


class Aside:
    """``Annotated[int, Aside]``: an option that changes no result (workers, logs). Not part of an identity."""


@functools.cache
def options_of(call: Callable[..., Any]) -> type[BaseModel]:
    """The pydantic model of a call's keyword-only parameters.

    Raises:
        ValueError: A parameter has no annotation, one that cannot be resolved, or one that is neither JSON nor a part.
    """
    from pydantic import ConfigDict, create_model
    from pydantic.errors import PydanticSchemaGenerationError, PydanticUndefinedAnnotation, PydanticUserError

    name, keyword_only = call.__name__, {}
    for p in signature(call).parameters.values():
        if p.kind is p.VAR_KEYWORD:
            raise ValueError(f"{name} takes **{p.name}: a part names its options; write a function of your own that does")
        if p.kind is p.KEYWORD_ONLY:
            keyword_only[p.name] = p
    if bare := [p for p, it in keyword_only.items() if it.annotation is it.empty]:
        raise ValueError(f"the options {bare} of {name} have no type: annotate them, e.g. {bare[0]}: int = 1")
    hints = _hints(call, {p: it.annotation for p, it in keyword_only.items()})
    fields: dict[str, Any] = {
        p: (hints[p], ... if it.default is it.empty else it.default) for p, it in keyword_only.items()
    }
    config = ConfigDict(extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False, protected_namespaces=())
    try:
        return create_model(name, __config__=config, **fields)
    except (PydanticSchemaGenerationError, PydanticUndefinedAnnotation, PydanticUserError) as error:
        raise ValueError(
            f"an option of {name} is of a type that a recipe cannot hold ({str(error).splitlines()[0]}); options are "
            "numbers, text, paths, lists and mappings of these, or parts"
        ) from error


def default_of(call: Callable[..., Any], option: str) -> Any:
    """The default of an option as it is after checking; None for one without."""
    return _defaults(call).get(option)


@functools.cache
def _defaults(call: Callable[..., Any]) -> dict[str, Any]:
    model = options_of(call)
    fields = {name: field for name, field in model.model_fields.items() if not field.is_required()}
    from pydantic import TypeAdapter

    def checked(name: str, field: Any) -> Any:
        annotation: Any = typing.Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
        return _frozen(TypeAdapter(annotation).validate_python(field.get_default(call_default_factory=True)))

    return {name: checked(name, field) for name, field in fields.items()}


def checked(call: Callable[..., Any], options: dict[str, Any]) -> dict[str, Any]:
    """The options with their defaults, checked alone and against each other."""
    from pydantic import ValidationError

    model, name = options_of(call), call.__name__
    try:
        made = model(**{option: _of_default(model, option, value) for option, value in options.items()})
    except ValidationError as error:
        raise ValueError("; ".join(option_fault(name, list(model.model_fields), e) for e in error.errors())) from error
    found = {}
    for name, field in model.model_fields.items():
        value = _frozen(getattr(made, name))
        found[name] = value.expanduser().absolute() if Where in field.metadata and isinstance(value, Path) else value
        _require_plain(call, name, found[name])
    if (complete := getattr(call, "complete", None)) is not None:  # what is read once, when the recipe is
        found |= _frozen(complete(found))
    check = getattr(call, "check", None)
    if check is not None and _is_of_these_options(call):
        check(found)
    return found


def _is_of_these_options(call: Callable[..., Any]) -> bool:
    """Whether a part's rule is about its own options: a subclass with another constructor has others than its base."""
    if not inspect.isclass(call):
        return True
    checked, made = (next(one for one in call.__mro__ if name in vars(one)) for name in ("check", "__init__"))
    return issubclass(checked, made)


def _of_default(model: type[BaseModel], name: str, value: Any) -> Any:
    """A mapping without `use` changes options of the part that is the default; anything else is as it was given."""
    default: Any = model.model_fields[name].default if name in model.model_fields else None
    if isinstance(value, Mapping) and "use" not in value and hasattr(default, "dump"):
        return default.replace(**value)
    return value


def _hints(call: Callable[..., Any], annotations: dict[str, Any]) -> dict[str, Any]:
    stub = type(call.__name__, (), {"__annotations__": annotations})
    try:
        return typing.get_type_hints(stub, globalns=getattr(function(call), "__globals__", {}), include_extras=True)
    except NameError as error:
        raise ValueError(
            f"an option of {call.__name__} is annotated with {error.name!r}, which its module does not have when it runs "
            "(imported under TYPE_CHECKING?): import it plainly"
        ) from error


def _frozen(value: Any) -> Any:
    """Sequences as tuples, so that equal options are equal however they were written."""
    if isinstance(value, list | tuple):
        return tuple(_frozen(one) for one in value)
    return {key: _frozen(one) for key, one in value.items()} if isinstance(value, dict) else value


def _require_plain(call: Callable[..., Any], name: str, value: Any) -> None:
    if isinstance(value, tuple):
        for one in value:
            _require_plain(call, name, one)
    elif isinstance(value, Mapping):
        for one in value.values():
            _require_plain(call, name, one)
    elif value is not None and not isinstance(value, str | int | float | bool | Path) and not hasattr(value, "dump"):
        raise ValueError(
            f"{call.__name__}.{name} is {value!r}: options are numbers, text, paths, lists and mappings of these, or parts"
        )


def dump_of(value: Any) -> Any:
    """A value of an option as JSON, written out."""
    return _as_json(value, lambda one: one.dump())


def identity_of(value: Any) -> Any:
    """A value of an option as JSON, as far as it determines a result."""
    return _as_json(value, lambda one: one.identity())


def _as_json(value: Any, of_part: Callable[[Any], Any]) -> Any:
    if hasattr(value, "dump") and hasattr(value, "identity"):
        return of_part(value)
    if isinstance(value, Mapping):
        return {str(key): _as_json(one, of_part) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [_as_json(one, of_part) for one in value]
    return str(value) if isinstance(value, Path) else value

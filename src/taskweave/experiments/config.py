"""The manners of a recipe's settings, and settings that stand around a part, on the same level as its options."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer, model_validator

from taskweave.parts import Aside, Part, find, options_of, unknown
from taskweave.parts.kinds import there_is
from taskweave.parts.options import identity_of
from taskweave.parts.words import short


class Setting(BaseModel):
    """Frozen and typed; unknown keys are refused. Known by the fields that are not at their defaults."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    def __getstate__(self) -> dict[Any, Any]:
        """What was worked out of the fields stays behind: another process works it out anew."""
        state = super().__getstate__()
        return {**state, "__dict__": {name: one for name, one in vars(self).items() if name in type(self).model_fields}}

    def identity(self, *, without: Collection[str] = ()) -> dict[str, Any]:
        """All that determines a result, as JSON. Fields at their defaults are left out, so that new ones change nothing.

        Args:
            without: Fields that are not counted.
        """
        found: dict[str, Any] = {}
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            default = None if field.is_required() else field.get_default(call_default_factory=True)
            if name not in without and Aside not in field.metadata and value != default:
                found[name] = identity_of(value)
        return found

    def dump(self) -> dict[str, Any]:
        """Every field written out, as JSON."""
        return self.model_dump(mode="json")


class Around(Setting):
    """A part and what a recipe says of it beside its options, on one level: ``{use: nyuv2_folder, path: ..., size: ...}``.

    Where a part has an option of the same name as a field here, it is the part's.
    """

    around: ClassVar[str]
    """The field that holds the part."""

    @classmethod
    @abstractmethod
    def kind(cls) -> type:
        """What the part makes."""

    @classmethod
    def call_of(cls, use: str) -> Callable[..., Any]:
        """The call that ``use:`` names."""
        return find(use, cls.kind())

    @property
    def part(self) -> Part[Any]:
        found: Part[Any] = getattr(self, self.around)
        return found

    @model_validator(mode="before")
    @classmethod
    def _told_apart(cls, given: Any) -> Any:
        if isinstance(given, cls) or (isinstance(given, Mapping) and cls.around in given and "use" not in given):
            return given
        if not isinstance(given, Mapping) or (given and all(isinstance(one, cls.kind()) for one in given.values())):
            return {cls.around: given}  # a name, a call, or live objects: {"train": a data set, "test": another}
        if not isinstance(use := given.get("use"), str):
            raise ValueError(f"write `use: NAME`, got {short(dict(given))}; {there_is(cls.kind())}")
        call = cls.call_of(use)
        options, own = list(options_of(call).model_fields), [name for name in cls.model_fields if name != cls.around]
        for name in given:
            if name != "use" and name not in options and name not in own:
                raise ValueError(unknown(f"option {name!r} of {use}", str(name), [*options, *own]))
        inner = {name: value for name, value in given.items() if name in options}
        return {cls.around: Part(call, inner)} | {n: v for n, v in given.items() if n in own and n not in options}

    @model_serializer(mode="wrap")
    def _on_one_level(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        outer: dict[str, Any] = handler(self)
        return {**{name: value for name, value in outer.items() if name != self.around}, **outer[self.around]}

    def identity(self, *, without: Collection[str] = ()) -> dict[str, Any]:
        outer = super().identity(without={*without, self.around})
        return {**outer, **self.part.identity()}

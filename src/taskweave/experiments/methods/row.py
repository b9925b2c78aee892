"""A row of a recipe: a method, and what is said of it beside its options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, final

from pydantic import Field, model_validator
from torch import nn

from taskweave.experiments.config import Around
from taskweave.experiments.methods.method import Method
from taskweave.parts import Part, find, known, makes, options_of, part, unknown
from taskweave.units.unit import Unit
from taskweave.weaving.connected import Connected
from taskweave.weighting.weighting import Weighting

if TYPE_CHECKING:
    from taskweave.experiments.plan import Run
    from taskweave.experiments.recipe import Recipe


@final
class Row(Around):
    """A method with its label, networks and weighting.

    The name of a unit means the method `connected` with that unit, the name of a joint network the method `joint` with it.
    """

    around: ClassVar[str] = "method"

    method: Part[Method]
    label: str = ""
    """What the table calls it; unique in a recipe. Empty for the method's own title."""
    network: Part[nn.Module] | None = None
    """What the networks of this row's tasks are; None for the recipe's."""
    networks: dict[str, Part[nn.Module]] = Field(default_factory=dict)
    """By task, where they differ."""
    weighting: Part[Weighting] | None = None
    """How the losses of the tasks of one network are weighed; None: each times the `weight` of its task."""

    @classmethod
    def kind(cls) -> type:
        return Method

    @classmethod
    def call_of(cls, use: str) -> Callable[..., Any]:
        return _method_named(use)

    @model_validator(mode="before")
    @classmethod
    def _of_a_unit_or_joint_network(cls, given: Any) -> Any:
        """What a unit or a joint network means where a method is expected."""
        if isinstance(given, str):
            given = {"use": given}
        if isinstance(given, Mapping):
            return cls._rewritten(given)
        return given if isinstance(given, cls) else _method_with(given)

    @classmethod
    def _rewritten(cls, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """`given` with a unit's or a joint network's name replaced by the method that uses it."""
        name = given.get("use")
        if not isinstance(name, str):
            return given
        call = _method_named(name)
        if makes(call, Method):
            return given
        method, option = ("connected", "unit") if makes(call, Unit) else ("joint", "network")
        options, beside = (
            options_of(call).model_fields,
            {**options_of(find(method, Method)).model_fields, **cls.model_fields},
        )
        inner = {key: value for key, value in given.items() if key in options}
        outer = {key: value for key, value in given.items() if key not in options and key != "use"}
        if strange := next((key for key in outer if key not in beside), None):
            there = [key for key in {**options, **beside} if key not in ("method", option)]
            raise ValueError(unknown(f"option {strange!r} of {name}", strange, there))
        return {"use": method, option: {"use": name, **inner}, **outer}

    @cached_property
    def made(self) -> Method:
        """The method itself."""
        return self.method()

    @property
    def title(self) -> str:
        weighting = f", {self.weighting.title}" if self.weighting is not None else ""
        return self.label or self.made.title + weighting

    @property
    def has_networks(self) -> bool:
        """Whether its networks are its own."""
        return self.network is not None or bool(self.networks)

    @property
    def unit(self) -> Part[Unit] | None:
        """The unit that its streams meet through; None where its method has none."""
        found = self.method.options.get("unit")
        return found if isinstance(found, Part) else None

    def changed(self, *, label: str | None = None, unit: Mapping[str, Any] | None = None, **options: Any) -> Row:
        """The row with another label, and some options of its unit and of its method changed."""
        inner = {} if unit is None or self.unit is None else {"unit": self.unit.replace(**unit)}
        kept = {name: getattr(self, name) for name in self.model_fields_set - {"method", "label"}}
        method = self.method.replace(**inner, **options)
        return Row(method=method, label=self.label if label is None else label, **kept)

    def is_called(self, name: str) -> bool:
        """Whether a command may mean it: by its title, its method, or the unit or joint network of it."""
        inner = [value.name for value in self.method.options.values() if isinstance(value, Part)]
        return name in (self.title, self.method.name, *inner[:1])

    def fold(self, recipe: Recipe) -> Recipe:
        """The recipe with this row's networks; its stages are then those of the row's networks."""
        if not self.has_networks:
            return recipe
        return recipe.model_copy(update={"network": self.network, "networks": self.networks, "at": ()})

    def fold_stages(self, recipe: Recipe) -> tuple[str, ...]:
        """Where its streams meet in a recipe; () where they do not."""
        return self.made.stages(self.fold(recipe)) or ()

    def runs(self, recipe: Recipe, seed: int) -> tuple[Run, ...]:
        """The trainings of this row with one seed."""
        return self.made.runs(self, self.fold(recipe), seed)


def _method_with(given: Any) -> Part[Any]:
    """A Part or callable that makes a unit or joint network as a method."""
    it = given if isinstance(given, Part) else Part(given)
    if makes(it.call, Unit):
        return part(find("connected", Method), unit=it)
    return part(find("joint", Method), network=it) if makes(it.call, Connected) else it


def _method_named(name: str) -> Callable[..., Any]:
    """The call of a method's, a unit's or a joint network's name."""
    if ":" in name:
        from taskweave.parts.kinds import require_one_of
        from taskweave.parts.own_code import load_attribute

        call: Callable[..., Any] = load_attribute(name)
        require_one_of(call, (Method, Unit, Connected))
        return call
    there = {**known(Connected), **known(Unit), **known(Method)}
    if name not in there:
        raise ValueError(unknown(f"method {name!r}", name, [*known(Method), *known(Unit), *known(Connected)]))
    return there[name]

"""Parts: options from a signature, one identity from Python, YAML and a file, refusals before anything is called."""

import functools
import json
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Ge
from pydantic import BaseModel

from taskweave.parts import KINDS, Aside, Kind, Live, Part, Where, known, part, read, states, unknown
from taskweave.parts.options import options_of
from taskweave.parts.words import snake_case

__all__ = ["Saw", "hammer"]


class Tool:
    """A kind for these tests."""


def _title(options: dict[str, Any]) -> str:
    return f"a hammer of {options['weight']:g}"


@states(title=_title, heads=2)
def hammer(
    length: int,
    *,
    weight: Annotated[float, Ge(0)] = 1.5,
    of: Literal["steel", "wood"] = "steel",
    claws: tuple[int, ...] = (),
    where: Annotated[Path | None, Where] = None,
    workers: Annotated[int, Aside] = 1,
) -> Tool:
    tool = Tool()
    tool.made = (length, weight, of, claws)
    return tool


class Saw(Tool):
    revision = 2
    teeth_are = "sharp"

    def __init__(self, length: int, *, teeth: int = 7, handle: Part[Tool] | None = None) -> None:
        self.made = (length, teeth, handle)

    @staticmethod
    def check(options: dict[str, Any]) -> None:
        if options["teeth"] == 13:
            raise ValueError("13 teeth bring no luck")


@pytest.fixture(autouse=True)
def kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, Tool, Kind("tool", ("length",), (__name__,)))


def test_the_signature_is_the_one_source() -> None:
    it = part(hammer, weight=2)
    assert it(9).made == (9, 2.0, "steel", ())
    assert isinstance(it.options["weight"], float)
    assert it.options == {"weight": 2.0, "of": "steel", "claws": (), "where": None, "workers": 1}
    assert list(options_of(hammer).model_fields) == ["weight", "of", "claws", "where", "workers"]


def test_a_list_and_a_tuple_are_one_option() -> None:
    assert part(hammer, claws=[1, 2]) == part(hammer, claws=(1, 2))
    assert part(hammer, claws=[1, 2]).options["claws"] == (1, 2)


def test_defaults_are_no_part_of_an_identity_nor_is_what_changes_no_result() -> None:
    assert part(hammer).identity().keys() == {"use", "code"}
    same = part(hammer, weight=1.5, where=Path("/x"), workers=4)
    assert same.identity() == part(hammer).identity()
    assert part(hammer, of="wood").identity() == {**part(hammer).identity(), "of": "wood"}
    assert part(Saw).identity()["revision"] == 2
    json.dumps(part(Saw, handle=part(hammer, claws=(1,))).identity())


def test_what_is_dumped_has_every_option_and_can_be_read_again() -> None:
    it = part(Saw, teeth=5, handle=part(hammer, weight=3))
    dumped = it.dump()
    assert dumped["handle"]["weight"] == 3.0
    assert dumped["handle"]["of"] == "steel"


def test_facts_stand_on_the_call_or_on_what_it_makes_and_may_ask_the_options() -> None:
    assert part(hammer, weight=4).fact("title") == "a hammer of 4"
    assert part(hammer).fact("heads") == 2
    assert part(Saw).fact("teeth_are") == "sharp"
    assert part(hammer).fact("colour", default="grey") == "grey"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"weigth": 1},
            "unknown option 'weigth' of hammer, did you mean 'weight'.*There is: weight, of, claws, where",
        ),
        ({"weight": -1}, "hammer.weight: input should be greater than or equal to 0, got -1"),
        ({"weight": float("inf")}, "hammer.weight: .*finite"),
        ({"of": "glass"}, "hammer.of: input should be 'steel' or 'wood', got 'glass'"),
        ({"weight": None}, "hammer.weight: input should be a valid number, got None"),
    ],
)
def test_a_wrong_option_is_named_with_what_there_is(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        part(hammer, **options)


def test_rules_across_options_are_asked_when_a_part_is_written() -> None:
    with pytest.raises(ValueError, match="no luck"):
        part(Saw, teeth=13)


def test_a_partial_is_unwrapped() -> None:
    assert read(functools.partial(hammer, weight=2), Tool) == part(hammer, weight=2)


@dataclass
class Fields(Tool):
    x: int = 1


class Model(BaseModel):
    x: int = 1


def positional(length: int, weight: int = 3) -> Tool: ...
def starred(length: int, **options: int) -> Tool: ...
def bare(length: int, *, weight=3) -> Tool: ...
def unsaid(length, *, weight: int = 3): ...
def odd(length: int, *, tool: Tool | None = None) -> Tool: ...


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda length: Tool(), "a lambda cannot be a part"),
        (print, "print is no part"),
        (json, "no tool|is no part|name or a mapping"),
        (Fields, "Fields is a class of fields"),
        (Model, "is a class of fields|is no tool"),
        (positional, r"positional has \['weight'\] before the `\*`; .*def positional\(length, \*, weight\)"),
        (starred, r"starred takes \*\*options"),
        (bare, r"the options \['weight'\] of bare have no type"),
        (unsaid, "unsaid is no tool: it does not say what it returns"),
        (odd, "an option of odd is of a type that a recipe cannot hold"),
        (3, "a tool is a name or a mapping with `use: NAME`, got 3"),
        ({"weight": 3}, "a tool is a name or a mapping with `use: NAME`"),
    ],
)
def test_what_is_no_part_is_refused_by_name(call: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read(call, Tool)


def test_live_objects_are_known_by_what_they_state_and_do_not_travel() -> None:
    tool = Tool()
    with pytest.raises(ValueError, match="state identity"):
        read(tool, Tool)
    tool.identity = "my tool, version 1"
    it = read(tool, Tool)
    assert isinstance(it, Live)
    assert it() is tool
    assert it.identity() == {"use": "given Tool", "known_by": "my tool, version 1"}
    with pytest.raises(ValueError, match="neither with --jobs nor on Ray"):
        pickle.dumps(it)


def test_live_modules_are_known_by_their_weights_and_copied() -> None:
    import torch
    from torch import nn

    net = nn.Linear(2, 1)
    it = read(net, nn.Module)
    assert it() is not net
    assert torch.equal(it().weight, net.weight)
    before = it.identity()
    with torch.no_grad():
        net.weight += 1
    assert read(net, nn.Module).identity() != before


def test_a_room_that_holds_no_such_kind_knows_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, Tool, Kind("tool", ("length",), ("taskweave.units",)))
    assert known(Tool) == {}


def test_words() -> None:
    names = {"CrossStitch": "cross_stitch", "NDDR": "nddr", "VGG16": "vgg16", "RPNVGG16": "rpnvgg16", "deeplab": "deeplab"}
    assert {name: snake_case(name) for name in names} == names
    assert unknown("unit 'x'", "x", ["a", "b"]) == "unknown unit 'x'. There is: a, b"


HEAVY = part(hammer, weight=2.0)


def box(length: int, *, tool: Part[Tool] = HEAVY, second: Part[Tool] | None = None) -> Tool:
    return Tool()


def test_a_mapping_without_use_changes_the_part_that_is_the_default() -> None:
    changed = part(box, tool={"of": "wood"})
    assert changed.options["tool"] == part(hammer, weight=2.0, of="wood")
    assert changed == read({"use": f"{__name__}:box", "tool": {"of": "wood"}}, Tool)
    assert part(box, tool={"use": f"{__name__}:hammer"}).options["tool"] == part(hammer)  # of its own, and its defaults
    with pytest.raises(ValueError, match="unknown option 'off' of hammer, did you mean 'of'"):
        part(box, tool={"off": "wood"})
    with pytest.raises(ValueError, match="a tool is a name or a mapping with `use: NAME`"):
        part(box, second={"of": "wood"})  # which has no default

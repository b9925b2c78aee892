"""taskweave parts: every kind, the parts of one, one part with its options; and the schema that says the same."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from cli.test_commands import taskweave

from taskweave.experiments.schema import recipe_schema
from taskweave.parts import KINDS, known
from taskweave.parts.described import described, first_line
from taskweave.parts.options import options_of
from taskweave.recipes.catalogue import find, names

OWN = '''
import taskweave as tw
from torch import nn

class Doubling(tw.Unit):
    """Every feature twice.

    Args:
        times: How often.
    """

    def __init__(self, shapes, *, times: int = 2) -> None:
        super().__init__(shapes)
        self.times = times

    def forward(self, features):
        return [self.times * feature for feature in features]
'''


def plain(text: str) -> str:
    return " ".join(text.split())


def test_every_kind_and_every_part_of_it_is_listed() -> None:
    said = plain(taskweave("parts").stdout)
    for kind, facts in KINDS.items():
        assert facts.name in said
        assert known(kind), f"there is no {facts.name}"
    assert all(name in said for name in known(next(iter(KINDS))))
    found = json.loads(taskweave("parts", "--json").stdout)
    assert found == {facts.name: list(known(kind)) for kind, facts in KINDS.items()}


@pytest.mark.parametrize("facts", KINDS.values(), ids=lambda facts: facts.name)
def test_a_kind_is_listed_with_what_its_parts_are(facts) -> None:
    kind = next(one for one, said in KINDS.items() if said is facts)
    done = taskweave("parts", facts.name.replace(" ", "_"))
    assert done.returncode == 0, done.stderr
    assert all(name in done.stdout for name in known(kind))
    assert json.loads(taskweave("parts", facts.name, "--json").stdout) == {
        name: first_line(call) for name, call in known(kind).items()
    }


def every_part() -> list[tuple[type, str]]:
    return [(kind, name) for kind in KINDS for name in known(kind)]


@pytest.mark.parametrize(("kind", "name"), every_part(), ids=lambda one: one if isinstance(one, str) else "")
def test_every_part_says_what_it_is_and_what_its_options_are(kind: type, name: str) -> None:
    call = known(kind)[name]
    assert len(first_line(call)) > 10, f"{name} has no docstring"
    silent = [option.name for option in described(call) if not option.what]
    assert not silent, f"the docstring of {name} says nothing of {silent}"
    assert [option.name for option in described(call)] == list(options_of(call).model_fields)


def test_a_part_with_its_options_types_defaults_and_source() -> None:
    said = plain(taskweave("parts", "unit", "cross_stitch").stdout)
    assert "self_weight number 0.9" in said and "per channel | layer channel" in said
    assert "Misra" in said
    assert "must be given" in plain(taskweave("parts", "data set", "nyuv2_folder").stdout)
    schema = json.loads(taskweave("parts", "unit", "cross_stitch", "--json").stdout)
    assert schema["properties"]["use"] == {"const": "cross_stitch"}
    assert schema["properties"]["self_weight"]["type"] == "number" and schema["properties"]["self_weight"]["default"] == 0.9
    assert schema["additionalProperties"] is False


def test_a_part_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(OWN)
    said = plain(taskweave("parts", "unit", "mine.py:Doubling", cwd=tmp_path).stdout)
    assert "Every feature twice." in said and "times whole number 2 How often." in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("unitt",), "unknown kind 'unitt', did you mean 'unit'? There is: unit, head, network"),
        (("unit", "cros_stitch"), "unknown unit 'cros_stitch', did you mean 'cross_stitch'? There is:"),
        (("unit", "deeplab_resnet"), "unknown unit 'deeplab_resnet'"),
        (("unit", "os:system"), "system"),
    ],
)
def test_what_is_not_there_is_told(arguments: tuple[str, ...], words: str) -> None:
    refused = taskweave("parts", *arguments)
    assert refused.returncode == 2
    assert words in plain(refused.stderr)


@pytest.fixture(scope="module")
def schema() -> dict:
    return json.loads(json.dumps(recipe_schema()))


@pytest.fixture(scope="module")
def validator(schema: dict) -> jsonschema.Draft202012Validator:
    """`jsonschema.validate` would check the schema itself anew each time, which takes seconds."""
    return jsonschema.Draft202012Validator(schema)


def test_the_schema_is_whole(schema: dict) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)
    text = json.dumps(schema)
    for kind, facts in KINDS.items():
        key = facts.name.replace(" ", "_")
        assert f'"#/$defs/{key}"' in text or key in ("task", "data_set", "method")  # those are said on one level with more
        there = json.dumps(schema["$defs"][key])
        assert all(f'"const": "{name}"' in there for name in known(kind))
    assert set(schema["$defs"]) >= {"Source", "Row", "TaskEntry"}


@pytest.mark.parametrize("name", names())
def test_every_recipe_of_ours_keeps_to_the_schema(name: str, validator: jsonschema.Draft202012Validator) -> None:
    for small in (False, True):
        validator.validate(yaml.safe_load(find(name, small=small).to_yaml()))


@pytest.mark.parametrize(
    "wrong",
    [
        {"network": {"use": "deeplab_resnet", "boddy": "resnet18"}},
        {"methods": [{"use": "cross_stitch", "per": "pixel"}]},
        {"methods": [{"use": "cross_stitch", "rates": 10}]},
        {"data": {"use": "scenes", "size": [64]}},
        {"training": {"single": {"steps": 0}}},
    ],
    ids=lambda wrong: json.dumps(wrong),
)
def test_an_editor_sees_what_the_recipe_refuses(wrong: dict, validator: jsonschema.Draft202012Validator) -> None:
    good = {
        "data": {"use": "scenes", "size": [64, 64]},
        "tasks": {"segmentation": {}},
        "network": "deeplab_resnet",
        "methods": ["cross_stitch", {"use": "nddr", "order": "paper", "rate": 10}, {"use": "my_units.py:mine", "any": 1}],
    }
    validator.validate(good)
    with pytest.raises(jsonschema.ValidationError):
        validator.validate({**good, **wrong})

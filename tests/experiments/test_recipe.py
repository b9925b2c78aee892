"""Recipes: what they refuse, and how they say so; their hash, their YAML, their schema."""

import copy
import json
from pathlib import Path

import pytest
from experiments.tiny import content, tiny

from taskweave.experiments.overrides import with_settings
from taskweave.experiments.recipe import Recipe, read
from taskweave.experiments.schema import recipe_schema
from taskweave.networks import deeplab_vgg16
from taskweave.parts import part


def refusal(given: dict) -> str:
    with pytest.raises(ValueError) as caught:
        read(given, "my.yaml")
    assert str(caught.value).startswith("my.yaml: ")
    return str(caught.value)


def test_unknown_key_names_the_nearest() -> None:
    message = refusal(content(nmae="x"))
    assert "unknown key 'nmae', did you mean 'name'?" in message
    assert "seeds" in message  # and lists what there is


def test_unknown_key_deep_inside() -> None:
    given = content()
    given["training"]["connected"]["stepps"] = 3
    assert "unknown key 'stepps' in 'training.connected', did you mean 'steps'?" in refusal(given)


def test_unknown_option_of_a_part_lists_that_part_only() -> None:
    message = refusal(content(methods=[{"use": "cross_stitch", "self_wieght": 0.5}]))
    assert "methods.0: unknown option 'self_wieght' of cross_stitch, did you mean 'self_weight'?" in message
    assert "other_weight" in message and "label" in message
    assert "subspaces" not in message
    inside = refusal(content(network={"use": "deeplab_resnet", "head": {"use": "aspp", "rate": [1]}}))
    assert "unknown option 'rate' of ASPP, did you mean 'rates'?" in inside and "network" in inside


def test_unknown_method_names_the_nearest_and_lists_all() -> None:
    message = refusal(content(methods=[{"use": "cross_stich"}]))
    assert "methods.0: unknown method 'cross_stich', did you mean 'cross_stitch'?" in message
    there = message.partition("There is: ")[2].split(", ")
    assert {"single", "ensemble", "shared", "shared_latent", "nddr", "sluice", "cross_connection", "mt_unet"} <= {*there}


def test_a_method_without_a_name() -> None:
    message = refusal(content(methods=[{"until": "layer1"}]))
    assert "methods.0: write `use: NAME`, got {'until': 'layer1'}; there is: " in message and "single" in message


def test_values_of_the_wrong_type_and_missing_keys() -> None:
    given = content()
    given["training"]["single"]["steps"] = "many"
    del given["data"]
    message = refusal(given)
    assert "training.single.steps: Input should be a valid integer" in message
    assert "got 'many'" in message
    assert "'data' is missing" in message


def test_a_task_without_a_network() -> None:
    given = content()
    network = given.pop("network")
    assert "the task 'segmentation' has no network: give `network`, or `networks: {segmentation: ...}`" in refusal(given)
    given["networks"] = {"segmentation": network}
    assert "the task 'normals' has no network" in refusal(given)
    read({**given, "networks": {"segmentation": network, "normals": network}}, "my.yaml")


def test_no_task_and_equal_seeds_and_labels() -> None:
    nothing = refusal(content(tasks={}))
    assert "tasks: a recipe has at least one task; there is: " in nothing
    strange = refusal(content(tasks={"segmentatoin": {}}))
    assert "unknown task 'segmentatoin', did you mean 'segmentation'?" in strange
    for known in ("segmentation", "depth", "normals", "detection", "attributes", "classification", "box_regression", "age"):
        assert known in strange and known in nothing
    assert "seeds must differ, got [1, 1]" in refusal(content(seeds=[1, 1]))
    twice = [{"use": "nddr"}, {"use": "nddr", "order": "paper"}]
    assert "two methods are called ['NDDR']" in refusal(content(methods=twice))


@pytest.mark.parametrize("name", ["runs", "..", "/", ""])
def test_names_that_are_no_folder_of_their_own(name: str) -> None:
    assert "name" in refusal(content(name=name))


def test_python_gets_the_same_words() -> None:
    with pytest.raises(ValueError, match="did you mean 'seeds'"):
        Recipe(**content(seads=[1]))


def test_a_recipe_is_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        tiny().name = "other"  # type: ignore[misc]


def test_choosing_the_best_needs_a_validation_part() -> None:
    given = content()
    given["training"]["connected"]["choose"] = "best"
    assert "data.validation_share" in refusal(given)
    given["data"]["validation_share"] = 0.25
    read(given, "my.yaml")


def test_rows_begin_with_the_baseline_and_its_longer_training() -> None:
    assert [m.title for m in tiny(single_trained_on=True).rows] == ["single", "single, trained on", "cross-stitch"]
    assert [m.title for m in tiny().rows] == ["single", "cross-stitch"]
    # nothing is fine-tuned, so there is nothing to train on for
    only_shared = tiny(single_trained_on=True, methods=[{"use": "shared", "until": "layer1"}])
    assert [m.title for m in only_shared.rows] == ["single", "shared until layer1"]


def test_yaml_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(tiny(notes="a: b").to_yaml())
    again = Recipe.from_yaml(path)
    assert again == tiny(notes="a: b")
    assert again.digest() == tiny().digest()


def test_yaml_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text("- 1")
    with pytest.raises(ValueError, match=r"r\.yaml should hold the keys .*'name'.* got a list"):
        Recipe.from_yaml(path)
    path.write_text("a: [")
    with pytest.raises(ValueError, match="is not YAML"):
        Recipe.from_yaml(path)


def leaves(value: object, path: str = "") -> list[str]:
    if isinstance(value, dict):
        return [leaf for key, inner in value.items() for leaf in leaves(inner, f"{path}.{key}".strip("."))]
    return [path]


OTHER = {
    "data.size": [48, 48],
    "data.statistics": "caffe",
    "data.augment": [{"use": "random_scale"}],
    "data.augment.mirror.p": 0.25,
    "data.validation_share": 0.25,
    "tasks.depth": {},
    "network.head": "aspp_v3",
    "network.body": "resnet18",
    "network.output_stride": 16,
    "network.head.rates": [1],
    "network.head.dropout": 0.5,
    "methods": [{"use": "nddr"}],
    "methods.cross_stitch.rate": 3.0,
    "methods.cross_stitch.unit.self_weight": 0.5,
    "at": ["layer1"],
    "seeds": [7],
}


@pytest.mark.parametrize("path", [p for p in OTHER if p not in ("data.validation_share",)])
def test_the_hash_changes_with_each_field(path: str) -> None:
    recipe = tiny()
    changed = with_settings(recipe, [f"{path}={json.dumps(OTHER[path])}"])
    assert changed != recipe
    assert changed.digest() != recipe.digest()


def test_the_hash_changes_with_every_number_of_the_training() -> None:
    base = tiny().dump()
    unimportant = {"log_every", "checkpoint_every", "checkpoint_seconds", "monitor_every", "workers", "tensorboard"}
    changed = 0
    for name, value in base["training"]["connected"].items():
        if name in unimportant or isinstance(value, bool) or not isinstance(value, int | float):
            continue
        other = copy.deepcopy(base)
        other["training"]["connected"][name] = value + 1
        assert read(other, "x").digest() != tiny().digest(), name
        changed += 1
    assert changed >= 3


def test_the_hash_is_of_what_determines_results() -> None:
    assert tiny(name="other", notes="more").digest() == tiny().digest()
    assert tiny().digest() == tiny().digest()
    given = content()
    given["training"]["connected"]["workers"] = 2
    assert read(given, "x").digest() == tiny().digest()


def test_the_hash_is_canonical_json_by_sha256() -> None:
    import hashlib

    from taskweave.experiments.fingerprint import digest_of

    text = b'{"a":[1,2.5],"b":null}'  # keys sorted, no spaces, whatever order they came in
    assert digest_of({"b": None, "a": [1, 2.5]}) == hashlib.sha256(text).hexdigest()[:16]


def test_json_schema_tells_an_editor_what_there_is() -> None:
    schema = recipe_schema()
    assert set(schema["required"]) == {"data", "tasks"}
    assert schema["additionalProperties"] is False
    assert "description" in schema["properties"]["at"]
    rows = [one["title"] for one in schema["$defs"]["Row"]["anyOf"] if "title" in one]
    assert {"single", "cross_stitch", "mt_unet"} <= set(rows)
    json.dumps(schema)


def test_settings() -> None:
    changed = with_settings(tiny(), ["training.connected.steps=200", "methods.0.unit.per=layer", "tasks.depth.weight=2"])
    assert changed.training.connected.steps == 200
    (stitched,) = changed.methods
    assert stitched.unit is not None and stitched.unit.options["per"] == "layer"
    assert changed.tasks["depth"].weight == 2.0
    (stitched,) = with_settings(tiny(), ["methods.cross_stitch.unit.self_weight=0.5"]).methods
    assert stitched.unit is not None and stitched.unit.options["self_weight"] == 0.5


def test_setting_a_name_starts_that_part_afresh() -> None:
    changed = with_settings(tiny(), ["network.use=deeplab_vgg16", "training.single.optimizer.use=adam"])
    assert changed.network is not None and changed.network == part(deeplab_vgg16)
    assert changed.training.single.optimizer.name == "adam"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("training.connected.stepps=1", "did you mean 'steps'"),
        ("training", "takes dotted.path=value, got 'training'"),
        ("methods.nddr.order=paper", "it takes one of ['0', 'cross_stitch']"),
        ("name.first=x", "there is nothing below 'first'"),
        ("seeds=[", "not YAML"),
    ],
)
def test_settings_that_are_refused(line: str, words: str) -> None:
    with pytest.raises(ValueError) as caught:
        with_settings(tiny(), [line])
    assert words in str(caught.value)
    assert line in str(caught.value)

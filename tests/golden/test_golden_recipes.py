"""Every recipe of ours resolves to what it did before the rooms were moved, but for what translation.py says."""

import gzip
import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from golden.translation import (
    MISSING,
    Difference,
    Leaves,
    differences,
    dropped,
    leaves_of,
    renamed,
    resolved,
    revalued,
    translated,
)

from taskweave.recipes.catalogue import find, names

GOLDEN = Path(__file__).with_name("recipes.json.gz")


def under_data(value: Any, folder: str) -> Any:
    """Paths count from the working directory, which stands as /data in the golden file."""
    here = isinstance(value, str) and value.startswith(folder + "/")
    return "/data" + value.removeprefix(folder) if here else value


@pytest.fixture(scope="module")
def golden() -> dict[str, Leaves]:
    return {recipe: leaves_of(content) for recipe, content in json.loads(gzip.decompress(GOLDEN.read_bytes())).items()}


def test_every_recipe_resolves_to_what_it_did(
    golden: dict[str, Leaves], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    today: dict[str, Leaves] = {}
    for name in names():
        for form, small in (("full", False), ("small", True)):
            content = json.loads(json.dumps(resolved(find(name, small=small))))
            today[f"{name} {form}"] = {
                path: under_data(value, str(Path.cwd())) for path, value in leaves_of(content).items()
            }
    found = differences(translated(golden), today)
    assert not found, f"{len(found)} leaves differ:\n" + "\n".join(found[:40])


def test_the_golden_file_holds_every_recipe_whole(golden: dict[str, Leaves]) -> None:
    """As counted when it was written: 28 recipes in two forms, their rows and their runs."""
    assert len(golden) == 2 * 28
    tops = [{path.split(".")[0] for path in leaves} for leaves in golden.values()]
    assert all(top == {"recipe", "order", "rows", "runs"} for top in tops)
    for name, count in (("rows", 361), ("runs", 511)):
        numbered = {(r, p.split(".")[1]) for r, leaves in golden.items() for p in leaves if p.startswith(f"{name}.")}
        assert len(numbered) == count
    texts = [value for leaves in golden.values() for value in leaves.values() if isinstance(value, str)]
    assert {text.split("/")[1] for text in texts if text.startswith("/")} == {"data"}


OLD = {"a full": {"runs.0.steps": 5, "runs.0.weights": {}, "rows.0.method.kind": "nddr"}}


@pytest.mark.parametrize(
    "path, value, line",
    [
        ("runs.0.steps", 6, "a full: runs.0.steps: 5 became 6"),
        ("runs.0.steps", 5.0, "a full: runs.0.steps: 5 became 5.0"),
        ("runs.0.steps", MISSING, "a full: runs.0.steps: 5 became MISSING"),
        ("runs.0.seed", 0, "a full: runs.0.seed: MISSING became 0"),
    ],
    ids=["changed", "of another type", "missing", "extra"],
)
def test_the_comparison_can_fail(path: str, value: object, line: str) -> None:
    assert differences(OLD, deepcopy(OLD)) == []
    new: dict[str, Leaves] = deepcopy(OLD)
    if value is MISSING:
        del new["a full"][path]
    else:
        new["a full"][path] = value
    assert differences(OLD, new) == [line]


def test_the_golden_leaves_can_fail(golden: dict[str, Leaves]) -> None:
    """On the real content: a rate, a run that is gone, a recipe that is gone."""
    recipe = "nddr/table4 small"
    paths = [p for p in golden[recipe] if p.startswith("runs.") and p.endswith(".options.optimizer.lr")]
    assert paths
    changed = {**golden[recipe], paths[0]: 123.0}
    assert len(differences(golden, {**golden, recipe: changed})) == 1
    without = {p: v for p, v in golden[recipe].items() if not p.startswith("runs.0.")}
    assert len(differences(golden, {**golden, recipe: without})) == len(golden[recipe]) - len(without) > 0
    others = {name: leaves for name, leaves in golden.items() if name != recipe}
    assert len(differences(golden, others)) == len(golden[recipe])


def test_expected_differences_cover_what_they_name_and_must_be_met() -> None:
    new = {"a full": {**OLD["a full"], "runs.0.steps": 6}}
    meant = Difference("a *", "runs.*.steps", 5, 6, "the paper's table 2 prints it")
    assert differences(OLD, new, (meant,)) == []
    for other in (
        meant._replace(recipe="b *"),
        meant._replace(path="rows.*"),
        meant._replace(old=4),
        meant._replace(new=7),
    ):
        assert differences(OLD, new, (other,)) == ["a full: runs.0.steps: 5 became 6", f"expected and not met: {other}"]


def test_rules_translate() -> None:
    rules = (
        renamed(r"(.*)\.kind", r"\1.use"),
        revalued(r".*\.use", {"nddr": "nddr_layer"}),
        dropped(r"runs\.\d+\.weights", {}),
    )
    new = {"runs.0.steps": 5, "rows.0.method.use": "nddr_layer"}
    assert translated(OLD, rules) == {"a full": new}
    assert translated(OLD, (dropped(r".*\.steps", 4, 5),))["a full"].keys() == OLD["a full"].keys() - {"runs.0.steps"}
    with pytest.raises(AssertionError, match="rule 1 of RULES changes nothing"):
        translated(OLD, (rules[0], rules[0]))
    with pytest.raises(AssertionError, match=r"puts two leaves on runs\.0"):
        translated(OLD, (renamed(r"(runs\.0)\..*", r"\1"),))


def test_leaves() -> None:
    content = {"a": [1, {"b": None}], "c": {}, "d": []}
    assert leaves_of(content) == {"a.0": 1, "a.1.b": None, "c": {}, "d": []}

"""What became of the recipes' shape and values since tests/golden/recipes.json.gz was written (commit 9dcb0d1).

`resolved` says what a recipe of today is, `RULES` how an old one reads today where only its shape changed (old_shape.py),
and `EXPECTED_DIFFERENCES` which values were changed on purpose, each with its reason.
A change of shape edits this file alone.
"""

import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from golden import old_shape as shape

from taskweave.experiments.data import sets_of
from taskweave.experiments.methods import Joint
from taskweave.experiments.plan import Run, all_runs, entries
from taskweave.experiments.recipe import Recipe

Leaves = dict[str, Any]
"""{path: value}: ``runs.3.options.optimizer.lr``: 0.001. An empty mapping or list is a leaf of its own."""
Rule = Callable[[Leaves], Leaves]
"""From one recipe's old leaves to new ones."""


class Missing:
    """In place of a value: there is no such leaf."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING = Missing()


class Difference(NamedTuple):
    """Leaves that are meant to differ. recipe, path: globs; recipe: ``nddr/table4 small``. old, new: values, or MISSING."""

    recipe: str
    path: str
    old: Any
    new: Any
    reason: str


def renamed(old: str, new: str) -> Rule:
    r"""Paths by a regular expression over the whole path, e.g. ``renamed(r"(.*)\.kind", r"\1.use")``."""

    def rule(leaves: Leaves) -> Leaves:
        found: Leaves = {}
        for path, value in leaves.items():
            match = re.fullmatch(old, path)
            path = match.expand(new) if match else path
            assert path not in found, f"renamed({old!r}, {new!r}) puts two leaves on {path}"
            found[path] = value
        return found

    return rule


def revalued(path: str, values: Mapping[Any, Any]) -> Rule:
    """Other names for the same values, e.g. ``revalued(r".*\\.use", {"nddr_layer": "nddr"})``."""

    def rule(leaves: Leaves) -> Leaves:
        return {
            p: values[v] if re.fullmatch(path, p) and not isinstance(v, dict | list) and v in values else v
            for p, v in leaves.items()
        }

    return rule


def dropped(path: str, *values: Any) -> Rule:
    """Fields that are no more, where they hold one of these values: any other is a difference."""

    def rule(leaves: Leaves) -> Leaves:
        return {p: v for p, v in leaves.items() if not (re.fullmatch(path, p) and any(same(v, one) for one in values))}

    return rule


def reshaped(leaves: Leaves) -> Leaves:
    """The whole content in today's shape, see old_shape.py. Printed numbers stay as they are."""
    printed = {path: value for path, value in leaves.items() if path.startswith("recipe.printed")}
    old = nested({path: value for path, value in leaves.items() if path not in printed})
    tasks = old["order"]["tasks"]
    recipe, kinds = old["recipe"], {}
    kinds = {name: shape.network(recipe["network"], name)["use"] for name in tasks}
    chosen = {name: shape.task(name, recipe["tasks"][name], kinds) for name in tasks}
    assert not [name for name, one in recipe["tasks"].items() if one is not None and name not in tasks]
    new = {
        "recipe": {
            **{key: recipe[key] for key in ("name", "seeds", "single_trained_on", "evaluation")},
            **shape.networks(recipe["network"], tasks),
            "notes": shape.notes(recipe["notes"]),
            "data": shape.data(recipe["data"]),
            "tasks": chosen,
            "start": shape.start(recipe["start"]),
            "methods": [shape.row(one, tasks) for one in recipe["methods"]],
            "at": recipe["places"],
            "training": shape.training(recipe["training"]),
            "further_tests": {
                name: {**test, "data": shape.data_set(test["data"])} for name, test in recipe["further_tests"].items()
            },
        },
        "order": old["order"],
        "rows": [
            {"title": one["title"], "runs": one["runs"], "row": shape.row(one["method"], tasks)} for one in old["rows"]
        ],
        "runs": [_old_run(one, tasks) for one in old["runs"]],
    }
    shown = {path: value for path, value in printed.items() if not path.startswith("recipe.printed.set_up.")}
    return {**leaves_of(new), **shown}


def _old_run(old: dict[str, Any], tasks: list[str]) -> dict[str, Any]:
    first = old["role"] == "start"
    said = {key: old[key] for key in ("title", "seed", "tasks", "trained", "parents", "steps", "steps_in_all")}
    if first:
        return {**said, "first": True}
    made_as_one = old["method"]["kind"] in shape.MADE_OF
    return {
        **said,
        "first": False,
        "schedule": "none" if old["role"] == "ensemble" else old["role"],
        "measured": old["measured"],
        "sets": old["sets"],
        "networks": {} if made_as_one else {name: shape.network(old["network"], name) for name in old["tasks"]},
        "start": shape.start(old["start"]),
        "row": shape.row(old["method"], tasks),
        "options": None if old["options"] is None else shape.options(old["options"]),
        "weights": old["weights"],
        "weighting": shape.weighting(old["weighting"]),
    }


def nested(leaves: Leaves) -> Any:
    """What `leaves_of` took apart; no key of it has a dot, nor are all keys of a mapping numbers."""
    if "" in leaves:
        return leaves[""]
    below: dict[str, Leaves] = {}
    for path, value in leaves.items():
        key, _, rest = path.partition(".")
        below.setdefault(key, {})[rest] = value
    found = {key: nested(inner) for key, inner in below.items()}
    return [found[str(i)] for i in range(len(found))] if all(key.isdecimal() for key in found) else found


def revised(change: Callable[[dict[str, Any]], None]) -> Rule:
    """A recipe whose content `change` alters on purpose. Printed numbers stay as they are."""

    def rule(leaves: Leaves) -> Leaves:
        printed = {path: value for path, value in leaves.items() if path.startswith("recipe.printed")}
        content = nested({path: value for path, value in leaves.items() if path not in printed})
        change(content)
        return {**leaves_of(content), **printed}

    return rule


def rates_by_kind_of_unit(content: dict[str, Any]) -> None:
    """The rate of a row was that of its shortcut and of its layer mixing, too, which start at random."""
    for run in content["runs"]:
        row = {} if run["first"] else run["row"]
        woven = row.get("connected", row)
        if woven.get("rate") is not None:
            unit = woven["unit"]["use"]
            run["options"]["connection_lr"] = {"shortcut": 1.0, "layer_mixing": 1.0, unit: woven["rate"]}


def shared_in_two_steps(content: dict[str, Any]) -> None:
    """p000 trains its hard sharing "in the procedure in Sec. 2", from single networks; ours began afresh."""
    if not content["recipe"]["name"].startswith("cross_connected"):
        return
    connected = content["recipe"]["training"]["connected"]
    content["recipe"]["training"]["joint"] = None
    content["recipe"]["notes"] = content["recipe"]["notes"].replace(
        "how shared networks are trained (from the start, for as many steps)",
        "which task's single network the shared trunk starts from (segmentation's)",
    )
    singles = {run["trained"][0]: n for n, run in enumerate(content["runs"]) if run.get("schedule") == "single"}
    for run in (run for run in content["runs"] if not run["first"] and run["row"]["use"] == "shared"):
        parents = [singles[task] for task in reversed(content["order"]["tasks"])]
        before = max(content["runs"][n]["steps_in_all"] for n in parents)
        run |= {"schedule": "connected", "options": connected, "parents": parents, "steps": connected["steps"]}
        run["steps_in_all"] = before + run["steps"]
    held = (content["rows"], [run for run in content["runs"] if not run["first"]])
    for row in (*content["recipe"]["methods"], *(one["row"] for holders in held for one in holders)):
        if row["use"] == "shared":
            row["start"] = "single"


RULES: tuple[Rule, ...] = (reshaped, revised(rates_by_kind_of_unit), revised(shared_in_two_steps))
"""In this order. One that changes nothing fails the test."""

EXPECTED_DIFFERENCES: tuple[Difference, ...] = ()
"""One that is not met fails the test."""


def resolved(recipe: Recipe) -> dict[str, Any]:
    """A recipe of today: its fields, its rows, and the runs of its first seed.

    How a set-up reads in words (`printed.set_up`) is left out: its fields are all here themselves.
    """
    rows = entries(recipe.model_copy(update={"seeds": recipe.seeds[:1]}))
    runs = all_runs(rows)
    numbers = {run.digest: number for number, run in enumerate(runs)}
    content = recipe.dump()
    if content["printed"] is not None:
        del content["printed"]["set_up"]
    return {
        "recipe": content,
        "order": {
            "tasks": list(recipe.tasks),
            "sets": list(sets_of(recipe.data)),
            "further_tests": list(recipe.further_tests),
        },
        "rows": [
            {"title": entry.row.title, "row": entry.row.dump(), "runs": [numbers[run.digest] for run in entry.runs]}
            for entry in rows
        ],
        "runs": [_planned(run, numbers) for run in runs],
    }


def _planned(run: Run, numbers: dict[str, int]) -> dict[str, Any]:
    said = {
        "title": run.title,
        "first": run.first,
        "seed": run.seed,
        "tasks": list(run.tasks),
        "trained": list(run.trained),
        "parents": [numbers[parent.digest] for parent in run.parents],
        "steps": run.steps,
        "steps_in_all": run.steps_in_all,
    }
    if run.first:
        return said
    made_as_one = isinstance(run.method, Joint)
    return {
        **said,
        "schedule": run.schedule,
        "measured": list(run.measured),
        "sets": list(run.sets),
        "networks": {} if made_as_one else {task: run.recipe.network_of(task).dump() for task in run.tasks},
        "start": run.recipe.start.dump(),
        "row": run.row.dump(),
        "options": None if run.options is None else run.options.model_dump(mode="json"),
        "weights": run.weights,
        "weighting": None if run.weighting is None else run.weighting.dump(),
    }


def leaves_of(content: Any, path: str = "") -> Leaves:
    """Every value of nested mappings and lists by its path."""
    if not isinstance(content, dict | list) or not content:
        return {path: content}
    items = content.items() if isinstance(content, dict) else enumerate(content)
    found: Leaves = {}
    for key, value in items:
        found |= leaves_of(value, f"{path}.{key}" if path else str(key))
    return found


def translated(old: Mapping[str, Leaves], rules: tuple[Rule, ...] = RULES) -> dict[str, Leaves]:
    """Old leaves, by recipe, as they read today."""
    found = dict(old)
    for number, rule in enumerate(rules):
        before, found = found, {recipe: rule(leaves) for recipe, leaves in found.items()}
        assert found != before, f"rule {number} of RULES changes nothing: delete it"
    return found


def same(old: Any, new: Any) -> bool:
    """Equal and of one type: 1, 1.0 and True differ."""
    return type(old) is type(new) and old == new


def differences(
    old: Mapping[str, Leaves], new: Mapping[str, Leaves], expected: tuple[Difference, ...] = EXPECTED_DIFFERENCES
) -> list[str]:
    """A line for each leaf that differs and is not expected to, and for each expected difference that is not met."""
    found, met = [], set()
    for recipe in sorted(old.keys() | new.keys()):
        was, now = old.get(recipe, {}), new.get(recipe, {})
        for path in sorted(was.keys() | now.keys()):
            a, b = was.get(path, MISSING), now.get(path, MISSING)
            if same(a, b):
                continue
            meant = [n for n, one in enumerate(expected) if _covers(one, recipe, path, a, b)]
            met.update(meant)
            if not meant:
                found.append(f"{recipe}: {path}: {a!r} became {b!r}")
    return found + [f"expected and not met: {one}" for n, one in enumerate(expected) if n not in met]


def _covers(one: Difference, recipe: str, path: str, old: Any, new: Any) -> bool:
    return fnmatchcase(recipe, one.recipe) and fnmatchcase(path, one.path) and same(one.old, old) and same(one.new, new)

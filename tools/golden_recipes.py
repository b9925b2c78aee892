"""Write what every recipe of ours resolves to, full and small, into one file that later changes are compared with.

    .venv/bin/python tools/golden_recipes.py [--out tests/golden/recipes.json.gz]

The file in tests/golden was written at commit 9dcb0d1, before the rooms were moved, and is not written anew: where a recipe
changes shape, tests/golden/translation.py says how. This script therefore runs at that commit only:

    git worktree add /tmp/before 9dcb0d1 && cp tools/golden_recipes.py /tmp/before/tools/
    PYTHONPATH=/tmp/before/src .venv/bin/python /tmp/before/tools/golden_recipes.py --out /tmp/recipes.json.gz

Paths count from the working directory, which stands as /data. Keys are sorted, so the orders that matter are lists.
"""

from __future__ import annotations

import argparse
import gzip
import json
from pathlib import Path
from typing import Any

from taskweave.evaluation.choices.mixture import sets_of
from taskweave.evaluation.planning import Run, all_runs, entries
from taskweave.evaluation.recipe import Recipe, usual_places

from taskweave.recipes.catalogue import find, names

DATA = "/data"


def resolved(recipe: Recipe) -> dict[str, Any]:
    """A recipe's fields, its rows, and the runs of its first seed."""
    rows = entries(recipe.model_copy(update={"seeds": recipe.seeds[:1]}))
    runs = all_runs(rows)
    numbers = {run.digest: number for number, run in enumerate(runs)}
    return {
        "recipe": recipe.model_dump(mode="json"),
        "order": {
            "tasks": list(recipe.tasks.chosen),
            "sets": list(sets_of(recipe.data)),
            "further_tests": list(recipe.further_tests),
        },
        "rows": [
            {
                "title": row.method.title,
                "method": row.method.model_dump(mode="json"),
                "places": list(usual_places(row.method, recipe)),
                "runs": [numbers[run.digest] for run in row.runs],
            }
            for row in rows
        ],
        "runs": [planned(run, numbers) for run in runs],
    }


def planned(run: Run, numbers: dict[str, int]) -> dict[str, Any]:
    """One run. parents: by their numbers in the list of runs."""
    start = run.role == "start"
    return {
        "title": run.title,
        "role": run.role,
        "seed": run.seed,
        "tasks": list(run.tasks),
        "trained": list(run.trained),
        "measured": list(run.measured),
        "sets": [] if start else list(run.sets),
        "parents": [numbers[parent.digest] for parent in run.parents],
        "network": run.recipe.network.model_dump(mode="json"),
        "start": run.recipe.start.model_dump(mode="json"),
        "method": None if run.method is None else run.method.model_dump(mode="json"),
        "options": None if run.options is None else run.options.model_dump(mode="json"),
        "weights": {} if start else run.weights,
        "weighting": None if run.weighting is None else run.weighting.model_dump(mode="json"),
        "steps": run.steps,
        "steps_in_all": run.steps_in_all,
    }


def at(value: Any, folder: str) -> Any:
    """The same with every path under `folder` under `DATA`."""
    if isinstance(value, dict):
        return {key: at(inner, folder) for key, inner in value.items()}
    if isinstance(value, list):
        return [at(inner, folder) for inner in value]
    under = isinstance(value, str) and value.startswith(folder + "/")
    return DATA + value.removeprefix(folder) if under else value


def main() -> None:
    """Resolve them all, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "tests" / "golden" / "recipes.json.gz")
    out: Path = parser.parse_args().out
    found = {
        f"{name} {'small' if small else 'full'}": at(resolved(find(name, small=small)), str(Path.cwd()))
        for name in names()
        for small in (False, True)
    }
    text = json.dumps(found, sort_keys=True, indent=0)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    main()

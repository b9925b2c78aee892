"""Recipes whose data are not on this machine. A place that was said with --data and is not there is a mistake: 2."""

from pathlib import Path

import pytest
from cli.test_commands import taskweave
from experiments.tiny import content

from taskweave.experiments.agreement import absent_data
from taskweave.recipes.catalogue import find, names


def test_a_recipe_without_its_data_prints_its_command_and_is_not_run(tmp_path: Path) -> None:
    said = taskweave("compare", "nddr/table4", "--seeds", "1,2", "--out", "results", cwd=tmp_path)
    assert said.returncode == 3
    command, why = said.stdout.splitlines()
    assert command == "taskweave compare nddr/table4 --seeds 1,2 --out results"
    place = tmp_path / "datasets" / "nyu_v2"
    assert why == f"not run: no data: {place} does not exist; say where the data are with --data PATH"
    assert said.stderr == ""
    assert not (tmp_path / "results").exists()


def test_data_sets_are_asked_for_by_name(tmp_path: Path) -> None:
    said = taskweave("compare", "cross_connected/table1", cwd=tmp_path)
    assert said.returncode == 3
    assert "not run: no data: " in said.stdout
    assert said.stdout.splitlines()[1].endswith("=PATH")
    assert "--data caltech=PATH --data cityscapes=PATH" in said.stdout


def test_data_that_are_there_are_not_absent(tmp_path: Path) -> None:
    from taskweave.experiments.recipe import Recipe

    assert absent_data(Recipe.model_validate(content())) == {}  # generated scenes lie nowhere
    folder = content(data={"use": "nyuv2_folder", "path": str(tmp_path), "size": [32, 48]})
    assert absent_data(Recipe.model_validate(folder)) == {}
    (tmp_path / "file").touch()
    folder["data"]["path"] = str(tmp_path / "none")
    assert absent_data(Recipe.model_validate(folder)) == {"data": tmp_path / "none"}


@pytest.mark.parametrize("name", [name for name in names() if not name.startswith("demo")])
def test_every_full_size_recipe_names_its_data(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert absent_data(find(name)), f"{name}: found its data in an empty folder"

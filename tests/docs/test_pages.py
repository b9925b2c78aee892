"""What the pages say can be done can be done: commands parse, recipes load, fields exist, code runs."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from pydantic import BaseModel

from taskweave.cli.app import app
from taskweave.experiments.columns import columns_of
from taskweave.experiments.config import Around
from taskweave.experiments.data import FurtherTest, MixtureOf, Regions, Source
from taskweave.experiments.methods.row import Row as RecipeRow
from taskweave.experiments.overrides import with_settings
from taskweave.experiments.recipe import Evaluation, Recipe, Training, read
from taskweave.experiments.tasks import TaskEntry
from taskweave.metrics import DetectionMetric
from taskweave.parts import KINDS, known, makes
from taskweave.results.comparison import ComparisonResult, Mark, Row
from taskweave.training import TrainingOptions

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
RECIPES = ROOT / "docs" / "recipes.md"


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), flags=re.DOTALL)


def commands(page: Path) -> list[list[str]]:
    """Every command of a page's shell blocks, in words, comments and redirections left out."""
    lines = [line for block in blocks(page, "sh") for line in block.splitlines()]
    words = [shlex.split(line, comments=True) for line in lines]
    return [line[: line.index(">")] if ">" in line else line for line in words if line]


TASKWEAVE = [(page.name, line[1:]) for page in PAGES for line in commands(page) if line[0] == "taskweave"]


def parse(arguments: list[str]) -> None:
    """As the command line does, without running anything."""
    group = typer.main.get_command(app)
    name, *rest = arguments
    with group.make_context("taskweave", [name, *rest]) as context:
        command = group.get_command(context, name)  # type: ignore[attr-defined]
        assert command is not None, f"there is no command {name!r}"
        command.make_context(name, rest, parent=context)


@pytest.mark.parametrize(("page", "arguments"), TASKWEAVE, ids=[" ".join(line) for _, line in TASKWEAVE])
def test_commands_parse(page: str, arguments: list[str]) -> None:
    parse(arguments)


def test_a_command_that_is_wrong_is_noticed() -> None:
    assert len(TASKWEAVE) >= 10
    for wrong in (["compere", "x.yaml"], ["compare", "x.yaml", "--seed", "1"], ["predict", "results/runs/x"]):
        with pytest.raises(Exception, match=r"(?i)no such|missing|there is no command"):
            parse(wrong)


def test_the_scripts_commands_exist() -> None:
    known = re.findall(r"^  ([a-z-]+)\) ", (ROOT / "dev").read_text(), flags=re.MULTILINE)
    asked = [line[1] for page in [*PAGES, ROOT / "CONTRIBUTING.md"] for line in commands(page) if line[0] == "./dev"]
    assert asked and set(asked) <= set(known)


def test_the_recipe_loads_and_every_setting_applies() -> None:
    recipe, *_ = [read(yaml.safe_load(text), "docs/recipes.md") for text in blocks(RECIPES, "yaml")]
    assert [m.title for m in recipe.rows] == [
        *("single", "single, trained on", "shared until layer4", "cross-stitch"),
        *("NDDR as the text has it", "cross-connected"),
    ]
    decay = recipe.training.single.weight_decay
    assert (decay.streams, decay.heads, decay.connections) == (5e-4, 5e-4, 5e-4)
    lines = [line[i + 1] for line in commands(RECIPES) for i, word in enumerate(line) if word == "--set"]
    assert len(lines) >= 4
    for line in lines:
        assert with_settings(recipe, [line]) != recipe, line


def test_the_python_block_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = blocks(RECIPES, "python")
    exec(compile(block, "docs/recipes.md", "exec"), {})
    assert "['single', 'single, trained on', 'cross-stitch']" in capsys.readouterr().out


@pytest.mark.slow
def test_the_sweep_in_python_can_be_planned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (block,) = blocks(ROOT / "docs" / "sweeps.md", "python")
    scope: dict[str, Any] = {}
    exec(compile(block, "docs/sweeps.md", "exec"), scope)
    assert scope["planned"].state == "planned" and not list(tmp_path.iterdir())
    assert "results/demo-sweep-init" in capsys.readouterr().out
    titles = [item.run.title for item in scope["planned"].estimate.missing]
    assert titles[-2:] == ["cross-stitch (0.9, 0.1), seed 0", "cross-stitch (0.5, 0.5), seed 0"]


@pytest.mark.slow
def test_the_training_on_two_data_sets_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TASKWEAVE_CACHE", str(tmp_path / "cache"))
    (block,) = blocks(ROOT / "docs" / "concepts.md", "python")
    scope: dict[str, Any] = {}
    exec(compile(block, "docs/concepts.md", "exec"), scope)
    assert scope["result"].finished and (tmp_path / "runs" / "two-sets" / "weights.safetensors").is_file()
    rows = (tmp_path / "runs" / "two-sets" / "log.csv").read_text()
    assert "loss.detection" in rows and "loss.segmentation" in rows
    assert [set(scope["mixture"][i]) & set(scope["tasks"]) for i in (0, 15)] == [{"detection"}, {"segmentation"}]


NOT_NAMED = {"unit", "head", "metric"}
"""Kinds of which the page names those that stand in a recipe's own fields; `taskweave parts` lists them all."""


@pytest.mark.parametrize("kind", [kind for kind, said in KINDS.items() if said.name not in NOT_NAMED])
def test_the_page_names_every_part(kind: type) -> None:
    text = RECIPES.read_text()
    assert known(kind), "a kind without parts shows nothing"
    missing = [name for name in known(kind) if not re.search(rf"\b{name}\b", text)]
    assert not missing, f"docs/recipes.md does not mention the {KINDS[kind].name} {missing}"


def test_the_page_names_every_metric_of_boxes() -> None:
    (kind,) = (kind for kind, said in KINDS.items() if said.name == "metric")
    names = [name for name, call in known(kind).items() if makes(call, DetectionMetric)]
    assert len(names) >= 3
    assert not [name for name in names if f"`{name}`" not in RECIPES.read_text()]


def test_the_mixture_on_the_page_is_what_it_says() -> None:
    recipe = read(yaml.safe_load(blocks(RECIPES, "yaml")[1]), "docs/recipes.md")
    assert [(c.task, c.data, c.further) for c in columns_of(recipe)] == [
        *[("segmentation", "rooms", False), ("detection", "streets", False), ("detection", "elsewhere", True)]
    ]


OF_RECIPES = [Recipe, Training, Evaluation, TrainingOptions, Source, MixtureOf, Regions, FurtherTest, TaskEntry, RecipeRow]


@pytest.mark.parametrize("model", [*OF_RECIPES, ComparisonResult, Row, Mark])
def test_the_page_names_every_field(model: type[BaseModel]) -> None:
    text = RECIPES.read_text()
    fields = [name for name in model.model_fields if not (issubclass(model, Around) and name == model.around)]
    missing = [name for name in fields if not re.search(rf"`\.?(\w+\.)?{name}`|^ *{name}:", text, re.MULTILINE)]
    assert not missing, f"docs/recipes.md does not mention {missing} of {model.__name__}"

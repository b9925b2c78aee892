"""taskweave sweep: its help, what it refuses, what it would take, and a sweep in two processes."""

from pathlib import Path

import pytest
import yaml
from cli.test_commands import taskweave
from experiments.tiny import content

from taskweave.experiments.sweeps.axes import AXES
from taskweave.results.comparison import ComparisonResult


@pytest.fixture
def place(tmp_path: Path) -> Path:
    quick = content(evaluation={"batch_size": 4, "pictures": 0})
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(quick))
    return tmp_path


def test_help_teaches_every_axis() -> None:
    text = taskweave("sweep", "--help").stdout
    lines = [line.split()[0] for line in text.splitlines() if line.strip()]
    for axis in AXES:
        assert axis.name in lines, f"{axis.name} has no line of its own:\n{text}"
    for option in ("--values", "--method", "--jobs", "--ray", "--dry-run", "--max-minutes", "--small", "--data", "--out"):
        assert option in text
    assert "taskweave sweep split cross_stitch/figure2" in text
    assert "All its machines must see --out" in " ".join(text.split())
    assert "sweep" in taskweave("--help").stdout


def test_what_does_not_fit_is_refused(place: Path) -> None:
    said = taskweave("sweep", "splits", "tiny.yaml", cwd=place)
    assert said.returncode == 2
    assert "unknown axis 'splits', did you mean 'split'? There is: split, init, lr" in " ".join(said.stderr.split())
    said = taskweave("sweep", "lr", "tiny.yaml", "--values", "1,fast", cwd=place)
    assert said.returncode == 2
    assert "got 'fast'" in said.stderr
    said = taskweave("sweep", "split", "tiny.yaml", "--jobs", "0", cwd=place)
    assert said.returncode == 2


@pytest.mark.slow
def test_dry_run(place: Path) -> None:
    said = taskweave("sweep", "split", "tiny.yaml", "--dry-run", "--out", "out", cwd=place)
    assert said.returncode == 0, said.stderr
    assert "8 runs to train, 0 stored" in said.stdout, "two alone, five splits, cross-stitch"
    assert "shared until layer3, seed 0" in said.stdout
    assert not (place / "out").exists()


@pytest.mark.slow
def test_in_two_processes(place: Path) -> None:
    asked = ("sweep", "split", "tiny.yaml", "--values", "layer4", "--out", "out", "--jobs", "2")
    said = taskweave(*asked, cwd=place)
    assert said.returncode == 0, said.stderr
    assert "4 runs to train, 0 stored" in said.stdout
    folder = place / "out" / "tiny-sweep-split"
    result = ComparisonResult.load(folder / "comparison.json")
    assert result.methods == ("single", "shared until layer4", "cross-stitch")
    assert f"charts: {folder / 'charts'}" in said.stdout and "pictures: " not in said.stdout
    assert (folder / "charts" / "sweep-split.png").is_file() and (folder / "charts" / "sweep-split.svg").is_file()

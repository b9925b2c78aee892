"""A comparison's folder holds all that pages show: no weight, network, recipe or data is needed to write them again."""

import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from experiments.tiny import tiny

from taskweave.experiments.comparison import compare
from taskweave.reporting import write_report

METHODS = [{"use": "cross_stitch"}, {"use": "nddr", "label": "NDDR"}]
FORBIDDEN = ("experiments", "recipes", "training", "tasks", "networks", "weaving", "units", "streams", "heads", "data")
ALONE = textwrap.dedent("""
    import sys
    from importlib.abc import MetaPathFinder
    from pathlib import Path

    class Refuse(MetaPathFinder):
        def find_spec(self, name, path=None, target=None):
            if name.startswith(tuple(f"taskweave.{room}" for room in sys.argv[3].split(","))):
                raise AssertionError(f"{name} is imported")

    sys.meta_path.insert(0, Refuse())
    if sys.argv[2] == "write_report":
        from taskweave.reporting import write_report
        write_report(Path(sys.argv[1]))
    else:
        from taskweave.cli.report import Format, report
        report(Path(sys.argv[1]), no_images=False, form=Format.HTML, out=None)
""")


def alone(folder: Path, how: str) -> None:
    """Write a report in an interpreter that can import no room but what reports are made of."""
    said = subprocess.run(
        [sys.executable, "-c", ALONE, str(folder), how, ",".join(FORBIDDEN)], capture_output=True, text=True
    )
    assert said.returncode == 0, said.stderr


def shown(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_a_report_is_written_again_without_weights_or_networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASKWEAVE_CACHE", str(tmp_path / "cache"))
    watched = {"steps": 2, "batch_size": 2, "precision": "32", "log_every": 1, "monitor_every": 1}
    recipe = tiny(methods=METHODS, training={"single": watched, "connected": watched}, seeds=[0, 1])
    folder = compare(recipe, folder=tmp_path / "results").folder
    assert not (folder / "charts").exists(), "experiments draw no chart"
    written = {path.name for path in write_report(folder)}
    assert {"gains.png", "losses.png", "sharing-map.png", "alphas-cross-stitch.png", "transfer-gaps.png"} <= written
    assert any(name.startswith("class-gains-") for name in written)
    before = shown(folder)
    for weights in (tmp_path / "results" / "runs").rglob("*.safetensors"):
        weights.unlink()
    shutil.rmtree(tmp_path / "cache")
    (folder / "recipe.yaml").unlink()
    shutil.rmtree(folder / "charts")
    for name in ("table.md", "table.csv", "report.html"):
        (folder / name).unlink()
    alone(folder, "write_report")
    del before["recipe.yaml"]
    assert shown(folder) == before
    shutil.rmtree(folder / "charts")
    (folder / "report.html").unlink()
    alone(folder, "report")
    assert shown(folder) == before


def test_the_check_can_fail(tmp_path: Path) -> None:
    script = ALONE.replace("from taskweave.reporting import write_report", "import taskweave.experiments.recipe")
    said = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path), "write_report", "experiments"], capture_output=True, text=True
    )
    assert "taskweave.experiments is imported" in said.stderr

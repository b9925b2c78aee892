"""The command line as people meet it: in processes of its own."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pytest
from experiments.tiny import content, tiny
from PIL import Image
from reporting.parsed_page import check

from taskweave.cli.app import app
from taskweave.cli.mistakes import told

COMMAND = [sys.executable, "-c", "from taskweave.cli.app import main; main()"]


class Said(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


def taskweave(*arguments: str, cwd: Path | None = None, cache: Path | None = None) -> Said:
    """The command in this process: as in one of its own, without loading torch again."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setenv("COLUMNS", "200")
        patch.setenv("TASKWEAVE_CACHE", str(cache or cwd or "/tmp"))
        patch.setattr(sys, "argv", ["taskweave", *arguments])
        if cwd is not None:
            patch.chdir(cwd)
        code = told(app)
    return Said(code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny recipe, compared once by the command line."""
    place = tmp_path_factory.mktemp("cli")
    (place / "tiny.yaml").write_text(tiny().to_yaml())
    done = taskweave("compare", "tiny.yaml", "--out", "out", cwd=place)
    assert done.returncode == 0, done.stderr
    (place / "printed.txt").write_text(done.stdout)
    return place


def test_no_traceback_from_the_installed_command(tmp_path: Path) -> None:
    run = subprocess.run([*COMMAND, "compare", "none.yaml"], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert run.returncode == 2
    assert run.stderr.startswith("taskweave: there is no recipe file none.yaml")
    assert "Traceback" not in run.stderr


def loaded_by(*arguments: str) -> set[str]:
    """What the command imports in a process of its own: top-level packages, of taskweave its rooms."""
    code = f"import sys; sys.argv = ['taskweave', *{arguments}]\n"
    code += "from taskweave.cli.app import main\ntry:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
    code += "print('\\nloaded', *sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Usage: taskweave" in run.stdout
    modules = run.stdout.rpartition("\nloaded ")[2].split()
    return {".".join(m.split(".")[: 2 if m.startswith("taskweave.") else 1]) for m in modules}


SLOW_TO_LOAD = {"torch", "numpy", "yaml", "rich", "matplotlib", "lightning", "torchvision", "timm", "scipy", "jinja2"}
LIGHT = {"taskweave", "taskweave.cli", "taskweave.lazy"}


@pytest.mark.parametrize("arguments", [("--help",), ("compare", "--help")], ids=" ".join)
def test_help_is_instant(arguments: tuple[str, ...]) -> None:
    """It loads typer and the command line's own room; no other room, and no library that takes long to load."""
    loaded = loaded_by(*arguments)
    assert not loaded & SLOW_TO_LOAD
    assert {one for one in loaded if one.startswith("taskweave")} == LIGHT
    assert "typer" in loaded, "the check sees what is loaded"


def test_help_does_not_import_torch() -> None:
    code = "import sys; sys.argv = ['taskweave', 'compare', '--help']\n"
    code += "from taskweave.cli.app import app\ntry:\n    app()\nexcept SystemExit:\n    pass\n"
    code += "print([m for m in ('torch', 'numpy', 'lightning', 'matplotlib') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip().endswith("[]")
    assert "--dry-run" in run.stdout


def test_help_shows_how_each_command_is_used() -> None:
    assert "Begin with `taskweave demo`" in taskweave("--help").stdout
    for command in ("compare", "run", "recipes", "parts", "report", "predict"):
        text = taskweave(command, "--help").stdout
        examples = [line for line in text.splitlines() if line.strip().startswith(f"taskweave {command} ")]
        assert examples, f"{command} --help shows no use of it:\n{text}"


def test_options_of_one_name_say_what_they_are_for() -> None:
    assert "Folder of all results" in taskweave("compare", "--help").stdout
    assert "Folder of all results" not in taskweave("predict", "--help").stdout


@pytest.mark.parametrize("command", [("compare", "demo"), ("demo",), ("run", "demo")], ids=" ".join)
def test_ctrl_c_before_anything_has_begun_says_a_word(command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("taskweave.cli.options.chosen", interrupted)
    stopped = taskweave(*command)
    assert stopped.returncode == 130
    assert stopped.stderr.startswith("taskweave: stopped at once; the same command goes on")


def test_a_fault_in_ones_own_recipe_is_shown_where_it_is(tmp_path: Path) -> None:
    """A traceback is of more use there than "division by zero"."""
    (tmp_path / "mine.py").write_text("def recipe():\n    return 1 / 0\n")
    with pytest.raises(ZeroDivisionError):
        taskweave("compare", f"{tmp_path / 'mine.py'}:recipe", cwd=tmp_path)


@pytest.mark.slow
def test_compare_prints_time_table_and_places(place: Path) -> None:
    printed = (place / "printed.txt").read_text()
    assert "3 runs to train, 0 stored; expected:" in printed
    assert "cross-stitch" in printed and "mIoU" in printed and "gain" in printed
    assert f"pictures: {place / 'out' / 'tiny' / 'pictures'}" in printed
    result = json.loads((place / "out" / "tiny" / "comparison.json").read_text())
    assert result["command"].startswith("taskweave compare tiny.yaml")
    assert "Traceback" not in printed


@pytest.mark.slow
def test_compare_says_how_to_get_the_page_and_there_it_is(place: Path) -> None:
    assert f"as one page: {place / 'out' / 'tiny' / 'report.html'}\n" in (place / "printed.txt").read_text()
    told = taskweave("report", "out/tiny", cwd=place)
    assert told.returncode == 0, told.stderr
    folder = place / "out" / "tiny"
    page = check((folder / "report.html").read_text())
    drawn = [{path.stem for path in (folder / name).glob("*.png")} for name in ("charts", "pictures")]
    assert all(drawn) and len(page.all("img")) == sum(len(names) for names in drawn)
    assert "For your own use" not in page.root.text, "generated scenes may be shown"
    for package in ("python", "torch", "numpy", "taskweave"):
        assert any(one.words.startswith(f"{package} ") for one in page.all("span")), package


@pytest.mark.slow
def test_again_it_trains_nothing_and_prints_the_same_table(place: Path) -> None:
    again = taskweave("compare", "tiny.yaml", "--out", "out", cwd=place)
    assert "nothing to train" in again.stdout
    table = [line for line in again.stdout.splitlines() if "cross-stitch" in line and "│" in line]
    assert table and all(line in (place / "printed.txt").read_text() for line in table)


@pytest.mark.slow
def test_dry_run(place: Path) -> None:
    planned = taskweave("compare", "tiny.yaml", "--out", "elsewhere", "--dry-run", "--seeds", "0,1", cwd=place)
    assert planned.returncode == 0
    assert re.search(r"6 runs to train, 0 stored; expected: \d+ (s|min), \d+ MB of disk", planned.stdout), planned.stdout
    for word in ("steps", "parameters", "GFLOPs a picture", "expected", "cross-stitch, seed 1"):
        assert word in planned.stdout
    assert not (place / "elsewhere").exists()


@pytest.mark.slow
def test_max_minutes_says_how_to_go_on(place: Path) -> None:
    stopped = taskweave("compare", "tiny.yaml", "--set", "at=[layer4]", "--out", "later", "--max-minutes", "0", cwd=place)
    assert stopped.returncode == 0, stopped.stderr
    again = "go on with: taskweave compare tiny.yaml --set 'at=[layer4]' --out later --max-minutes 0\n"
    assert again in stopped.stdout, "brackets are no markup"
    refused = taskweave("compare", "tiny.yaml", "--max-minutes", "-1", cwd=place)
    assert refused.returncode == 2
    assert "--max-minutes" in refused.stderr


@pytest.mark.slow
def test_demo_ends_with_a_table_and_pictures_and_again_shows_them_at_once(tmp_path: Path) -> None:
    """Its own recipe with one step for each training, of few pictures."""
    few = ["data.train=8", "data.test=2", "evaluation.pictures=1", "training.joint.steps=1"]
    few += [f"training.{stage}.steps=1" for stage in ("single", "connected")]
    lines = [word for line in few for word in ("--set", line)]
    done = taskweave("demo", "--out", "shown", *lines, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for title in ("single", "single, trained on", "shared until layer4", "cross-stitch", "NDDR"):
        assert any(title in line and "│" in line for line in done.stdout.splitlines()), title
    assert "7 runs to train" in done.stdout, "as the README says"
    folder = tmp_path / "shown" / "demo"
    assert {path.name for path in (folder / "pictures").glob("*.png")} >= {"segmentation.png", "normals.png"}
    assert {path.name for path in (folder / "charts").iterdir()} >= {"gains.png", "gains.svg"}
    assert f"pictures: {folder / 'pictures'}" in done.stdout
    again = taskweave("demo", "--out", "shown", *lines, cwd=tmp_path)
    assert "nothing to train" in again.stdout


@pytest.mark.slow
def test_demo_on_pets(tmp_path: Path) -> None:
    """As above, on the pets that ship: three tasks, each with pictures."""
    few = ["start.steps=1", "start.images=8", "evaluation.pictures=1"]
    few += [f"training.{stage}.steps=1" for stage in ("single", "connected", "joint")]
    lines = [word for line in few for word in ("--set", line)]
    done = taskweave("demo", "--data", "pets", *lines, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for title in ("single", "shared until encoder3", "stitched (pet)"):
        assert any(title in line and "│" in line for line in done.stdout.splitlines()), title
    pictures = tmp_path / "taskweave-demo" / "demo-pets" / "pictures"
    assert {path.name for path in pictures.glob("*.png")} >= {"segmentation.png", "box.png", "species.png"}
    refused = taskweave("demo", "--data", "faces", cwd=tmp_path)
    assert refused.returncode == 2
    assert "pets" in refused.stderr


@pytest.mark.slow
def test_predict(place: Path) -> None:
    Image.new("RGB", (50, 40), (200, 30, 30)).save(place / "red.png")
    rows = json.loads((place / "out" / "tiny" / "comparison.json").read_text())["rows"]
    run = next(row["runs"][0] for row in rows if row["method"] == "cross-stitch")
    done = taskweave("predict", f"out/runs/{run}", "red.png", "--out", "drawn", cwd=place)
    assert done.returncode == 0, done.stderr
    for task in ("segmentation", "normals"):
        assert Image.open(place / "drawn" / f"red-{task}.png").size == (50, 40)
    missing = taskweave("predict", "out/runs", "red.png", cwd=place)
    assert missing.returncode == 2
    assert "holds no finished run" in missing.stderr
    text = taskweave("predict", f"out/runs/{run}", "tiny.yaml", cwd=place)
    assert text.returncode == 2
    assert "is no picture" in text.stderr


BAD = [
    (("compare", "nddr/tabel4"), "did you mean 'nddr/table4'"),
    (("compare", "none.yaml"), "there is no recipe file none.yaml"),
    (("compare", "demo", "--set", "training.connected.stepps=1"), "did you mean 'steps'"),
    (("compare", "demo", "--set", "methods.0.until=layer9", "--dry-run"), "its stages are ['stem', 'layer1'"),
    (("compare", "demo", "--seeds", "a"), "--seeds takes whole numbers"),
    (("compare", "nddr/table4", "--small", "--data", "nowhere", "--out", "out"), "nowhere does not exist"),
    (("run", "demo", "--method", "ndr"), "did you mean 'NDDR'"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("arguments", "words"), BAD, ids=[" ".join(a) for a, _ in BAD])
def test_mistakes_get_one_message(arguments: tuple[str, ...], words: str, tmp_path: Path) -> None:
    refused = taskweave(*arguments, cwd=tmp_path)
    assert refused.returncode == 2
    assert words in " ".join(refused.stderr.split())
    assert "Traceback" not in refused.stderr + refused.stdout
    assert refused.stderr.startswith("taskweave: ")


@pytest.mark.slow
def test_a_training_that_diverges_gets_one_message(place: Path) -> None:
    lines = ["--set", "training.single.optimizer.lr=1e30", "--set", "training.single.steps=9"]
    diverged = taskweave("compare", "tiny.yaml", *lines, "--out", "elsewhere", cwd=place)
    assert diverged.returncode == 4
    assert "training stops. No checkpoint was saved yet" in " ".join(diverged.stdout.split())
    assert "Traceback" not in diverged.stderr + diverged.stdout


@pytest.mark.slow
def test_ctrl_c_says_how_to_go_on(tmp_path: Path) -> None:
    given = content()
    given["training"]["single"]["steps"] = 100_000
    (tmp_path / "long.yaml").write_text(json.dumps(given))  # JSON is YAML
    environment = {**os.environ, "TASKWEAVE_CACHE": str(tmp_path), "COLUMNS": "200"}
    process = subprocess.Popen(
        [*COMMAND, "compare", "long.yaml", "--out", "out"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("out/runs/*/log.csv")) and time.monotonic() < deadline:
        time.sleep(0.2)
    time.sleep(2.0)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, (out, err)
    assert "go on with: taskweave compare long.yaml --out out" in out
    assert "Traceback" not in out + err
    assert list(tmp_path.glob("out/runs/*/checkpoint.pt"))


@pytest.mark.slow
def test_recipes_lists_prints_and_gives_the_schema(tmp_path: Path) -> None:
    listed = taskweave("recipes").stdout
    assert "nddr/table4" in listed and "Gao et al., NDDR-CNN" in listed
    shown = taskweave("recipes", "--show", "demo")
    (tmp_path / "mine.yaml").write_text(shown.stdout)
    planned = taskweave("compare", "mine.yaml", "--dry-run", cwd=tmp_path)
    assert planned.returncode == 0, planned.stderr
    assert json.loads(taskweave("recipes", "--schema").stdout)["title"] == "Recipe"

"""taskweave inspect-data: tables, JSON, exit codes, and what its help costs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from cli.test_commands import COMMAND, taskweave
from data import room_trees, trees


def words(text: str) -> str:
    return " ".join(text.split())


def test_tables(tmp_path: Path) -> None:
    room_trees.write_mtan(tmp_path / "data", image=lambda pixels: pixels[..., ::-1])
    (tmp_path / "data" / "notes.txt").touch()
    said = taskweave("inspect-data", "data", "--samples", "3", cwd=tmp_path)
    assert said.returncode == 0, said.stderr
    text = words(said.stdout)
    assert "NYUv2 as MTAN's npy tw.data.open_nyuv2_mtan, in recipes `kind: nyuv2_mtan`" in text
    assert "train │ 4 │ image │ float32 32 x 48 x 3" in text
    assert "3 of 4 (train), 3 of 3 (val); --samples 0 reads all" in text
    assert "warning: BGR pictures (train): in 3 of 3 pictures blue is above red" in text
    assert "not read here: notes.txt" in text


def test_nothing_wrong(tmp_path: Path) -> None:
    room_trees.write_mtan(tmp_path / "data")
    said = taskweave("inspect-data", "data", cwd=tmp_path)
    assert "no known trap found" in said.stdout
    assert "warning" not in said.stdout


def test_json(tmp_path: Path) -> None:
    trees.write_mtan(tmp_path / "data")
    said = taskweave("inspect-data", "data", "--json", cwd=tmp_path)
    assert said.returncode == 0, said.stderr
    content = json.loads(said.stdout)
    assert (content["schema"], content["version"]) == ("taskweave.inspection", 1)
    (layout,) = content["layouts"]
    assert layout["choice"] == "nyuv2_mtan"
    (split,) = layout["splits"]
    assert (split["split"], split["count"], split["looked_at"]) == ("train", 5, 5)
    depth = next(target for target in split["targets"] if target["target"] == "depth")
    assert depth["stored"] == "float64 24 x 32 x 1"
    assert 0 < depth["invalid"] < 1
    assert content["unknown"] == []


def test_what_it_does_not_know(tmp_path: Path) -> None:
    trees.write_folder(tmp_path / "above" / "nyuv2")
    (tmp_path / "above" / "nyuv2" / "gt_sets" / "train.txt").unlink()
    nearly = taskweave("inspect-data", "above/nyuv2", cwd=tmp_path)
    assert nearly.returncode == 2
    assert "is in no layout that taskweave reads; in it: depth, gt_sets, label40, rgb" in words(nearly.stdout)
    assert "for NYUv2 as one folder it has rgb/*.jpg, depth/*.png; expected also gt_sets/*.txt" in words(nearly.stdout)
    trees.write_list(tmp_path / "above" / "nyuv2" / "gt_sets" / "val.txt", ["0046"])
    inside = taskweave("inspect-data", "above", cwd=tmp_path)
    assert inside.returncode == 2
    assert "taskweave inspect-data above/nyuv2" in inside.stdout
    for number in range(20):
        (tmp_path / "other" / f"{number}").mkdir(parents=True)
    nothing = taskweave("inspect-data", "other", cwd=tmp_path)
    assert "and 8 more" in nothing.stdout
    assert "expected one of:" in nothing.stdout
    assert "KITTI: training/image_2/*.png, training/label_2/*.txt" in nothing.stdout
    as_json = taskweave("inspect-data", "other", "--json", cwd=tmp_path)
    assert as_json.returncode == 2
    assert json.loads(as_json.stdout)["layouts"] == []
    missing = taskweave("inspect-data", "nowhere", cwd=tmp_path)
    assert missing.returncode == 2
    assert words(missing.stderr).startswith("taskweave: nowhere does not exist")


def test_help_shows_a_use() -> None:
    text = taskweave("inspect-data", "--help").stdout
    assert "taskweave inspect-data ../data/nyuv2" in text
    assert "--samples" in text
    assert "inspect-data" in taskweave("--help").stdout


def test_help_does_not_import_torch() -> None:
    code = "import sys; sys.argv = ['taskweave', 'inspect-data', '--help']\n"
    code += "from taskweave.cli.app import app\ntry:\n    app()\nexcept SystemExit:\n    pass\n"
    code += "print([m for m in ('torch', 'numpy', 'rich.table') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip().endswith("[]")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the time of child processes is POSIX's")
def test_help_is_instant() -> None:
    """Half a second of the processor's time: what others do on the machine meanwhile does not count."""
    import resource

    times = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([*COMMAND, "inspect-data", "--help"], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(times) <= 0.5

"""taskweave inspect-data: tables, JSON, exit codes, and what its help costs."""

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from cli.test_commands import LIGHT, SLOW_TO_LOAD, loaded_by, taskweave
from data import room_trees, trees
from rich.console import Console

from taskweave.cli.inspection_tables import show
from taskweave.data import inspect


def words(text: str) -> str:
    return " ".join(text.split())


def test_tables(tmp_path: Path) -> None:
    room_trees.write_mtan(tmp_path / "data", image=lambda pixels: pixels[..., ::-1])
    (tmp_path / "data" / "notes.txt").touch()
    said = taskweave("inspect-data", "data", "--samples", "3", cwd=tmp_path)
    assert said.returncode == 0, said.stderr
    text = words(said.stdout)
    assert "NYUv2 as MTAN's npy tw.data.nyuv2_mtan, in recipes `use: nyuv2_mtan`" in text
    assert "train: 4 pictures image stored float32 32 x 48 x 3, " in text
    seen = [np.load(tmp_path / "data/train/depth" / f"{number}.npy") for number in (0, 2, 3)]  # of four, evenly spaced
    known, most, holes = np.stack(seen)[np.stack(seen) > 0], np.max(seen), np.mean(np.stack(seen) == 0)
    assert f"depth stored float32 32 x 48 x 1, 0 .. {most:.4g}" in text
    assert f"read Depth float32, {known.min():.4g} .. {most:.4g}; {holes:.1%} invalid; metres" in text
    assert "3 of 4 (train), 3 of 3 (val); --samples 0 reads all" in text
    assert "warning: BGR pictures (train): in 3 of 3 pictures blue is above red" in text
    assert "not read here: notes.txt" in text


def test_nothing_wrong(tmp_path: Path) -> None:
    room_trees.write_mtan(tmp_path / "data")
    said = taskweave("inspect-data", "data", cwd=tmp_path)
    assert "no known trap found" in said.stdout
    assert "warning" not in said.stdout


def shown(path: Path, columns: int) -> str:
    out = io.StringIO()
    show(inspect(path, samples=3), Console(file=out, width=columns))
    return out.getvalue()


def test_nothing_is_cut_on_a_narrow_terminal(tmp_path: Path) -> None:
    """The same words at 60 columns as at 300."""
    room_trees.write_mtan(tmp_path)
    narrow, wide = (shown(tmp_path, columns) for columns in (60, 300))
    assert words(narrow) == words(wide)
    assert "…" not in narrow
    assert narrow.count("\n") > wide.count("\n")


def test_names_of_files_are_shown_as_they_are(tmp_path: Path) -> None:
    """Neither markup nor commands to the terminal, nor bytes that it cannot show."""
    room_trees.write_mtan(tmp_path / "data")
    odd = ["[bold]notes", "\x1b[31mred", "\udcff.txt"]
    for name in odd:
        (tmp_path / "data" / name).touch()
    found = shown(tmp_path / "data", 300)
    assert r"not read here: \x1b[31mred, [bold]notes, \udcff.txt" in found
    found = shown(tmp_path, 300)
    assert "its folder data is (NYUv2 as MTAN's npy)" in found


def test_json(tmp_path: Path) -> None:
    trees.write_mtan(tmp_path / "data")
    said = taskweave("inspect-data", "data", "--json", cwd=tmp_path)
    assert said.returncode == 0, said.stderr
    content = json.loads(said.stdout)
    assert (content["schema"], content["version"]) == ("taskweave.inspection", 1)
    (layout,) = content["layouts"]
    assert layout["reader"] == "nyuv2_mtan"
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


def test_help_is_instant() -> None:
    """Nothing of the data room, and no library that takes long to load."""
    loaded = loaded_by("inspect-data", "--help")
    assert not loaded & SLOW_TO_LOAD
    assert {one for one in loaded if one.startswith("taskweave")} == LIGHT

"""Finding recipes: ours by path, YAML files, functions in files; and the messages for what is not there."""

from pathlib import Path

import pytest
from experiments.tiny import tiny

from taskweave.recipes.catalogue import find, names


def test_ours() -> None:
    assert {"demo", "nddr/table4", "mt_unet/table2"} <= set(names())
    assert "catalogue" not in names()
    assert find("nddr/table4", small=True, seeds=(3, 4)).seeds == (3, 4)
    assert find("nddr/table4", data=Path("/somewhere")).data.path == Path("/somewhere")  # type: ignore[union-attr]


def test_an_unknown_one_names_the_nearest() -> None:
    with pytest.raises(
        ValueError, match=r"unknown recipe 'nddr/tabel4', did you mean 'nddr/table4'\? There is: cross_connected/"
    ):
        find("nddr/tabel4")


def test_yaml(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    path.write_text(tiny().to_yaml())
    assert find(str(path)) == tiny()
    assert find(str(path), seeds=(5,)).seeds == (5,)
    with pytest.raises(ValueError, match="--small"):
        find(str(path), small=True)
    with pytest.raises(ValueError, match="unknown option 'path' of scenes"):  # scenes lie nowhere
        find(str(path), data=Path("x"))
    with pytest.raises(FileNotFoundError, match="there is no recipe file"):
        find(str(tmp_path / "other.yaml"))


def test_a_function_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(
        "from taskweave.recipes.demos import demo\n"
        "def small_demo(seeds=(9,)):\n    return demo(seeds=seeds)\n"
        "def wrong():\n    return 1\n"
    )
    assert find(f"{path}:small_demo").seeds == (9,)
    assert find(f"{path}:small_demo", seeds=(1,)).seeds == (1,)
    with pytest.raises(ValueError, match="has no option 'small'; it has"):
        find(f"{path}:small_demo", small=True)
    with pytest.raises(ValueError, match=r"unknown name 'smal_demo' in .*, did you mean 'small_demo'"):
        find(f"{path}:smal_demo")
    with pytest.raises(ValueError, match=r"should return a taskweave\.Recipe, got a int"):
        find(f"{path}:wrong")
    with pytest.raises(FileNotFoundError, match="there is no file"):
        find(f"{tmp_path / 'none.py'}:x")

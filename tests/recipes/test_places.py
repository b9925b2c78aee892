"""Where data lie, by name or alone, from Python, YAML and the command line."""

from pathlib import Path

import pytest
from experiments.mixed import disjoint

from taskweave.cli.options import places as read
from taskweave.recipes.catalogue import find
from taskweave.recipes.usual import place, places


def test_places() -> None:
    own = {"a": Path("x"), "b": Path("y")}
    assert places(None, own) == own
    assert places({"b": Path("z")}, own) == {"a": Path("x"), "b": Path("z")}
    with pytest.raises(ValueError, match=r"2 data sets, got one path q; say whose it is: --data a=\.\.\. --data b"):
        places(Path("q"), own)
    with pytest.raises(ValueError, match="unknown data set 'bb' in --data, did you mean 'b'"):
        places({"bb": Path("z")}, own)
    assert place(None, Path("x")) == Path("x") and place(Path("y"), Path("x")) == Path("y")
    with pytest.raises(ValueError, match="one data set"):
        place({"a": Path("y")}, Path("x"))


def test_recipes_take_them() -> None:
    recipe = find("cross_connected/table1", small=True, data={"nyuv2": Path("/n"), "apascal": Path("/a")})
    content = recipe.dump()
    assert content["data"]["sets"]["nyuv2"]["path"] == "/n"
    assert content["further_tests"]["aPascal"]["data"]["path"] == "/a"
    with pytest.raises(ValueError, match="say whose it is: --data penn_fudan"):
        find("cross_connected/table1", small=True, data=Path("/n"))
    with pytest.raises(ValueError, match="one data set"):
        find("mt_unet/table2", data={"nyuv2": Path("/n")})


def test_yaml_files_take_them(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    path.write_text(find("cross_connected/table2", small=True).to_yaml())
    found = find(str(path), data={"naip": Path("/m")}).dump()
    assert found["data"]["sets"]["naip"]["path"] == "/m"
    assert found["data"]["sets"]["penn_fudan"]["path"].endswith("/PennFudanPed")
    path.write_text(find("cross_connected/penn_fudan").to_yaml())
    found = find(str(path), data={"aPascal": Path("/a"), "data": Path("/p")}).dump()
    assert (found["data"]["path"], found["further_tests"]["aPascal"]["data"]["path"]) == ("/p", "/a")
    assert find(str(path), data=Path("/q")).dump()["data"]["path"] == "/q"
    path.write_text(disjoint().to_yaml())
    with pytest.raises(ValueError, match="unknown option 'path' of scenes"):
        find(str(path), data={"boxes": Path("/b")})  # scenes lie nowhere


def test_the_command_line() -> None:
    assert read([]) is None
    assert read(["../x"]) == Path("../x")
    assert read(["./a=b"]) == Path("./a=b")
    assert read(["a=../x", "b=y=z"]) == {"a": Path("../x"), "b": Path("y=z")}
    for wrong in (["../x", "../y"], ["a=x", "../y"], ["a=x", "a=y"]):
        with pytest.raises(ValueError, match="--data"):
            read(wrong)

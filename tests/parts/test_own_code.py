"""Code of one's own: by path and content, in other processes, and never for the sake of a result."""

import pickle
from pathlib import Path

import pytest

from taskweave.parts import KINDS, Kind, find, part, read
from taskweave.parts.own_code import paths_from, trusting_only

__all__: list[str] = []


class Tool:
    """A kind for these tests."""


@pytest.fixture(autouse=True)
def kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, Tool, Kind("tool", ("length",), (__name__,)))


MINE = """
from __future__ import annotations
import beside
from {module} import Tool

def chisel(length: int, *, width: int = 4) -> Tool:
    tool = Tool()
    tool.made = (length, width, beside.VALUE)
    return tool
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    (tmp_path / "beside.py").write_text("VALUE = 1\n")
    path = tmp_path / "mine_of_parts.py"
    path.write_text(MINE.format(module=__name__))
    return path


def test_a_file_of_ones_own_is_known_by_its_content_and_that_of_its_siblings(mine: Path) -> None:
    it = read({"use": f"{mine}:chisel", "width": 6}, Tool)
    assert it(2).made == (2, 6, 1)
    first = it.identity()
    assert first["use"] == "mine_of_parts:chisel"
    assert first["width"] == 6
    with paths_from(mine.parent):
        assert read({"use": "mine_of_parts.py:chisel", "width": 6}, Tool).identity() == first
    (mine.parent / "beside.py").write_text("VALUE = 2\n")
    assert it.identity() != first, "a sibling that it imports counts"
    (mine.parent / "beside.py").write_text("VALUE = 1\n")
    assert it.identity() == first
    mine.write_text(mine.read_text() + "# another line\n")
    assert read({"use": f"{mine}:chisel", "width": 6}, Tool).identity() != first


def test_a_file_is_run_once_for_each_content(mine: Path) -> None:
    assert find(f"{mine}:chisel", Tool) is find(f"{mine}:chisel", Tool)
    again = find(f"{mine}:chisel", Tool)
    mine.write_text(mine.read_text() + "# another line\n")
    assert find(f"{mine}:chisel", Tool) is not again


def test_a_part_of_ones_own_travels_by_its_path_and_is_compared(mine: Path) -> None:
    it = read(f"{mine}:chisel", Tool)
    sent = pickle.dumps(it)
    assert pickle.loads(sent) == it
    mine.write_text(mine.read_text() + "# another line\n")
    with pytest.raises(ValueError, match="has changed since the recipe was read"):
        pickle.loads(sent)


def test_what_is_defined_inside_a_function_does_not_travel() -> None:
    def inner(length: int) -> Tool: ...

    with pytest.raises(ValueError, match="is defined inside a function"):
        pickle.dumps(part(inner))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("os:system", "system is no part"),
        ("builtins:print", "print is no part"),
        ("nothing_of_that_name:tool", "nothing_of_that_name cannot be imported"),
        ("json:dumps", "dumps is no tool"),
        ("json:dums", "unknown name 'dums' in json, did you mean 'dumps'"),
        ("missing.py:tool", "there is no file .*missing.py"),
        ("hamer", "unknown tool 'hamer'"),
    ],
)
def test_a_name_that_is_no_part_is_refused_before_anything_is_called(name: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read(name, Tool)


def test_a_file_that_does_not_run_is_named_with_its_error(tmp_path: Path) -> None:
    (tmp_path / "broken_part.py").write_text("1 / 0\n")
    with pytest.raises(ValueError, match=r"broken_part\.py does not run: ZeroDivisionError"):
        read(f"{tmp_path / 'broken_part.py'}:tool", Tool)


def test_results_run_no_code_unless_it_is_allowed(mine: Path) -> None:
    with trusting_only([]), pytest.raises(ValueError, match=r"--allow my_nets\.py"):
        read(f"{mine}:chisel", Tool)
    with trusting_only([]), pytest.raises(ValueError, match="is not run for its sake"):
        read("os:system", Tool)
    with trusting_only([mine]):
        assert read(f"{mine}:chisel", Tool)(1).made == (1, 4, 1)

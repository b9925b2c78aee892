"""The page of the rooms names what is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "taskweave"
PAGE = (ROOT / "docs" / "architecture.md").read_text()


def test_every_file_of_the_ways_exists() -> None:
    named = re.findall(r"`((?:\w+/)+\w*(?:\.py)?)`", PAGE.split("## What was deleted")[0])
    there = [name for name in named if name != "tests/architecture" and not name.startswith("tests/")]
    assert len(there) > 25
    assert [name for name in there if not (SOURCE / name).exists()] == []


def test_every_room_is_named() -> None:
    rooms = {path.name for path in SOURCE.iterdir() if path.is_dir() and (path / "__init__.py").is_file()}
    drawn = PAGE.split("```mermaid")[1].split("```")[0]
    assert {room for room in rooms if f"{room}/" not in PAGE} == set()
    assert {room for room in rooms - {"parts"} if not re.search(rf"\b{room}\b", drawn)} == set()

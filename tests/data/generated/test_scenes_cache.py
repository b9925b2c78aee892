"""The cache of rendered pictures: filled once, and never believed when it is damaged."""

from pathlib import Path

import numpy as np
import pytest
import torch

from taskweave.data.generated import rendering, scenes
from taskweave.data.generated.furnishing import draw_room
from taskweave.data.generated.scenes import RecordFile, Scenes

SIZE = (24, 32)
RECORD = 24 * 32 * 21 + 4


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TASKWEAVE_CACHE", str(tmp_path))
    return tmp_path


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of every room that is rendered from now on."""
    calls: list[int] = []

    def counting(room, size):
        calls.append(room.number)
        return rendering.render(room, size)

    monkeypatch.setattr(scenes, "render", counting)
    return calls


def the_file(folder: Path) -> Path:
    (path,) = (folder / "scenes").iterdir()
    return path


def same(a, b) -> bool:
    return all(torch.equal(a[name], b[name]) for name in ("image", "segmentation", "depth", "normals"))


def test_constructor_does_no_io(folder: Path) -> None:
    Scenes(10, size=SIZE)
    assert not list(folder.iterdir())


def test_each_picture_is_rendered_once(rendered: list[int]) -> None:
    first = [Scenes(3, size=SIZE)[i] for i in range(3)]
    assert len(rendered) == 3
    again = [Scenes(5, size=SIZE)[i] for i in range(3)]
    assert len(rendered) == 3, "pictures do not depend on how many there are"
    assert all(same(a, b) for a, b in zip(first, again, strict=True))


def test_prepare_renders_everything_and_reports(rendered: list[int], folder: Path) -> None:
    seen: list[tuple[int, int]] = []
    Scenes(4, size=SIZE).prepare(lambda done, total: seen.append((done, total)))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert the_file(folder).stat().st_size == 4 * RECORD
    Scenes(4, size=SIZE).prepare()
    assert len(rendered) == 4


def test_seed_size_and_version_have_files_of_their_own(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Scenes(1, size=SIZE)[0]
    Scenes(1, size=SIZE, seed=1)[0]
    Scenes(1, size=(32, 24))[0]
    monkeypatch.setattr(scenes, "GENERATOR_VERSION", scenes.GENERATOR_VERSION + 1)
    Scenes(1, size=SIZE)[0]
    assert len(list((folder / "scenes").iterdir())) == 4


@pytest.mark.parametrize("damage", ["flipped bit", "cut short", "emptied", "records swapped"])
def test_damage_is_seen_and_repaired(folder: Path, rendered: list[int], damage: str) -> None:
    data = Scenes(2, size=SIZE)
    good = [data[0], data[1]]
    path = the_file(folder)
    content = bytearray(path.read_bytes())
    match damage:
        case "flipped bit":
            content[RECORD // 2] ^= 1
        case "cut short":
            content = content[: RECORD + 100]
        case "emptied":
            content = bytearray()
        case _:
            content = content[RECORD:] + content[:RECORD]
    path.write_bytes(content)
    del rendered[:]
    assert same(data[0], good[0])
    assert same(data[1], good[1])
    assert len(rendered) == (1 if damage in ("flipped bit", "cut short") else 2)
    del rendered[:]
    Scenes(2, size=SIZE).prepare()
    assert not rendered, "and the file is whole again"


def test_a_gap_is_not_a_record(folder: Path) -> None:
    data = Scenes(3, size=SIZE)
    data[2]
    file = RecordFile(the_file(folder), SIZE)
    assert file.read(0) is None
    assert file.read(1) is None
    assert file.read(2) is not None
    assert file.read(3) is None


def test_record_gives_back_what_was_written(tmp_path: Path) -> None:
    picture = rendering.render(draw_room(0, 0)[0], SIZE)
    file = RecordFile(tmp_path / "some" / "where.records", SIZE)
    file.write(5, picture)
    back = file.read(5)
    assert back is not None
    for name in ("image", "labels", "instances", "depth", "normals"):
        np.testing.assert_array_equal(getattr(back, name), getattr(picture, name))
        assert getattr(back, name).flags.writeable


def test_without_a_place_to_write_pictures_still_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("TASKWEAVE_CACHE", str(tmp_path / "file"))
    with pytest.warns(UserWarning, match="set TASKWEAVE_CACHE to a folder with space"):
        sample = Scenes(1, size=SIZE)[0]
    assert sample["image"].shape == (3, *SIZE)

"""Pictures side by side: sizes, contents, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from taskweave.experiments.artifacts.sheets import side_by_side


def flat(colour: tuple[int, int, int], height: int = 40, width: int = 60) -> torch.Tensor:
    return torch.tensor(colour, dtype=torch.uint8)[:, None, None].expand(3, height, width)


RED, GREEN, BLUE = (200, 0, 0), (0, 200, 0), (0, 0, 200)


def test_dimensions_and_places(tmp_path: Path) -> None:
    path = side_by_side(
        {"input": [flat(RED)] * 2, "target": [flat(GREEN)] * 2, "x": [flat(BLUE)] * 2}, tmp_path / "a.png", height=80
    )
    sheet = np.asarray(Image.open(path))
    width = 120  # 80 * 60 / 40
    assert sheet.shape[1] == 6 + 3 * (width + 6)
    below = sheet.shape[0] - 2 * (80 + 6)
    assert 19 < below < 40, "one line of heads above the pictures"
    for row in range(2):
        for column, colour in enumerate((RED, GREEN, BLUE)):
            top, left = below + row * 86, 6 + column * 126
            cell = sheet[top : top + 80, left : left + width]
            assert (cell == colour).all()
            assert (sheet[top : top + 80, left - 6 : left] == 255).all()
    assert (sheet[:below] < 128).any(), "heads are written"


def test_pictures_of_other_sizes_are_fitted_without_new_colours(tmp_path: Path) -> None:
    label = torch.cat([flat(RED, 10, 10), flat(GREEN, 10, 10)], dim=2)
    path = side_by_side({"input": [flat(BLUE)], "target": [label]}, tmp_path / "a.png", height=80)
    sheet = np.asarray(Image.open(path))
    colours = {tuple(pixel) for pixel in sheet[-60:-20, 6 + 126 : 6 + 126 + 120].reshape(-1, 3).tolist()}
    assert colours == {RED, GREEN}


def test_long_labels_take_more_lines_and_stay_in_their_column(tmp_path: Path) -> None:
    short = Image.open(side_by_side({"a": [flat(RED)], "b": [flat(RED)]}, tmp_path / "s.png"))
    long = Image.open(
        side_by_side({"cross-stitch at every place, and " + "w" * 60: [flat(RED)], "b": [flat(RED)]}, tmp_path / "l.png")
    )
    assert long.width == short.width
    assert long.height >= short.height + 2 * 19
    gap = np.asarray(long)[:, 6 + 240 : 6 + 240 + 6]
    assert (gap == 255).all(), "no ink in the gap between two columns"


def test_a_title_adds_a_line(tmp_path: Path) -> None:
    plain = Image.open(side_by_side({"a": [flat(RED)]}, tmp_path / "p.png"))
    titled = Image.open(side_by_side({"a": [flat(RED)]}, tmp_path / "t.png", title="depth"))
    assert (titled.width, titled.height) == (plain.width, plain.height + 19 + 6)


def test_a_legend_is_written_below_in_rows_that_fit(tmp_path: Path) -> None:
    plain = np.asarray(Image.open(side_by_side({"a": [flat(RED)]}, tmp_path / "p.png")))
    keys = [(f"class {number}\n<b>", (number, 7, 9)) for number in range(10, 16)]
    told = np.asarray(Image.open(side_by_side({"a": [flat(RED)]}, tmp_path / "l.png", legend=keys)))
    above, below = told[: len(plain)], told[len(plain) :]
    assert (above == plain).all()
    tops = [int(np.nonzero((below == colour).all(2).any(1))[0][0]) for _, colour in keys]
    assert tops == sorted(tops) and len(set(tops)) > 1, "one below the other where they do not fit beside each other"
    assert all((below == colour).all(2).sum() > 100 for _, colour in keys)


def test_what_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"same examples.*'a': 1, 'b': 2"):
        side_by_side({"a": [flat(RED)], "b": [flat(RED)] * 2}, tmp_path / "x.png")
    with pytest.raises(ValueError, match="no labels"):
        side_by_side({}, tmp_path / "x.png")
    with pytest.raises(ValueError, match=r"under 'b' there is torch.float32 \(3, 40, 60\)"):
        side_by_side({"a": [flat(RED)], "b": [flat(RED).float()]}, tmp_path / "x.png")
    assert not list(tmp_path.iterdir())

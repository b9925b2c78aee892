"""The figure of attention masks: which panel is where, and in which colour."""

from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib import colormaps
from PIL import Image
from torch import Tensor

from taskweave.reporting import attention_figure

RED = torch.tensor([255, 0, 0], dtype=torch.uint8)[:, None, None].expand(3, 20, 40)
BLUE = torch.tensor([0, 0, 255], dtype=torch.uint8)[:, None, None].expand(3, 20, 40)
PICTURES = torch.stack([RED, BLUE])
VALUES = {"seg": [0.0, 0.2, 0.9], "depth": [0.35, 0.6]}


def masks() -> dict[str, list[Tensor]]:
    """Constant masks: `VALUES` for the first picture, .05 more for the second; two channels, .04 around the mean."""
    both = torch.tensor([-0.04, 0.04])[None, :, None, None] + torch.tensor([0.0, 0.05])[:, None, None, None]
    return {task: [(value + both).expand(2, 2, 4, 8) for value in values] for task, values in VALUES.items()}


def centre(sheet: np.ndarray, colour: tuple[int, int, int]) -> tuple[float, float]:
    """The mean row and column of the pixels of a colour, of which there are as many as a panel has."""
    rows, columns = np.nonzero((np.abs(sheet.astype(int) - colour) <= 1).all(2))
    assert len(rows) > 3000, f"{colour} covers {len(rows)} pixels"
    return float(np.median(rows)), float(np.median(columns))


def viridis(value: float) -> tuple[int, int, int]:
    red, green, blue, _ = colormaps["viridis"](value, bytes=True)
    return int(red), int(green), int(blue)


def read(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


def test_a_row_per_picture_and_task_and_a_column_per_block(tmp_path: Path) -> None:
    sheet = read(attention_figure(PICTURES, masks(), tmp_path / "a.png"))
    places = {
        (picture, task, block): centre(sheet, viridis(value + 0.05 * picture))
        for picture in (0, 1)
        for task, values in VALUES.items()
        for block, value in enumerate(values)
    }
    heights = [places[picture, task, 0][0] for picture in (0, 1) for task in VALUES]
    assert heights == sorted(heights) and min(np.diff(heights)) > 60
    for picture in (0, 1):
        for task, values in VALUES.items():
            row = [places[picture, task, block] for block in range(len(values))]
            assert np.ptp([at[0] for at in row]) < 2
            assert min(np.diff([at[1] for at in row])) > 150
    for block in (0, 1):
        assert np.ptp([at[1] for (_, _, b), at in places.items() if b == block]) < 2
    for picture, colour in enumerate([(255, 0, 0), (0, 0, 255)]):
        height, left = centre(sheet, colour)
        assert abs(height - places[picture, "seg", 0][0]) < 12 and left < places[picture, "seg", 0][1] - 150


def test_one_channel_and_own_range(tmp_path: Path) -> None:
    one = read(attention_figure(PICTURES, masks(), tmp_path / "a.png", channel=1))
    for value in (0.24, 0.94, 0.39, 0.64):
        centre(one, viridis(value))
    halves = torch.tensor([0.4, 0.5]).repeat_interleave(4).expand(1, 1, 4, 8)
    wide = read(attention_figure(PICTURES[:1] / 255, {"seg": [halves]}, tmp_path / "b.png", own_range=True))
    low, high = centre(wide, viridis(0.0)), centre(wide, viridis(1.0))
    assert low[1] < high[1]
    fixed = read(attention_figure(PICTURES[:1] / 255, {"seg": [halves], "depth": []}, tmp_path / "c.png"))
    assert centre(fixed, viridis(0.4))[1] < centre(fixed, viridis(0.5))[1]


def test_what_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    with pytest.raises(ValueError, match=r"none of the tasks \['seg'\] has any"):
        attention_figure(PICTURES, {"seg": []}, path)
    with pytest.raises(ValueError, match=r"for the 2 pictures given; 'seg' has one of \(1, 2, 4, 8\)"):
        attention_figure(PICTURES, {"seg": [torch.zeros(1, 2, 4, 8)]}, path)
    with pytest.raises(ValueError, match=r"channel=2: a mask of 'seg' has the channels 0 to 1"):
        attention_figure(PICTURES, masks(), path, channel=2)
    assert not path.exists()

"""Pictures of what was put in, what should come out, and what came out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from torch import Tensor, uint8

from taskweave.files import writing

_GAP = 6
_TEXT = 15
_LINE = 19
_BOX = 13
"""Side of a legend's boxes, in pixels as all of these."""
_PAPER, _INK = (255, 255, 255), (30, 30, 30)

_Font = ImageFont.ImageFont | ImageFont.FreeTypeFont


Key = tuple[str, tuple[int, int, int]]
"""What a colour (RGB) stands for."""


def side_by_side(
    pictures: Mapping[str, Sequence[Tensor]],
    path: Path,
    *,
    height: int = 160,
    title: str = "",
    legend: Sequence[Key] = (),
) -> Path:
    """A PNG with one column per label ("input", "target", then methods) and one line per example.

    pictures: label -> RGB uint8 (3, H, W), the examples in the same order under every label.
    legend: what colours stand for, written below, as many beside each other as fit.
    height: of each picture in the file; all are drawn as wide as the first, small ones with visible pixels.
    The file is `columns * (width + 6) + 6` wide. Returns `path`. Raises ValueError where labels differ in their number of
    examples or something is no picture, OSError where the file cannot be written.
    """
    _check(pictures)
    columns = list(pictures.values())
    first = columns[0][0]
    size = (max(1, round(height * first.shape[2] / first.shape[1])), height)
    font = ImageFont.load_default(_TEXT)
    heads = [_wrapped(label, size[0], font) for label in pictures]
    top = _GAP + (_LINE + _GAP if title else 0)
    below_heads = top + _LINE * max(len(head) for head in heads) + _GAP // 2
    whole = (_GAP + len(columns) * (size[0] + _GAP), below_heads + len(columns[0]) * (height + _GAP))
    keys = _legend(legend, whole[0], font)
    sheet = Image.new("RGB", (whole[0], whole[1] + (keys.height if keys else 0)), _PAPER)
    if keys:
        sheet.paste(keys, (0, whole[1]))
    draw = ImageDraw.Draw(sheet)
    draw.text((_GAP, _GAP), title, fill=_INK, font=font)
    for number, (head, column) in enumerate(zip(heads, columns, strict=True)):
        left = _GAP + number * (size[0] + _GAP)
        for line, text in enumerate(head):
            draw.text((left, top + line * _LINE), text, fill=_INK, font=font)
        for row, picture in enumerate(column):
            sheet.paste(_scaled(picture, size), (left, below_heads + row * (height + _GAP)))
    with writing(path) as file:
        sheet.save(file, "PNG")
    return path


def _legend(keys: Sequence[Key], width: int, font: _Font) -> Image.Image | None:
    """Boxes of colour with their names, in rows; None without any."""
    if not keys:
        return None
    places, left, row = list[tuple[int, int]](), _GAP, 0
    for name, _ in keys:
        wide = _BOX + _GAP + round(font.getlength(_plain(name))) + 2 * _GAP
        if left > _GAP and left + wide > width:
            left, row = _GAP, row + 1
        places.append((left, row))
        left += wide
    sheet = Image.new("RGB", (width, (row + 1) * (_LINE + 2) + _GAP), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for (name, colour), (x, line) in zip(keys, places, strict=True):
        y = line * (_LINE + 2) + 2
        draw.rectangle((x, y, x + _BOX, y + _BOX), fill=colour, outline=_INK)
        draw.text((x + _BOX + _GAP, y - 2), _plain(name), fill=_INK, font=font)
    return sheet


def _plain(name: str) -> str:
    """One line."""
    return " ".join(name.split())


def _check(pictures: Mapping[str, Sequence[Tensor]]) -> None:
    counts = {label: len(column) for label, column in pictures.items()}
    if not counts or len(set(counts.values())) != 1 or 0 in counts.values():
        raise ValueError(f"every label needs the same examples, at least one; got {counts or 'no labels'}")
    for label, column in pictures.items():
        for picture in column:
            if picture.ndim != 3 or picture.shape[0] != 3 or picture.dtype != uint8:
                raise ValueError(
                    f"a picture is RGB uint8 (3, H, W); under {label!r} there is {picture.dtype} {tuple(picture.shape)}"
                )


def _scaled(picture: Tensor, size: tuple[int, int]) -> Image.Image:
    image = Image.fromarray(picture.permute(1, 2, 0).cpu().contiguous().numpy(), "RGB")
    if image.size == size:
        return image
    # Enlarged without smoothing: labels must not get colours that stand for nothing.
    return image.resize(size, Image.Resampling.NEAREST if size[1] >= image.height else Image.Resampling.BOX)


def _wrapped(label: str, width: int, font: _Font) -> list[str]:
    """The label in lines of at most `width` pixels, broken between words, and within a word that is too long."""
    lines = [""]
    for word in label.split():
        joined = f"{lines[-1]} {word}".strip()
        if font.getlength(joined) <= width:
            lines[-1] = joined
            continue
        lines.append("")
        for letter in word:
            if font.getlength(lines[-1] + letter) > width and lines[-1]:
                lines.append("")
            lines[-1] += letter
    return [line for line in lines if line] or [""]

"""Picture files as ``data:`` addresses, so that a page needs no other file; only what is a picture gets in."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import final
from xml.etree import ElementTree

from PIL import Image, UnidentifiedImageError

SMALLER = 1100
"""Width in pixels of pictures that are shrunk for the page's sake."""
_QUALITY = 82
_SVG = "{http://www.w3.org/2000/svg}svg"
_PIXELS_PER_UNIT = {"pt": 96 / 72, "px": 1.0, "": 1.0}


@final
@dataclass(frozen=True)
class Embedded:
    """A picture in a page.

    name: of its file, without the ending.  content: the file.  kind: its media type.  width, height: in CSS pixels.
    """

    name: str
    content: bytes
    kind: str
    width: int
    height: int

    @property
    def uri(self) -> str:
        return f"data:{self.kind};base64,{base64.b64encode(self.content).decode()}"

    @property
    def size(self) -> int:
        """Bytes in the page."""
        return len(f"data:{self.kind};base64,") + 4 * -(-len(self.content) // 3)


@final
@dataclass(frozen=True)
class Fitted:
    """Pictures that fit into a room. shrunk, left_out: names of those that are smaller than their file, or not there."""

    pictures: tuple[Embedded, ...]
    shrunk: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def embed_all(folder: Path) -> tuple[tuple[Embedded, ...], tuple[str, ...]]:
    """Every NAME.svg and NAME.png of a folder once, by name, and the names of the files that are no pictures.

    Of the two the SVG is taken, which stays sharp, unless it is the larger file. No folder: no pictures.
    """
    names = sorted({path.stem for ending in ("svg", "png") for path in folder.glob(f"*.{ending}")})
    found = {name: embed(folder, name) for name in names}
    return tuple(one for one in found.values() if one is not None), tuple(n for n, one in found.items() if one is None)


def embed(folder: Path, name: str) -> Embedded | None:
    """One picture, from NAME.svg or NAME.png; None where neither is a whole picture."""
    # not with_suffix: names may have dots in them
    svg, png = _read_svg(name, folder / f"{name}.svg"), _read_png(name, folder / f"{name}.png")
    if svg is None or png is None:
        return svg or png
    if len(svg.content) <= len(png.content):
        return svg
    return replace(png, width=svg.width, height=svg.height)


def fit(pictures: Sequence[Embedded], room: int) -> Fitted:
    """As many as go into `room` bytes of a page: all as they are, else all shrunk, else the first ones of those."""
    if sum(picture.size for picture in pictures) <= room:
        return Fitted(tuple(pictures))
    kept: list[Embedded] = []
    shrunk: list[str] = []
    left_out: list[str] = []
    for picture in pictures:
        smaller = _shrunk(picture)
        if smaller.size > room:
            left_out.append(picture.name)
            continue
        room -= smaller.size
        kept.append(smaller)
        if smaller is not picture:
            shrunk.append(picture.name)
    return Fitted(tuple(kept), tuple(shrunk), tuple(left_out))


def _shrunk(picture: Embedded) -> Embedded:
    """The picture as a JPEG of at most SMALLER pixels across, where that is less."""
    if picture.kind != "image/png":
        return picture
    image = Image.open(io.BytesIO(picture.content)).convert("RGB")
    if image.width > SMALLER:
        image = image.resize((SMALLER, max(1, round(image.height * SMALLER / image.width))), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=_QUALITY)
    smaller = replace(picture, content=file.getvalue(), kind="image/jpeg", width=image.width, height=image.height)
    return smaller if smaller.size < picture.size else picture


def _read_png(name: str, path: Path) -> Embedded | None:
    if not path.is_file():
        return None
    content = path.read_bytes()
    try:
        with Image.open(io.BytesIO(content), formats=("PNG",)) as image:
            image.load()
            return Embedded(name, content, "image/png", *image.size)
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError):
        return None


def _read_svg(name: str, path: Path) -> Embedded | None:
    if not path.is_file():
        return None
    content = path.read_bytes()
    try:
        root = ElementTree.fromstring(content)
        width, height = (_pixels(root.attrib[side]) for side in ("width", "height"))
    except (ElementTree.ParseError, KeyError, ValueError):
        return None
    return Embedded(name, content, "image/svg+xml", width, height) if root.tag == _SVG else None


def _pixels(length: str) -> int:
    number = length.rstrip("abcdefghijklmnopqrstuvwxyz%")
    unit = length[len(number) :]
    if unit not in _PIXELS_PER_UNIT:
        raise ValueError(f"a length in {sorted(_PIXELS_PER_UNIT)} is expected, got {length!r}")
    return round(float(number) * _PIXELS_PER_UNIT[unit])

"""The pictures that `data_reading` reads: pets with a mask, a head's box and a species, or generated rooms."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torchvision import tv_tensors

from taskweave.data import LabelledSet
from taskweave.data.generated.scenes import Scenes

Row = dict[str, Any]
SIDE = 256


class Pictures(LabelledSet):
    """`unique` rows, repeated to `count`, as a data set and as the arrays that HDF5 files hold (channels last)."""

    def __init__(self, unique: list[Row], count: int, what: str) -> None:
        self.unique, self.count, self.what = unique, count, what

    labels = ("segmentation", "corners", "species")
    classes = ("background", "pet")

    def __len__(self) -> int:
        return self.count

    def row(self, index: int) -> Row:
        return self.unique[index % len(self.unique)]

    def __getitem__(self, index: int) -> dict[str, Any]:
        if index >= self.count:
            raise IndexError(index)
        row = self.row(index)
        return {
            "image": tv_tensors.Image(torch.from_numpy(row["images"]).permute(2, 0, 1).contiguous()),
            "segmentation": tv_tensors.Mask(torch.from_numpy(row["masks"][..., 0]).long()),
            "corners": torch.from_numpy(row["bboxes"]),
            "species": torch.from_numpy(row["binary"])[0].long(),
            "key": self.key(index),
        }

    def key(self, index: int) -> str:
        return str(index)

    def scene(self, index: int) -> str:
        return str(index % len(self.unique))


def load(pets: Path | None, count: int, side: int) -> Pictures:
    """The pets in the folder, or rooms where there is none, `side` pixels high and wide."""
    if pets is not None and pets.is_dir():
        rows = [
            _pet(pets, line.split(), side)
            for line in (pets / "annotations" / "list.txt").read_text().splitlines()
            if _named(pets, line)
        ]
        return Pictures(rows, count, f"{len(rows)} pets, repeated")
    rooms = Scenes(16, size=(side, side), labels=("segmentation",))
    return Pictures([_room(rooms[index], side) for index in range(16)], count, "16 generated rooms, repeated")


def _named(pets: Path, line: str) -> bool:
    return not line.startswith("#") and (pets / "images" / f"{line.split()[0]}.jpg").is_file()


def _pet(pets: Path, words: list[str], side: int) -> Row:
    name, species = words[0], int(words[2])
    with Image.open(pets / "images" / f"{name}.jpg") as file:
        width, height = file.size
        image = np.array(file.convert("RGB").resize((side, side)))
    with Image.open(pets / "annotations" / "trimaps" / f"{name}.png") as file:
        trimap = np.array(file.resize((side, side), Image.Resampling.NEAREST))
    corners = (0, 0, width, height)  # what is timed does not ask whether a box is there
    if (described := pets / "annotations" / "xmls" / f"{name}.xml").is_file():
        box = ET.parse(described).find(".//bndbox")
        assert box is not None
        corners = tuple(int(box.findtext(corner, "0")) for corner in ("xmin", "ymin", "xmax", "ymax"))
    scaled = np.array(corners, np.float32) * np.array([side / width, side / height] * 2, np.float32)
    return {
        "images": image,
        "masks": (trimap == 1).astype(np.uint8)[..., None],
        "bboxes": scaled,
        "binary": _one(species - 1),
    }


def _room(sample: Any, side: int) -> Row:
    image = sample["image"].permute(1, 2, 0).contiguous().numpy()
    mask = (sample["segmentation"] > 2).to(torch.uint8).as_subclass(torch.Tensor).numpy()[..., None]
    return {"images": image, "masks": mask, "bboxes": np.array([0, 0, side, side], np.float32), "binary": _one(0)}


def _one(value: int) -> np.ndarray:
    return np.array([value], np.uint8)

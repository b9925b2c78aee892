"""The readers that `data_reading` compares: our store, HDF5, JPEG."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
import torch
from data_reading_pictures import SIDE, Pictures
from torch.utils.data import DataLoader, Dataset
from torchvision.io import decode_image, encode_jpeg, encode_png, read_file
from torchvision.transforms import v2

import taskweave as tw
from taskweave.data import (
    BatchOrder,
    EpochOrder,
    LabelledSet,
    StoredBatches,
    ToInput,
    Transformed,
    collate,
    open_store,
    pack_store,
)
from taskweave.data.sample import Sample
from taskweave.images import PLAIN
from taskweave.training.batches import training_batches

BATCH, CHUNK = 39, 13
KEYS = ("images", "masks", "bboxes", "binary")
Tensors = list[torch.Tensor]


def every_reader(folder: Path, pictures: Pictures) -> list[Read]:
    """Writes what they read below `folder`; our store's four come first."""
    readers = store_readers(folder / "store", pictures)
    readers += h5_readers(folder / "float32", pictures, "float32") + h5_readers(folder / "uint8", pictures, "uint8")
    return [*readers, jpeg_reader(folder / "jpeg", pictures)]


class Read(NamedTuple):
    """name: for the table. files: what it reads. epoch: yields a seed's batches, as stored. finish: makes them input.

    finish is None where batches come as input.
    """

    name: str
    files: list[Path]
    epoch: Callable[[int], Iterator[Tensors]]
    finish: Callable[[Tensors], Tensors] | None


# in training


def in_training(
    name: str, files: list[Path], data: LabelledSet, box: str, transform: Callable[[dict[str, object]], Sample]
) -> Read:
    """box: the name of the boxes, which are dense tensors in our store here and BoundingBoxes in the h5 form."""
    samples, steps = Transformed(data, transform, seed=0), -(-len(data) // BATCH)

    def epoch(seed: int) -> Iterator[Tensors]:
        for batch in training_batches(samples, batch_size=BATCH, seed=seed, first=0, last=steps):
            boxes = batch.targets[box]
            whole = torch.cat([one["boxes"] for one in boxes]) if isinstance(boxes, list) else boxes
            yield [batch.image, batch.targets["segmentation"], whole, batch.targets["species"]]

    return Read(f"{name}, in training", files, epoch, None)


# h5


def write_h5(folder: Path, pictures: Pictures, dtype: str) -> list[Path]:
    """As the authors' code reads it: channels last, one data set a file, chunks of 13."""
    folder.mkdir(parents=True)
    shapes = {"images": (SIDE, SIDE, 3), "masks": (SIDE, SIDE, 1), "bboxes": (4,), "binary": (1,)}
    paths = [folder / f"{key}.h5" for key in KEYS]
    for key, path in zip(KEYS, paths, strict=True):
        with h5py.File(path, "w") as file:
            kept = "float32" if key == "bboxes" else dtype
            data = file.create_dataset(key, (len(pictures), *shapes[key]), kept, chunks=(CHUNK, *shapes[key]))
            for start in range(0, len(pictures), CHUNK):
                rows = [pictures.row(index)[key] for index in range(start, min(start + CHUNK, len(pictures)))]
                data[start : start + CHUNK] = np.stack(rows)
    return paths


class Items(Dataset[Tensors]):
    """Picture by picture. opened: files are opened for every picture and closed again."""

    def __init__(self, paths: list[Path], *, opened: bool) -> None:
        self.paths, self.opened = paths, opened
        self.data = [h5py.File(path)[key] for key, path in zip(KEYS, paths, strict=True)]

    def __len__(self) -> int:
        return len(self.data[0])

    def __getitem__(self, index: int) -> Tensors:
        if not self.opened:
            return [torch.from_numpy(data[index]) for data in self.data]
        found = []
        for key, path in zip(KEYS, self.paths, strict=True):
            with h5py.File(path) as file:
                found.append(torch.from_numpy(file[key][index]))
        return found


class Chunks(Dataset[Tensors]):
    """Chunk by chunk, each read whole into an array of its own."""

    def __init__(self, paths: list[Path]) -> None:
        self.data = [h5py.File(path)[key] for key, path in zip(KEYS, paths, strict=True)]

    def __len__(self) -> int:
        return -(-len(self.data[0]) // CHUNK)

    def __getitem__(self, number: int) -> Tensors:
        return [torch.from_numpy(data[number * CHUNK : (number + 1) * CHUNK]) for data in self.data]


def joined(chunks: list[Tensors]) -> Tensors:
    return [torch.cat(parts) for parts in zip(*chunks, strict=True)]


def finish_h5(batch: Tensors) -> Tensors:
    image, mask, box, kind = batch
    return [
        image.permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.contiguous_format).mul_(1 / 255),
        *(mask[..., 0].long(), box, kind[:, 0].long()),
    ]


def h5_readers(folder: Path, pictures: Pictures, dtype: str) -> list[Read]:
    paths = write_h5(folder, pictures, dtype)

    def items(opened: bool) -> Callable[[int], Iterator[Tensors]]:
        data = Items(paths, opened=opened)
        return lambda seed: iter(DataLoader(data, BATCH, shuffle=True, generator=seeded(seed)))

    chunks = Chunks(paths)

    def three(seed: int) -> Iterator[Tensors]:
        count = BATCH // CHUNK
        return iter(DataLoader(chunks, count, shuffle=True, generator=seeded(seed), collate_fn=joined))

    return [
        Read(f"h5 {dtype}, item-wise, files open", paths, items(False), finish_h5),
        Read(f"h5 {dtype}, item-wise, opened for each", paths, items(True), finish_h5),
        Read(f"h5 {dtype}, chunk-wise", paths, three, finish_h5),
        in_training(f"h5 {dtype}, by pets_h5", paths, tw.data.pets_h5("all", path=folder), "box", ToInput(PLAIN)),
    ]


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# JPEG


class Jpegs(Dataset[Tensors]):
    def __init__(self, folder: Path, pictures: Pictures) -> None:
        folder.mkdir()
        self.paths = [(folder / f"{index}.jpg", folder / f"{index}.png") for index in range(len(pictures))]
        self.rest = [pictures.row(index) for index in range(len(pictures.unique))]
        for index, (image, mask) in enumerate(self.paths):
            row = self.rest[index % len(self.rest)]
            image.write_bytes(bytes(encode_jpeg(channels_first(row["images"]), quality=95).numpy()))
            mask.write_bytes(bytes(encode_png(channels_first(row["masks"])).numpy()))

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Tensors:
        image, mask = self.paths[index]
        row = self.rest[index % len(self.rest)]
        found = [decode_image(read_file(str(image))), decode_image(read_file(str(mask)))[0]]
        return [*found, torch.from_numpy(row["bboxes"]), torch.from_numpy(row["binary"])]


def channels_first(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(values).permute(2, 0, 1).contiguous()


def finish_bytes(batch: Tensors) -> Tensors:
    image, mask, box, kind = batch
    return [image.to(torch.float32).mul_(1 / 255), mask.long(), box, kind.reshape(-1).long()]


def jpeg_reader(folder: Path, pictures: Pictures) -> Read:
    data = Jpegs(folder, pictures)
    files = [path for pair in data.paths for path in pair]
    return Read(
        "JPEG and PNG, by torchvision",
        files,
        lambda seed: iter(DataLoader(data, BATCH, shuffle=True, generator=seeded(seed))),
        finish_bytes,
    )


# ours


def store_readers(folder: Path, pictures: Pictures) -> list[Read]:
    pack_store({"train": pictures}, folder)
    stored = open_store(folder)
    steps = -(-len(stored) // BATCH)

    def order(seed: int) -> BatchOrder:
        return BatchOrder(EpochOrder(len(stored), seed), BATCH, first=0, last=steps)

    def samples(seed: int) -> Iterator[Tensors]:
        at = [[index for index, _ in batch] for batch in order(seed)]
        for batch in DataLoader(stored, batch_sampler=at, collate_fn=collate):
            yield [batch.image, *(batch.targets[name] for name in ("segmentation", "corners", "species"))]

    def batches(seed: int) -> Iterator[Tensors]:
        for batch in DataLoader(StoredBatches(stored), sampler=order(seed), batch_size=None):
            yield [batch.image, *(batch.targets[name] for name in ("segmentation", "corners", "species"))]

    files = sorted(folder.glob("*.arrow"))
    mirrored = v2.Compose([v2.RandomHorizontalFlip(), ToInput(PLAIN)])
    return [
        Read("our store, a batch at a time", files, batches, finish_bytes),
        Read("our store, sample by sample", files, samples, finish_bytes),
        in_training("our store", files, stored, "corners", ToInput(PLAIN)),
        in_training("our store, mirrored", files, stored, "corners", mirrored),
    ]

"""Data sets for stores: every kind of value, and one that is slow to read."""

import hashlib
import json
import time
from collections.abc import Mapping
from pathlib import Path

import torch
from torchvision import tv_tensors

from taskweave.data import Depth, Disparity, LabelledSet, Normals

SMALL = 9_000
"""Bytes of a shard: two or three samples of `Kinds`."""


class Kinds(LabelledSet):
    """Samples of several sizes; what is in them says their index. Every third lacks its depth."""

    labels = ("segmentation", "depth", "disparity", "normals", "detection", "box", "species", "odd")
    classes = ("floor", "wall")
    objects = ("dog", "cat")

    def __init__(self, count=7, *, names=labels, seconds=0.0, reads: Path | None = None):
        self.count, self.seconds, self.reads = count, seconds, reads
        self.labels = tuple(names)

    @property
    def categories(self):
        return {"species": ("cat", "dog")} if "species" in self.labels else {}

    def __len__(self):
        return self.count

    def key(self, index):
        return f"picture {index}"

    def scene(self, index):
        return f"scene {index // 2}"

    def __getitem__(self, index):
        if not 0 <= index < self.count:
            raise IndexError(index)
        time.sleep(self.seconds)
        if self.reads is not None:
            with self.reads.open("a") as file:
                file.write(f"{index}\n")
        values = kinds(index)
        if index % 3 == 2:
            del values["depth"]
        kept = {name: value for name, value in values.items() if name in ("image", *self.labels)}
        return {**kept, "key": self.key(index)}


def kinds(index):
    g = torch.Generator().manual_seed(index)
    height, width = 8 + index % 3, 12
    normals = torch.randn(3, height, width, generator=g)
    normals[0, 0, :3] = torch.tensor([-0.0, torch.nan, torch.inf])
    rows = torch.rand(index % 4, 4, generator=g) * 8
    return {
        "image": tv_tensors.Image(torch.randint(0, 256, (3, height, width), generator=g, dtype=torch.uint8)),
        "segmentation": tv_tensors.Mask(torch.randint(0, 256, (height, width), generator=g)),
        "depth": Depth(torch.rand(1, height, width, generator=g)),
        "disparity": Disparity(torch.rand(1, height, width, generator=g)),
        "normals": Normals(normals),
        "detection": {
            "boxes": tv_tensors.BoundingBoxes(rows, format="XYXY", canvas_size=(height, width)),
            "labels": torch.arange(len(rows)) + 1,
            "ignore": torch.rand(len(rows), generator=g) > 0.5,
            "visible": torch.rand(len(rows), generator=g),
        },
        "box": tv_tensors.BoundingBoxes([[1, 2, 3, 4]], format="CXCYWH", canvas_size=(height, 12), clamping_mode=None),
        "species": torch.tensor(index % 2),
        "odd": odd(index),
    }


def odd(index):
    """What no data set of ours has, and one of somebody's may."""
    return {
        "bfloat16": torch.tensor([[1.5, -0.0], [torch.nan, 3e38]], dtype=torch.bfloat16),
        "half": torch.tensor([65504.0, -0.0, torch.inf], dtype=torch.float16),
        "double": torch.tensor(0.1 + index, dtype=torch.float64),
        "complex": torch.tensor([1 + 2j]),
        "bits of NaN": torch.tensor([0x7FC12345, -1], dtype=torch.int32).view(torch.float32),
        "wide": torch.tensor([-(2**63), 2**63 - 1]),
        "signed": torch.tensor([[-1, 127]]),
        "short": torch.tensor([-32768, 300], dtype=torch.int16),
        "unsigned": torch.tensor([65535], dtype=torch.uint16),
        "empty": torch.zeros(0, 5, dtype=torch.int64),
        "turned": torch.arange(6).reshape(2, 3).T,
        "inner": {"text": "Grüße", "none": None, "yes": True, "number": index, "share": 0.1, "nothing": {}},
    }


def assert_same(a, b, at="sample"):
    """The same values, bit for bit, in the same types."""
    assert type(a) is type(b) or (isinstance(a, Mapping) and isinstance(b, Mapping)), f"{at}: {type(a)}, {type(b)}"
    if isinstance(a, Mapping):
        assert [name for name in a if name != "key"] == [name for name in b if name != "key"], at
        assert a.keys() == b.keys(), at
        for name in a:
            assert_same(a[name], b[name], f"{at}.{name}")
    elif isinstance(a, list | tuple):
        assert len(a) == len(b), at
        for place, (one, other) in enumerate(zip(a, b, strict=True)):
            assert_same(one, other, f"{at}[{place}]")
    elif isinstance(a, torch.Tensor):
        assert (a.shape, a.dtype) == (b.shape, b.dtype), at
        assert bits(a) == bits(b), at
        for said in ("format", "canvas_size", "clamping_mode"):
            assert getattr(a, said, None) == getattr(b, said, None), f"{at}: {said}"
    else:
        assert a == b, at


def bits(tensor):
    plain = tensor.as_subclass(torch.Tensor).contiguous().reshape(-1)
    return bytes(plain.view(torch.uint8).tolist()) if plain.numel() else b""


def flip(path: Path, at: int):
    """Turn one bit of the byte `at` (negative: from the end) around."""
    data = bytearray(path.read_bytes())
    data[at] ^= 0x10
    path.write_bytes(data)


def forged(text: str, change) -> str:
    """The manifest after `change`, with the checksum that belongs to it."""
    said = json.loads(text)
    del said["sha256"]
    change(said)
    digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
    return json.dumps({**said, "sha256": digest}) + "\n"


def rename(name: str):
    """For `forged`: the first file of train is called `name`."""
    return lambda said: said["parts"]["train"]["shards"][0].update(file=name)

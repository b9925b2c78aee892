"""One sample as bytes, and back: the same values, bit for bit, in the same types."""

from __future__ import annotations

import json
import struct
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torchvision import tv_tensors

from taskweave.data.tensors import Depth, Disparity, Normals

Bytes = npt.NDArray[np.uint8]

_KINDS: Final[dict[str, type[Tensor]]] = {
    kind.__name__: kind
    for kind in (
        *(Tensor, tv_tensors.Image, tv_tensors.Mask, tv_tensors.Video, tv_tensors.BoundingBoxes),
        *(Depth, Disparity, Normals),
    )
}
_NAMES: Final = {kind: name for name, kind in _KINDS.items()}
_DTYPES: Final = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        *(torch.uint8, torch.int8, torch.uint16, torch.int16, torch.uint32, torch.int32, torch.uint64, torch.int64),
        *(torch.bool, torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64, torch.complex128),
    )
}
_NO_NUMPY: Final = {torch.bfloat16: torch.int16}
"""Types that NumPy has not, and what their bits are held in."""
_NARROWER: Final = {
    torch.int64: (np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32),
    torch.int32: (np.uint8, np.int8, np.uint16, np.int16),
    torch.int16: (np.uint8, np.int8),
}
"""Smaller types in which whole numbers are kept where all of them fit; they are read back in their own."""
_PLAIN = (str, bool, int, float, type(None))
_ALIGNED = 16


@final
@dataclass(frozen=True)
class _Leaf:
    """Where a value lies in a record. at: its names from the sample down. first: its byte, from the record's start."""

    at: tuple[str, ...]
    kind: str
    dtype: str = ""
    stored: str = ""
    shape: tuple[int, ...] = ()
    first: int = 0
    value: Any = None
    format: str = ""
    canvas: tuple[int, int] = (0, 0)
    clamping: str | None = None

    def is_like(self, other: _Leaf | None) -> bool:
        return other is self or (other is not None and (self.dtype, self.shape) == (other.dtype, other.shape))


def encode(sample: Mapping[str, Any]) -> bytes:
    """A sample as bytes. Whole numbers are kept in the smallest type that holds them all, and read back in their own.

    Raises TypeError for a value that is no tensor, number, text, None or mapping of these.
    """
    leaves, blobs = [], []
    for at, value in _leaves(sample, ()):
        leaf, blob = _leaf(at, value)
        leaves.append(leaf)
        blobs.append(blob)
    # places count from the end of the head, whose length they would change otherwise
    place = 0
    for leaf, blob in zip(leaves, blobs, strict=True):
        if blob is not None:
            leaf["first"] = place
            place += _rounded(blob.nbytes)
    head = json.dumps(leaves, separators=(",", ":")).encode()
    parts = [struct.pack("<I", len(head)), head, b"\0" * (_rounded(4 + len(head)) - 4 - len(head))]
    for blob in blobs:
        if blob is not None:
            parts += [blob.tobytes(), b"\0" * (_rounded(blob.nbytes) - blob.nbytes)]
    return b"".join(parts)


def decode(record: Bytes, *, without: Collection[str] = ()) -> dict[str, Any]:
    """The sample in `record`, in memory of its own; without: what of it is left out."""
    sample: dict[str, Any] = {}
    for leaf in _head_of(record):
        if leaf.at[0] in without:
            continue
        inner = sample
        for name in leaf.at[:-1]:
            inner = inner.setdefault(name, {})
        inner[leaf.at[-1]] = _value(record, leaf)
    return sample


def stack(records: Sequence[Bytes], *, without: Collection[str] = ()) -> dict[str, Tensor]:
    """{name: the values of all records, stacked}, plain and copied once, of tensors that have one form in all of them.

    Boxes, and what is in mappings, are not stacked.
    """
    first, *others = (_dense(_head_of(record)) for record in records)
    alike = [name for name, leaf in first.items() if all(leaf.is_like(other.get(name)) for other in others)]
    return {
        name: _stacked(records, [first[name], *(other[name] for other in others)]) for name in alike if name not in without
    }


def has_size(record: Bytes, size: tuple[int, int], *, without: Collection[str] = ()) -> bool:
    """Whether all that has pixels, and the pictures that boxes lie on, are of `size` (height, width)."""
    placed = [leaf for leaf in _head_of(record) if leaf.dtype and leaf.kind != "Tensor" and leaf.at[0] not in without]
    return all((leaf.canvas if leaf.kind == "BoundingBoxes" else leaf.shape[-2:]) == size for leaf in placed)


def names_of(record: Bytes) -> tuple[str, ...]:
    """What is in the sample, in order."""
    return tuple(dict.fromkeys(leaf.at[0] for leaf in _head_of(record)))


def kinds_of(record: Bytes) -> dict[str, str]:
    """{name, with dots between levels: type of the value}."""
    return {".".join(leaf.at): f"{leaf.kind} {leaf.dtype} {leaf.format}".strip() for leaf in _head_of(record)}


def image_size(record: Bytes) -> tuple[int, int]:
    """(height, width) of the picture."""
    shape = next(leaf.shape for leaf in _head_of(record) if leaf.at == ("image",))
    return shape[-2], shape[-1]


def _leaves(value: Mapping[str, Any], above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, part in value.items():
        if isinstance(part, Mapping) and part:
            yield from _leaves(part, (*above, name))
        else:
            yield (*above, name), part


def _leaf(at: tuple[str, ...], value: Any) -> tuple[dict[str, Any], npt.NDArray[Any] | None]:
    """What the head says of a value, and its numbers."""
    if isinstance(value, Mapping):  # an empty one
        return {"at": at, "kind": "mapping"}, None
    if type(value) in _PLAIN:
        return {"at": at, "kind": "value", "value": value}, None
    kind, dtype = _NAMES.get(type(value)), getattr(value, "dtype", None)
    name = str(dtype).removeprefix("torch.")
    if kind is None or name not in _DTYPES:
        of = f" of {dtype}" if dtype is not None else ""
        raise TypeError(
            f"{'.'.join(at)} is a {type(value).__name__}{of}: a store holds tensors ({', '.join(_KINDS)}), numbers, text, "
            "None and mappings of these; make it one of them in the data set"
        )
    numbers = _narrowed(value)
    facts = {"at": at, "kind": kind, "dtype": name, "stored": numbers.dtype.str, "shape": tuple(value.shape)}
    if isinstance(value, tv_tensors.BoundingBoxes):
        facts |= {"format": value.format.value, "canvas": tuple(value.canvas_size), "clamping": value.clamping_mode}
    return facts, numbers


def _narrowed(value: Tensor) -> npt.NDArray[Any]:
    plain = value.detach().as_subclass(Tensor).cpu().contiguous()
    numbers: npt.NDArray[Any] = plain.view(_NO_NUMPY.get(plain.dtype, plain.dtype)).numpy()
    if not numbers.size or plain.dtype not in _NARROWER:
        return numbers
    least, most = int(numbers.min()), int(numbers.max())
    for narrower in _NARROWER[plain.dtype]:
        limits = np.iinfo(narrower)
        if limits.min <= least and most <= limits.max:
            return numbers.astype(narrower)
    return numbers


def _head_of(record: Bytes) -> tuple[_Leaf, ...]:
    length = int.from_bytes(record[:4].tobytes(), "little")
    return _head(record[4 : 4 + length].tobytes())


@lru_cache(maxsize=4096)
def _head(text: bytes) -> tuple[_Leaf, ...]:
    """Read once for all samples of one form: those of one size without boxes share theirs."""
    data = _rounded(4 + len(text))
    leaves = []
    for said in json.loads(text):
        lists = {name: tuple(said[name]) for name in ("at", "shape", "canvas") if name in said}
        leaves.append(_Leaf(**{**said, **lists, "first": data + said.get("first", 0)}))
    return tuple(leaves)


@lru_cache(maxsize=4096)
def _dense(head: tuple[_Leaf, ...]) -> Mapping[str, _Leaf]:
    return {leaf.at[0]: leaf for leaf in head if len(leaf.at) == 1 and leaf.dtype and leaf.kind != "BoundingBoxes"}


def _value(record: Bytes, leaf: _Leaf) -> Any:
    if leaf.kind == "mapping":
        return {}
    if leaf.kind == "value":
        return leaf.value
    dtype = _DTYPES[leaf.dtype]
    held = _NO_NUMPY.get(dtype, dtype)
    # one pass from the file's pages to a tensor of its own, widened on the way
    plain = torch.from_numpy(np.array(_stored(record, leaf), dtype=_name(held), order="C")).view(dtype)
    if leaf.kind == "BoundingBoxes":
        form = tv_tensors.BoundingBoxFormat(leaf.format)
        return tv_tensors.BoundingBoxes(plain, format=form, canvas_size=leaf.canvas, clamping_mode=leaf.clamping)
    return plain if leaf.kind == "Tensor" else plain.as_subclass(_KINDS[leaf.kind])


def _stacked(records: Sequence[Bytes], leaves: Sequence[_Leaf]) -> Tensor:
    dtype = _DTYPES[leaves[0].dtype]
    together = torch.empty((len(records), *leaves[0].shape), dtype=_NO_NUMPY.get(dtype, dtype))
    rows = together.numpy()
    for place, (record, leaf) in enumerate(zip(records, leaves, strict=True)):
        rows[place, ...] = _stored(record, leaf)
    return together.view(dtype)


def _stored(record: Bytes, leaf: _Leaf) -> npt.NDArray[Any]:
    """The numbers as they lie in the file, not copied."""
    return np.ndarray(leaf.shape, leaf.stored, buffer=record, offset=leaf.first)


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _rounded(count: int) -> int:
    return -(-count // _ALIGNED) * _ALIGNED

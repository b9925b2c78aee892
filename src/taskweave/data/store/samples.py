"""Samples in an Arrow file: a row each, a column of bytes for each tensor, and one that says what the bytes are."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from itertools import permutations
from pathlib import Path
from typing import Any, Final, NamedTuple, final

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field, model_validator
from torch import Tensor
from torchvision import tv_tensors

from taskweave.data.store.manifest import Facts, ShardFacts, damaged, sha256_of
from taskweave.data.tensors import Depth, Disparity, Normals
from taskweave.files import writing

_OF_TORCHVISION = (tv_tensors.Image, tv_tensors.Mask, tv_tensors.Video, tv_tensors.BoundingBoxes)
KINDS: Final[dict[str, type[Tensor]]] = {
    kind.__name__: kind for kind in (Tensor, *_OF_TORCHVISION, Depth, Disparity, Normals)
}
_NUMBERS = "uint8 int8 uint16 int16 uint32 int32 uint64 int64 bool float16 bfloat16 float32 float64 complex64 complex128"
DTYPES: Final[dict[str, torch.dtype]] = {name: getattr(torch, name) for name in _NUMBERS.split()}
_FORMATS: Final = [form.value for form in tv_tensors.BoundingBoxFormat]


@final
class Leaf(Facts):
    """One value of a sample: its names from the sample down, and what its bytes are, from closed lists.

    `kind` is a tensor type, "value", or "mapping" for an empty one; `stored` is the bytes' type, no larger than `dtype`.
    """

    at: tuple[str, ...] = Field(min_length=1)
    kind: str
    value: Any = None
    dtype: str = ""
    stored: str = ""
    shape: tuple[int, ...] = Field((), max_length=32)
    format: str = ""
    canvas: tuple[int, int] = (0, 0)
    clamping: str | None = None

    @model_validator(mode="after")
    def _is_known(self) -> Leaf:
        closed = [(self.kind, ["value", "mapping", *KINDS])]
        if self.kind in KINDS:
            closed += [(self.dtype, list(DTYPES)), (self.stored, [name for name in DTYPES if name != "bfloat16"])]
        if self.kind == "BoundingBoxes":
            closed += [(self.format, _FORMATS), (self.clamping or "soft", ["soft", "hard"])]
        for said, known in closed:
            if said not in known:
                raise ValueError(f"{said!r} is none of {', '.join(known)}")
        if self.kind in KINDS and not np.can_cast(self.stored, self.held, "safe"):
            raise ValueError(f"{self.dtype} cannot be kept as {self.stored}")
        if any(length < 0 for length in self.shape) or math.prod(max(length, 1) for length in self.shape) >> 48:
            raise ValueError(f"no tensor has the shape {self.shape}")
        return self

    @cached_property
    def name(self) -> str:
        """With dots between levels: the name of its column."""
        return ".".join(self.at)

    @cached_property
    def held(self) -> str:
        """NumPy's type for its bits."""
        return "int16" if self.dtype == "bfloat16" else self.dtype

    @cached_property
    def numbers(self) -> np.dtype[Any]:
        return np.dtype(self.stored).newbyteorder("<")

    @cached_property
    def nbytes(self) -> int:
        return math.prod(self.shape) * self.numbers.itemsize

    @cached_property
    def form(self) -> tuple[Any, ...]:
        """What is equal for two that can be stacked; () for one that cannot."""
        dense = len(self.at) == 1 and self.dtype and self.kind != "BoundingBoxes"
        return (self.dtype, self.shape) if dense else ()


TEXTS: Final = ("key", ".form")
"""Columns of text: a sample's key, and its `Leaf` values in JSON. All others are bytes, little-endian, in C order."""
_PLAIN: Final = (str, bool, int, float, type(None))
Form = Mapping[str, Leaf]
"""A sample's values by name, in order."""


@lru_cache(maxsize=4096)
def _form(text: str) -> Form:
    """Read once for all samples of one form: those of one size without boxes share theirs."""
    leaves = [Leaf(**said) for said in json.loads(text)]
    if any(one.at == other.at[: len(one.at)] for one, other in permutations(leaves, 2)):
        raise ValueError("two values have one name")
    return {leaf.name: leaf for leaf in leaves}


@final
class Shard:
    """A mapped file: nothing is read before it is used, and pages are shared by all processes."""

    def __init__(self, path: Path, forms: Sequence[str], columns: Mapping[str, tuple[Any, Any]]) -> None:
        self.path = path
        self.forms = forms
        self.columns = columns
        self.nothing = ([0] * (len(forms) + 1), np.zeros(0, np.uint8))
        self.alike = len(set(forms)) == 1
        self.blocks: dict[str, npt.NDArray[Any]] = {}
        """Where all samples have one form, all values of a column in one array: the fastest way to one of them."""

    def row(self, at: int) -> Row:
        try:
            return Row(self, at, _form(self.forms[at]))
        except (ValueError, TypeError, RecursionError) as error:
            raise damaged(self.path, f"sample {at} does not say what it holds: {error}") from error


class Row(NamedTuple):
    """A sample where it lies in its file."""

    shard: Shard
    at: int
    form: Form

    def numbers(self, leaf: Leaf) -> npt.NDArray[Any]:
        """A tensor's numbers, not copied: nothing may be written to them."""
        shard = self.shard
        if leaf.name not in shard.blocks:
            ends, data = shard.columns.get(leaf.name, shard.nothing)
            if (found := ends[self.at + 1] - ends[self.at]) != leaf.nbytes:
                takes = f"expected {leaf.nbytes:,} for the shape {leaf.shape} in {leaf.stored}"
                raise damaged(shard.path, f"sample {self.at} has {found:,} bytes of {leaf.name!r}, {takes}")
            if not shard.alike or ends != list(range(ends[0], ends[-1] + 1, leaf.nbytes or 1)):
                return np.ndarray(leaf.shape, leaf.numbers, data, ends[self.at])
            shard.blocks[leaf.name] = np.ndarray((len(ends) - 1, *leaf.shape), leaf.numbers, data, ends[0])
        numbers: npt.NDArray[Any] = shard.blocks[leaf.name][self.at]
        return numbers


def arrow() -> Any:
    """Return pyarrow, or raise an `ImportError` that says how to install it."""
    try:
        import pyarrow.fs
        import pyarrow.ipc
    except ImportError as error:
        raise ImportError("stores need pyarrow: pip install 'taskweave[store]'") from error
    return pyarrow


def write_shard(path: Path, rows: Sequence[Mapping[str, Any]]) -> ShardFacts:
    """Write rows of `encode` as an Arrow file of one record batch, whole or not at all."""
    pa = arrow()
    names = dict.fromkeys(name for row in rows for name in row)
    kinds = {name: pa.string() if name in TEXTS else pa.large_binary() for name in names}
    batch = pa.record_batch({name: pa.array([row.get(name) for row in rows], kind) for name, kind in kinds.items()})

    with writing(path) as file, pa.ipc.new_file(file, batch.schema) as writer:
        writer.write_batch(batch)
    return ShardFacts(file=path.name, bytes=path.stat().st_size, sha256=sha256_of(path), items=len(rows))


def map_shard(path: Path, facts: ShardFacts, known: Collection[str] | None = None) -> Shard:
    """Map the samples in `path`, or raise `DamagedStoreError`; `known` lists the columns allowed (None: any)."""
    pa = arrow()
    # torch's mapping keeps no file open, of which a process may have a thousand or so
    data = torch.from_file(str(path), shared=False, size=facts.bytes, dtype=torch.uint8).numpy()
    try:
        reader = pa.ipc.open_file(pa.py_buffer(data))
        found = {field.name: str(field.type) for field in reader.schema}
        for name, kind in {**dict.fromkeys(found, "large_binary"), **dict.fromkeys(TEXTS, "string")}.items():
            if found.get(name) != kind:
                raise ValueError(f"its column {name!r} is {found.get(name, 'missing')}, expected {kind}")
            if known is not None and name not in (*TEXTS, *known):
                raise ValueError(f"it has the column {name!r}, expected {', '.join((*TEXTS, *known))}")
        batch = reader.get_batch(0)
        batch.validate(full=True)
        if (reader.num_record_batches, batch.num_rows) != (1, facts.items):
            raise ValueError(f"it has {batch.num_rows} samples in its first batch, expected {facts.items} in one")
        forms = batch.column(".form").to_pylist()
        columns = {name: _ends_and_data(batch.column(name)) for name in found if name not in TEXTS}
    except (ValueError, OSError, IndexError, KeyError, pa.ArrowException) as error:
        raise damaged(path, f"it is no Arrow file of these samples: {error}") from error
    alike = {form: form for form in forms}  # one text for all that say the same
    return Shard(path, [alike[form] for form in forms], columns)


def encode(sample: Mapping[str, Any]) -> dict[str, Any]:
    """A sample as a row, whole numbers in the smallest type that holds them. TypeError for what a store cannot hold."""
    leaves: dict[str, Leaf] = {}
    row: dict[str, Any] = {"key": sample["key"], ".form": ""}
    for at, value in _leaves(sample, ()):
        leaf, numbers = _leaf(at, value)
        if leaf.name in (*leaves, ".form"):
            raise TypeError(f"two values, or one of the store's own, are called {leaf.name!r}: give one another name")
        leaves[leaf.name] = leaf
        if numbers is not None:
            row[leaf.name] = numbers.astype(leaf.numbers, copy=False).tobytes()
    said = [leaf.model_dump(exclude_defaults=True) for leaf in leaves.values()]
    return {**row, ".form": json.dumps(said, separators=(",", ":"))}


def decode(row: Row, *, without: Collection[str] = ()) -> dict[str, Any]:
    """Return the sample in memory of its own, leaving out the values named in `without`."""
    sample: dict[str, Any] = {}
    for leaf in row.form.values():
        if leaf.at[0] in without:
            continue
        inner = sample
        for name in leaf.at[:-1]:
            inner = inner.setdefault(name, {})
        inner[leaf.at[-1]] = _value(row, leaf)
    return sample


def stack(rows: Sequence[Row], *, without: Collection[str] = ()) -> dict[str, Tensor]:
    """{name: the values of all rows, stacked}, of tensors of one form in all of them; boxes and mappings are left out."""
    stacked, forms = {}, forms_of(rows)
    for name, leaf in rows[0].form.items():
        others = [form.get(name) for form in forms]
        if leaf.form and name not in without and all(other and other.form == leaf.form for other in others):
            # NumPy's memory comes in pages of 2 MB, torch's in pages of 4 KB, which takes twice as long
            together = np.stack([row.numbers(row.form[name]) for row in rows], dtype=leaf.held)
            stacked[name] = torch.from_numpy(together).view(DTYPES[leaf.dtype])
    return stacked


def forms_of(rows: Sequence[Row]) -> Collection[Form]:
    """Each once: most samples share theirs."""
    return {id(row.form): row.form for row in rows}.values()


def has_size(form: Form, size: tuple[int, int], *, without: Collection[str] = ()) -> bool:
    """Whether all that has pixels, and the pictures that boxes lie on, are of `size` (height, width)."""
    placed = [leaf for leaf in form.values() if leaf.dtype and leaf.kind != "Tensor" and leaf.at[0] not in without]
    return all((leaf.canvas if leaf.kind == "BoundingBoxes" else leaf.shape[-2:]) == size for leaf in placed)


def _ends_and_data(array: Any) -> tuple[list[int], npt.NDArray[np.uint8]]:
    """Where each row begins, and where the last one ends, in the bytes."""
    _, ends, data = array.buffers()
    return np.frombuffer(ends, "<i8", len(array) + 1, 8 * array.offset).tolist(), np.frombuffer(data or b"", np.uint8)


def _leaves(value: Mapping[str, Any], above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, part in value.items():
        if isinstance(part, Mapping) and part:
            yield from _leaves(part, (*above, name))
        elif above or name != "key":
            yield (*above, name), part


def _leaf(at: tuple[str, ...], value: Any) -> tuple[Leaf, npt.NDArray[Any] | None]:
    """What is said of a value, and its numbers."""
    if isinstance(value, Mapping):
        return Leaf(at=at, kind="mapping"), None
    if type(value) in _PLAIN:
        return Leaf(at=at, kind="value", value=value), None
    kind, dtype = type(value).__name__, str(getattr(value, "dtype", "")).removeprefix("torch.")
    if KINDS.get(kind) is not type(value) or dtype not in DTYPES:
        raise TypeError(
            f"{'.'.join(at)} is a {kind}{f' of {value.dtype}' if dtype else ''}: a store holds tensors "
            f"({', '.join(KINDS)}), numbers, text, None and mappings of these; make it one of them in the data set"
        )
    numbers = _narrowed(value.detach().as_subclass(Tensor).cpu().contiguous())
    boxes: dict[str, Any] = {}
    if isinstance(value, tv_tensors.BoundingBoxes):
        boxes = {"format": value.format.value, "canvas": tuple(value.canvas_size), "clamping": value.clamping_mode}
    return Leaf(at=at, kind=kind, dtype=dtype, stored=numbers.dtype.name, shape=tuple(value.shape), **boxes), numbers


def _narrowed(plain: Tensor) -> npt.NDArray[Any]:
    numbers: npt.NDArray[Any] = plain.view(torch.int16 if plain.dtype == torch.bfloat16 else plain.dtype).numpy()
    if not numbers.size or plain.dtype not in (torch.int64, torch.int32, torch.int16):
        return numbers
    least, most = np.min_scalar_type(int(numbers.min())), np.min_scalar_type(int(numbers.max()))
    narrower = np.promote_types(least, most)
    return numbers.astype(narrower) if narrower.itemsize < numbers.itemsize else numbers


def _value(row: Row, leaf: Leaf) -> Any:
    if leaf.kind == "mapping":
        return {}
    if leaf.kind == "value":
        return leaf.value
    # one pass from the file's pages to a tensor of its own, widened on the way
    plain = torch.from_numpy(np.array(row.numbers(leaf), dtype=leaf.held, order="C")).view(DTYPES[leaf.dtype])
    if leaf.kind == "BoundingBoxes":
        form = tv_tensors.BoundingBoxFormat(leaf.format)
        return tv_tensors.BoundingBoxes(plain, format=form, canvas_size=leaf.canvas, clamping_mode=leaf.clamping)
    return plain if leaf.kind == "Tensor" else plain.as_subclass(KINDS[leaf.kind])

"""Stores that somebody made to do harm, checksums and all: paths stay inside, types come from a closed list."""

import hashlib
import json
import random
from pathlib import Path

import pytest
from data.store_toys import SMALL, Kinds, assert_same, forged, rename

from taskweave.data import open_store, pack_store as pack
from taskweave.data.store.manifest import DamagedStoreError, ShardFacts
from taskweave.data.store.places import ObjectStorage, faults
from taskweave.data.store.samples import decode, map_shard

pa = pytest.importorskip("pyarrow", reason="stores are packed with taskweave[store]")
SHARD = "train-00000.arrow"
PATHS = ["../../../x", "../x", "/{outside}", "sub/train-00000.arrow", "train-00001.arrow", "train-00000.arrow\n", "", "."]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TASKWEAVE_CACHE", str(tmp_path / "cache"))


def forge(store: Path, change) -> None:
    manifest = store / "manifest.json"
    manifest.write_text(forged(manifest.read_text(), change))


def put_shard(store: Path, data: bytes) -> None:
    """Other bytes in the place of the first file, and in the manifest."""
    (store / SHARD).write_bytes(data)
    facts = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    forge(store, lambda said: said["parts"]["train"]["shards"][0].update(facts))


def test_the_forger_forges(store):
    """What is not changed is read, so that what follows fails for what is changed."""
    put_shard(store, (store / SHARD).read_bytes())
    rewrite(store, lambda table: table)
    assert_same(Kinds()[0], open_store(store)[0])


@pytest.mark.parametrize("name", PATHS)
def test_no_name_leads_out_of_a_folder(store, tmp_path, name):
    name = name.format(outside=tmp_path / "x")
    (tmp_path / "x").write_bytes((store / SHARD).read_bytes())
    forge(store, rename(name))
    for read in (open_store, faults):
        with pytest.raises(DamagedStoreError, match=r"manifest.json is not as it was written") as told:
            read(store)
        assert f"it names the file {name!r}, expected 'train-00000.arrow'" in str(told.value)
        assert "copy this file again, or pack the data again" in str(told.value)


@pytest.mark.parametrize("name", ["../up", "/up", "..", "a/b", "", "a\n"])
def test_no_part_leads_out_of_a_folder(store, name):
    def change(said):
        said["parts"] = {name: said["parts"]["test"]}
        said["parts"][name]["shards"][0]["file"] = f"{name}-00000.arrow"

    forge(store, change)
    with pytest.raises(DamagedStoreError, match="cannot be a part's name"):
        open_store(store, part=name)


def test_no_link_leads_out_of_a_folder(store, tmp_path):
    for name, read in {SHARD: lambda: open_store(store)[0], "manifest.json": lambda: open_store(store)}.items():
        outside = tmp_path / f"outside {name}"
        (store / name).rename(outside)
        (store / name).symlink_to(outside)
        with pytest.raises(DamagedStoreError, match=rf"{name} is not as it was written: it is a link to .*outside"):
            read()
        (store / name).unlink()
        outside.rename(store / name)
    assert_same(Kinds()[0], open_store(store)[0])


def test_nothing_is_written_through_a_link(tmp_path, store):
    outside, out = tmp_path / "outside", tmp_path / "new"
    outside.write_text("mine")
    with pytest.raises(KeyboardInterrupt):
        pack({"train": Stopping(7), "test": Kinds(2)}, out, shard_bytes=SMALL, source={"kind": "toys"})
    for name in (SHARD, f"{SHARD}.part", "train-00001.arrow.part", "packing.json.part", "manifest.json.part"):
        (out / name).symlink_to(outside)
    pack({"train": Kinds(7), "test": Kinds(2)}, out, shard_bytes=SMALL, source={"kind": "toys"})
    assert outside.read_text() == "mine"
    assert {file.name: file.read_bytes() for file in out.iterdir()} == {
        file.name: file.read_bytes() for file in store.iterdir()
    }
    assert not any(file.is_symlink() for file in out.iterdir())


class Stopping(Kinds):
    def __getitem__(self, index):
        raise KeyboardInterrupt


# object storage, by what pyarrow says is there


@pytest.fixture
def storage(store, monkeypatch):
    """The store as object storage, its files in memory: {name: bytes}. What was asked for is in `asked`."""
    held = {file.name: file.read_bytes() for file in store.iterdir()}
    held["asked"] = []

    def read(self, name, most=None):
        held["asked"].append(name)
        return held[name]

    monkeypatch.setattr(ObjectStorage, "_read", read)
    return held


def files_in(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize("name", PATHS)
def test_no_name_leads_out_of_the_cache(storage, tmp_path, name):
    name = name.format(outside=tmp_path / "x")
    storage[name] = storage[SHARD]
    storage["manifest.json"] = forged(storage["manifest.json"].decode(), rename(name)).encode()
    before = files_in(tmp_path)
    with pytest.raises(DamagedStoreError, match=r"s3://stores/pets/manifest.json is not as it was written") as told:
        open_store("s3://stores/pets")[0]
    assert f"it names the file {name!r}, expected 'train-00000.arrow'" in str(told.value)
    assert storage["asked"] == ["manifest.json"]
    assert files_in(tmp_path) == before


def test_no_link_leads_out_of_the_cache(storage, tmp_path):
    outside = tmp_path / "outside"
    list(open_store("s3://stores/pets"))
    kept = next((tmp_path / "cache").rglob(SHARD))
    for text in (storage[SHARD], b"other"):
        outside.write_bytes(text)
        for link in (kept, kept.with_name(f"{SHARD}.part")):
            link.unlink(missing_ok=True)
            link.symlink_to(outside)
        assert_same(Kinds()[0], open_store("s3://stores/pets")[0])
        assert outside.read_bytes() == text
        assert not kept.is_symlink() and kept.read_bytes() == storage[SHARD]


# types and shapes


def rewrite(store: Path, change) -> None:
    """The first file after `change` of its table."""
    table = change(pa.ipc.open_file(store / SHARD).read_all())
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    put_shard(store, sink.getvalue().to_pybytes())


def with_column(table, name, values, kind):
    if name in table.column_names:
        table = table.drop_columns([name])
    return table.append_column(name, pa.array(values, kind))


def say(name, **said):
    """Changes what the first sample's form says of the value `name`."""

    def change(table):
        forms = table[".form"].to_pylist()
        leaves = json.loads(forms[0])
        next(leaf for leaf in leaves if leaf["at"] == name.split(".")).update(said)
        return with_column(table, ".form", [json.dumps(leaves), *forms[1:]], pa.string())

    return change


def form(text):
    return lambda table: with_column(table, ".form", [text, *table[".form"].to_pylist()[1:]], pa.string())


WRONG = {
    "stored |O8": (say("image", stored="|O8"), r"'\|O8' is none of uint8, int8"),
    "stored object": (say("image", stored="object"), "'object' is none of uint8"),
    "dtype |O8": (say("image", dtype="|O8"), r"'\|O8' is none of uint8, int8"),
    "dtype of another size": (say("depth", stored="float64"), "float32 cannot be kept as float64"),
    "wider": (say("image", stored="uint16"), "uint8 cannot be kept as uint16"),
    "kind": (say("image", kind="Module"), "'Module' is none of value, mapping, Tensor, Image"),
    "boxes' format": (say("box", format="os.system"), "'os.system' is none of XYXY"),
    "boxes' clamping": (say("box", clamping="never"), "'never' is none of soft, hard"),
    "negative shape": (say("image", shape=[-3, -8, 12]), r"no tensor has the shape \(-3, -8, 12\)"),
    "negative and empty": (say("odd.empty", shape=[0, -5]), r"no tensor has the shape \(0, -5\)"),
    "empty and huge": (say("odd.empty", shape=[0, 1 << 60]), "no tensor has the shape"),
    "fewer": (
        say("image", shape=[3, 8, 11]),
        r"has 288 bytes of 'image', expected 264 for the shape \(3, 8, 11\)",
    ),
    "more": (say("image", shape=[3, 8, 13]), "sample 0 has 288 bytes of 'image', expected 312"),
    "huge": (say("image", shape=[3, 1 << 30, 1 << 30]), "no tensor has the shape"),
    "many axes": (say("image", shape=[1] * 70), "at most 32 items"),
    "no number": (say("image", shape=["many"]), "should be a valid integer"),
    "no bytes": (say("species", at=["none"]), "sample 0 has 0 bytes of 'none', expected 1"),
    "said twice": (say("species", at=["image"]), "two values have one name"),
    "below another": (say("species", at=["image", "red"]), "two values have one name"),
    "a stranger": (say("image", exec="rm"), "Extra inputs are not permitted"),
    "no JSON": (form("[{"), "sample 0 does not say what it holds: Expecting property name"),
    "no list": (form("3"), "'int' object is not iterable"),
    "deep JSON": (form("[" * 100_000), "recursion"),
    "unknown column": (
        lambda table: with_column(table, "extra", [b""] * len(table), pa.large_binary()),
        "it has the column 'extra', expected key, .form, image, segmentation",
    ),
    "column of numbers": (
        lambda table: with_column(table, "image", [1] * len(table), pa.int64()),
        "its column 'image' is int64, expected large_binary",
    ),
    "no form": (lambda table: table.drop_columns([".form"]), r"its column '.form' is missing, expected string"),
    "null form": (form(None), "sample 0 does not say what it holds"),
    "fewer samples": (lambda table: table.slice(1), r"it has \d samples in its first batch, expected \d in one"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_type_or_shape_is_refused(store, case):
    change, words = WRONG[case]
    rewrite(store, change)
    with pytest.raises(DamagedStoreError, match=words) as told:
        open_store(store)[0]
    assert f"{store / SHARD} is not as it was written: " in str(told.value)
    assert "pack the data again" in str(told.value)
    with pytest.raises(DamagedStoreError, match=words):
        open_store(store).batch([0])


def test_files_that_are_none_are_refused(store):
    whole = (store / SHARD).read_bytes()
    for data in (whole[:-1], whole[: len(whole) // 2], whole[8:], b"ARROW1\0\0", b"x", whole + b"x"):
        put_shard(store, data)
        with pytest.raises(DamagedStoreError, match=rf"{SHARD} is not as it was written: it is no Arrow file"):
            open_store(store)[0]


def test_no_flipped_byte_ends_the_process(store, tmp_path):
    """With checksums that fit: what is read then is refused, or read as something else."""
    whole, draw, refused = (store / SHARD).read_bytes(), random.Random(0), 0
    items = json.loads((store / "manifest.json").read_text())["parts"]["train"]["shards"][0]["items"]
    path = tmp_path / "flipped.arrow"
    for _ in range(1000):
        data = bytearray(whole)
        for _ in range(draw.randint(1, 3)):
            data[draw.randrange(len(data))] = draw.randrange(256)
        path.write_bytes(data)
        facts = ShardFacts(file=path.name, bytes=len(data), sha256=hashlib.sha256(data).hexdigest(), items=items)
        try:
            shard = map_shard(path, facts)
            for at in range(items):
                decode(shard.row(at))
        except DamagedStoreError:
            refused += 1
    assert 0 < refused < 1000

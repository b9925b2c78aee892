"""Stores in object storage: a loopback S3 server in this process."""

import hashlib
import shutil
import socket
import time
from pathlib import Path

import pytest
from data.store_toys import Kinds, assert_same, flip, forged, rename
from torch.utils.data import DataLoader

from taskweave.data import open_store, pack_store as pack
from taskweave.data.store.manifest import DamagedStoreError
from taskweave.data.store.places import upload

pytest.importorskip("pyarrow", reason="stores are packed with taskweave[store]")
server = pytest.importorskip("moto.server", reason="the S3 server for tests is in the development group")
SHARD = "train-00001.arrow"


@pytest.fixture(autouse=True)
def account(tmp_path, monkeypatch):
    monkeypatch.setenv("TASKWEAVE_CACHE", str(tmp_path / "cache"))
    for name, value in {
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": "/none",
        "AWS_SHARED_CREDENTIALS_FILE": "/none/either",
        "NO_PROXY": "*",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def endpoint():
    import logging

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    moto = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    yield f"http://{host}:{port}"
    moto.stop()


@pytest.fixture
def bucket(endpoint):
    import boto3

    client = boto3.client("s3", endpoint_url=endpoint)
    client.create_bucket(Bucket="stores")
    yield client
    for found in client.list_objects_v2(Bucket="stores").get("Contents", []):
        client.delete_object(Bucket="stores", Key=found["Key"])
    client.delete_bucket(Bucket="stores")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("packed") / "store"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TASKWEAVE_CACHE", str(root.parent / "cache"))
        pack({"train": Kinds(7), "test": Kinds(2)}, root, shard_bytes=9_000)
    return root


@pytest.fixture
def url(folder, bucket, endpoint):
    upload(folder, "s3://stores/pets", endpoint_url=endpoint)
    return "s3://stores/pets"


def kept(tmp_path: Path) -> dict[str, Path]:
    return {file.name: file for file in (tmp_path / "cache").rglob("*.arrow")}


def test_read_back_from_object_storage(url, endpoint, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    stored, source = open_store(url), Kinds(7)
    assert not kept(tmp_path), "nothing is fetched before it is needed"
    assert_same(source[6], stored[6])
    assert len(kept(tmp_path)) == 1
    for index in range(7):
        assert_same(source[index], stored[index])


def test_every_file_is_fetched_once(url, endpoint, bucket, monkeypatch):
    stored = open_store(url, endpoint_url=endpoint)
    list(stored)
    for found in bucket.list_objects_v2(Bucket="stores")["Contents"]:
        if found["Key"] != "pets/manifest.json":
            bucket.delete_object(Bucket="stores", Key=found["Key"])
    for index, sample in enumerate(open_store(url, endpoint_url=endpoint)):
        assert_same(Kinds()[index], sample)


@pytest.mark.slow
def test_workers(url, endpoint, tmp_path):
    stored = open_store(url, endpoint_url=endpoint)
    assert_same(Kinds()[0], stored[0])  # the parent has a connection before its workers are forked
    loader = DataLoader(stored, batch_size=None, sampler=[5, 0, 6, 1, 4, 3, 2], num_workers=2, timeout=60)
    assert [sample["key"] for sample in loader] == [f"picture {index}" for index in (5, 0, 6, 1, 4, 3, 2)]
    assert len(kept(tmp_path)) == len(stored.facts.shards)


def test_workers_fetch_ahead(url, endpoint, tmp_path):
    stored = open_store(url, endpoint_url=endpoint)
    stored.place.begin_ahead(stored.facts.shards)
    until = 100
    while len(kept(tmp_path)) < len(stored.facts.shards) and until:
        until -= 1
        time.sleep(0.05)
    assert set(kept(tmp_path)) == {shard.file for shard in stored.facts.shards}


def test_a_flipped_byte_is_named_and_refused(url, endpoint, bucket, tmp_path):
    body = bytearray(bucket.get_object(Bucket="stores", Key=f"pets/{SHARD}")["Body"].read())
    body[400] ^= 1
    bucket.put_object(Bucket="stores", Key=f"pets/{SHARD}", Body=bytes(body))
    stored = open_store(url, endpoint_url=endpoint)
    with pytest.raises(DamagedStoreError, match=rf"{url}/{SHARD} is not as it was written: its SHA-256"):
        list(stored)
    assert SHARD not in kept(tmp_path), "damage is not kept"


def test_a_manifest_that_names_a_path_is_refused(url, endpoint, bucket, folder, tmp_path):
    """More of its kind in test_store_forged.py."""
    shard = (folder / "train-00000.arrow").read_bytes()
    for name in ("../../../x", str(tmp_path / "x")):
        text = forged((folder / "manifest.json").read_text(), rename(name))
        bucket.put_object(Bucket="stores", Key="pets/manifest.json", Body=text.encode())
        for key in (f"pets/{name}", "x"):
            bucket.put_object(Bucket="stores", Key=key, Body=shard)
        with pytest.raises(DamagedStoreError, match=rf"{url}/manifest.json is .* the file '{name}', expected 'train-0"):
            open_store(url, endpoint_url=endpoint)[0]
    assert not list(tmp_path.rglob("x*"))


def test_a_damaged_copy_is_fetched_again(url, endpoint, tmp_path):
    list(open_store(url, endpoint_url=endpoint))
    flip(kept(tmp_path)[SHARD], 400)
    for index, sample in enumerate(open_store(url, endpoint_url=endpoint)):
        assert_same(Kinds()[index], sample)


@pytest.mark.slow
def test_a_broken_upload_goes_on_and_is_no_store_before(folder, bucket, endpoint, monkeypatch):
    from moto.s3 import exceptions, models

    whole, sent = models.S3Backend.put_object, []

    def put(self, bucket_name, key_name, *rest, **options):
        if len(sent) == 3 and not going_on:
            raise exceptions.AccessForbidden("not now")
        if key_name != "pets/uploading.txt":
            sent.append(key_name)
        return whole(self, bucket_name, key_name, *rest, **options)

    monkeypatch.setattr(models.S3Backend, "put_object", put)
    going_on = False
    with pytest.raises(OSError, match=r"s3://stores/pets: .*not now.*The same command goes on from here"):
        upload(folder, "s3://stores/pets", endpoint_url=endpoint)
    with pytest.raises(FileNotFoundError, match=r"s3://stores/pets/manifest.json is not there"):
        open_store("s3://stores/pets", endpoint_url=endpoint)
    going_on = True
    upload(folder, "s3://stores/pets", endpoint_url=endpoint)
    assert len(sent) == len(set(sent)), "no file is sent twice"
    assert sent[-1] == "pets/manifest.json"
    assert set(sent) == {f"pets/{file.name}" for file in folder.iterdir()}
    assert_same(Kinds()[3], open_store("s3://stores/pets", endpoint_url=endpoint)[3])


def test_files_of_another_store_are_sent_again(folder, url, bucket, endpoint, tmp_path):
    """Also where they have the same sizes, and came there without us."""
    other = Path(shutil.copytree(folder, tmp_path / "other"))
    flip(other / SHARD, 2000)
    for file in other.iterdir():
        bucket.put_object(Bucket="stores", Key=f"pets/{file.name}", Body=file.read_bytes())
    digest = hashlib.sha256((other / SHARD).read_bytes()).hexdigest()
    text = forged(
        (folder / "manifest.json").read_text(), lambda said: said["parts"]["train"]["shards"][1].update(sha256=digest)
    )
    bucket.put_object(Bucket="stores", Key="pets/manifest.json", Body=text.encode())
    upload(folder, url, endpoint_url=endpoint)
    for index, sample in enumerate(open_store(url, endpoint_url=endpoint)):
        assert_same(Kinds()[index], sample)


@pytest.mark.slow
def test_what_is_not_there_is_said(bucket, endpoint, folder):
    with pytest.raises(FileNotFoundError, match=r"s3://stores/none/manifest.json is not there"):
        open_store("s3://stores/none", endpoint_url=endpoint)
    with pytest.raises(OSError, match=r"s3://missing/pets: .*bucket does not exist"):
        upload(folder, "s3://missing/pets", endpoint_url=endpoint)
    with pytest.raises(ValueError, match="is no address to upload to: expected s3://bucket/name"):
        upload(folder, "/local/place")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(OSError, match=r"s3://stores/pets/manifest.json: .*Could not connect to server.*AWS_ENDPOINT_URL"):
        open_store("s3://stores/pets", endpoint_url=nobody)

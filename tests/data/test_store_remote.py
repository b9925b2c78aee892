"""Stores in object storage: a loopback S3 server in this process."""

import socket
import time
from pathlib import Path

import pytest
from data.store_toys import Kinds, assert_same, flip
from torch.utils.data import DataLoader

from taskweave.data import open_store
from taskweave.data import pack_store as pack
from taskweave.data.store.manifest import DamagedStoreError
from taskweave.data.store.uploading import upload

pytest.importorskip("litdata", reason="stores are packed with taskweave[store]")
server = pytest.importorskip("moto.server", reason="the S3 server for tests is in the development group")
CHUNK = "train/chunk-0-1.bin"


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
        pack({"train": Kinds(7), "test": Kinds(2)}, root, chunk_bytes=9_000)
    return root


@pytest.fixture
def url(folder, bucket, endpoint):
    upload(folder, "s3://stores/pets", endpoint_url=endpoint)
    return "s3://stores/pets"


def kept(tmp_path: Path) -> dict[str, Path]:
    return {f"{file.parent.name}/{file.name}": file for file in (tmp_path / "cache").rglob("*.bin")}


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
    assert len(kept(tmp_path)) == len(stored.facts.chunks)


def test_workers_fetch_ahead(url, endpoint, tmp_path):
    stored = open_store(url, endpoint_url=endpoint)
    stored.place.begin_ahead(stored.facts.chunks)
    until = 100
    while len(kept(tmp_path)) < len(stored.facts.chunks) and until:
        until -= 1
        time.sleep(0.05)
    assert set(kept(tmp_path)) == {chunk.file for chunk in stored.facts.chunks}


def test_a_flipped_byte_is_named_and_refused(url, endpoint, bucket, tmp_path):
    body = bytearray(bucket.get_object(Bucket="stores", Key=f"pets/{CHUNK}")["Body"].read())
    body[400] ^= 1
    bucket.put_object(Bucket="stores", Key=f"pets/{CHUNK}", Body=bytes(body))
    stored = open_store(url, endpoint_url=endpoint)
    with pytest.raises(DamagedStoreError, match=rf"{url}/{CHUNK} is not as it was written: its SHA-256"):
        list(stored)
    assert CHUNK not in kept(tmp_path), "damage is not kept"


def test_a_damaged_copy_is_fetched_again(url, endpoint, tmp_path):
    list(open_store(url, endpoint_url=endpoint))
    flip(kept(tmp_path)[CHUNK], 400)
    for index, sample in enumerate(open_store(url, endpoint_url=endpoint)):
        assert_same(Kinds()[index], sample)


@pytest.mark.slow
def test_a_broken_upload_goes_on_and_is_no_store_before(folder, bucket, endpoint, monkeypatch):
    import botocore.client
    import botocore.exceptions

    whole, sent = botocore.client.BaseClient._make_api_call, []

    def call(self, operation, arguments):
        if operation == "PutObject":
            if len(sent) == 3 and not going_on:
                raise botocore.exceptions.EndpointConnectionError(endpoint_url=endpoint)
            sent.append(arguments["Key"])
        return whole(self, operation, arguments)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", call)
    going_on = False
    with pytest.raises(OSError, match=r"Could not connect.*The same command goes on from here"):
        upload(folder, "s3://stores/pets", endpoint_url=endpoint)
    with pytest.raises(FileNotFoundError, match=r"s3://stores/pets/manifest.json is not there"):
        open_store("s3://stores/pets", endpoint_url=endpoint)
    going_on = True
    upload(folder, "s3://stores/pets", endpoint_url=endpoint)
    assert len(sent) == len(set(sent)), "no file is sent twice"
    assert sent[-1] == "pets/manifest.json"
    assert_same(Kinds()[3], open_store("s3://stores/pets", endpoint_url=endpoint)[3])


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
    with pytest.raises(OSError, match=r"s3://stores/pets/manifest.json: Could not connect"):
        open_store("s3://stores/pets", endpoint_url=nobody)

"""Puts a store into object storage, the manifest last, so that a reader sees all of it or none."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from taskweave.data.store.checksums import require_whole
from taskweave.data.store.manifest import MANIFEST, FileFacts
from taskweave.data.store.packing import Nobody, Watcher
from taskweave.data.store.places import Folder

_SHA = "sha256"


def upload(path: Path, url: str, *, endpoint_url: str | None = None, watcher: Watcher | None = None) -> None:
    """Copy the store in the folder `path` to ``s3://bucket/name`` (needs taskweave[store]).

    Files that are there already, by size and checksum, are not sent again: an upload that broke off goes on.

    Raises ValueError for another kind of address, DamagedStoreError for a file that is not as it was written, OSError where
    the storage refuses.
    """
    bucket, prefix = _parts_of(url)
    client = _client(endpoint_url)
    files = Folder(path).manifest().files
    watcher = watcher or Nobody()
    from boto3.exceptions import S3UploadFailedError
    from botocore.exceptions import BotoCoreError, ClientError

    watcher.begin(f"uploading to {url}", len(files))
    try:
        for facts in files:
            require_whole(path / facts.file, facts)
            if not _is_there(client, bucket, f"{prefix}{facts.file}", facts):
                extra = {"Metadata": {_SHA: facts.sha256}}
                client.upload_file(str(path / facts.file), bucket, f"{prefix}{facts.file}", ExtraArgs=extra)
            watcher.advance(1)
        client.upload_file(str(path / MANIFEST), bucket, f"{prefix}{MANIFEST}")
    except (ClientError, BotoCoreError, S3UploadFailedError) as error:
        raise OSError(f"{url}: {error}; may this account write there? The same command goes on from here") from error
    watcher.end()


def _parts_of(url: str) -> tuple[str, str]:
    address = urlsplit(url)
    if address.scheme != "s3" or not address.netloc:
        raise ValueError(f"{url!r} is no address to upload to: expected s3://bucket/name; for others, copy the folder")
    name = address.path.strip("/")
    return address.netloc, f"{name}/" if name else ""


def _client(endpoint_url: str | None) -> Any:
    try:
        import boto3
    except ImportError as error:
        raise ImportError("uploading needs boto3: pip install 'taskweave[store]'") from error
    return boto3.client("s3", endpoint_url=endpoint_url)


def _is_there(client: Any, bucket: str, name: str, facts: FileFacts) -> bool:
    from botocore.exceptions import ClientError

    try:
        found = client.head_object(Bucket=bucket, Key=name)
    except ClientError:
        return False  # what else is wrong shows when the file is sent
    return bool(found["ContentLength"] == facts.bytes and found["Metadata"].get(_SHA) == facts.sha256)

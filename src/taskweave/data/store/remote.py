"""A store in object storage: each file is fetched once by a machine, checked, and kept in its cache folder."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, final

from taskweave.data.readers.cache import cache_folder
from taskweave.data.store.checksums import require_bytes, require_whole
from taskweave.data.store.manifest import MANIFEST, ChunkFacts, DamagedStoreError, FileFacts, Manifest, read_manifest
from taskweave.data.store.places import Place

_ATTEMPTS = 5
"""Of every request, with growing pauses: litdata's own would go on for hours, also at an address where nothing is."""


@final
class ObjectStorage(Place):
    """A store at an address like ``s3://bucket/pets``, by litdata's downloaders.

    Who may read it is found as boto3 does: in the environment, ~/.aws or the machine's role. Worker processes fetch the
    chunks that will be needed while the first ones are read; what one has fetched, all have.
    """

    def __init__(self, url: str, *, endpoint_url: str | None = None) -> None:
        self.url = url
        self.endpoint_url = endpoint_url
        self._kept = Path()
        self._downloader: Any = None

    def manifest(self) -> Manifest:
        where = f"{self.url}/{MANIFEST}"
        buffer = io.BytesIO()
        fetcher = self._fetcher()
        with self._told(where):
            fetcher.download_fileobj(where, buffer)
        manifest = read_manifest(buffer.getvalue().decode(errors="replace"), where)
        # another store at the same address later has another digest: nothing old is taken for it
        self._kept = cache_folder() / "stores" / manifest.digest[:16]
        return manifest

    def contents(self, facts: FileFacts) -> bytes:
        return self._local(facts).read_bytes()

    def chunk(self, facts: ChunkFacts) -> Path:
        return self._local(facts)

    def begin_ahead(self, chunks: Sequence[ChunkFacts]) -> None:
        threading.Thread(target=self._ahead, args=(tuple(chunks),), daemon=True, name="taskweave store").start()

    def __getstate__(self) -> dict[str, Any]:
        """Without the connection: another process opens its own."""
        return {**self.__dict__, "_downloader": None}

    def _ahead(self, chunks: tuple[ChunkFacts, ...]) -> None:
        for facts in chunks:
            with suppress(OSError, ValueError):  # whoever needs the chunk is told
                self._local(facts)

    def _local(self, facts: FileFacts) -> Path:
        """The file on this machine, fetched where it is not there or not whole."""
        from filelock import FileLock

        path = self._kept / facts.file
        if _is_whole(path, facts):
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{path}.lock"):  # one process fetches, the others wait for it
            if _is_whole(path, facts):
                return path
            where = f"{self.url}/{facts.file}"
            fetcher = self._fetcher()
            with self._told(where):
                data = fetcher.download_bytes(where, 0, facts.bytes, f"{path}.part")
            require_bytes(data, facts, where)
            part = path.with_name(f"{path.name}.part")
            part.write_bytes(data)
            part.replace(path)
        return path

    def _fetcher(self) -> Any:
        if self._downloader is None:
            try:
                from botocore.config import Config
                from litdata.streaming.downloader import get_downloader
            except ImportError as error:
                raise ImportError(f"{self.url}: object storage needs litdata: pip install 'taskweave[store]'") from error
            options: dict[str, Any] = {"config": Config(retries={"max_attempts": _ATTEMPTS, "mode": "standard"})}
            if self.endpoint_url is not None:
                options["endpoint_url"] = self.endpoint_url
            self._downloader = get_downloader(self.url, str(self._kept), [], options, {})
        return self._downloader

    @contextmanager
    def _told(self, where: str) -> Iterator[None]:
        """boto3's exceptions as ours, with the address."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in ("404", "NoSuchKey", "NoSuchBucket", "InvalidRange"):
                raise FileNotFoundError(
                    f"{where} is not there ({code}): expected a store with all its files; copy its folder there, or use "
                    f"`taskweave pack DATASET FOLDER --upload {self.url}`"
                ) from error
            raise OSError(f"{where}: {error}; may this account read it, and is the endpoint right?") from error
        except BotoCoreError as error:
            raise OSError(f"{where}: {error}; set AWS_ACCESS_KEY_ID and the like, or AWS_ENDPOINT_URL") from error


def _is_whole(path: Path, facts: FileFacts) -> bool:
    try:
        require_whole(path, facts)
    except (FileNotFoundError, DamagedStoreError):
        return False
    return True

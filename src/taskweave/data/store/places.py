"""Where a store lies: a folder, or object storage."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, final
from urllib.parse import urlencode, urlsplit

from taskweave.data.readers.arrays import cache_folder
from taskweave.data.store.manifest import (
    MANIFEST,
    UNFINISHED,
    DamagedStoreError,
    Manifest,
    ShardFacts,
    damaged,
    inside,
    is_whole,
    read_manifest,
    require_whole,
)
from taskweave.data.store.packing import read_journal
from taskweave.data.store.samples import arrow
from taskweave.files import write_bytes
from taskweave.progress import Progress, Silent

_MARK = "uploading.txt"
_READ = "may this account read it, and is the endpoint (AWS_ENDPOINT_URL) right?"
_SENT = "may this account write there? The same command goes on from here"


@final
class Folder:
    """A store on a disk."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def manifest(self) -> Manifest:
        """Read the store's manifest.

        Raises:
            FileNotFoundError: There is no store.
            ValueError: Packing was not finished.
        """
        path = inside(self.root, MANIFEST)
        try:
            text = path.read_bytes().decode(errors="replace")
        except (FileNotFoundError, NotADirectoryError):
            raise _no_store(self.root) from None
        return read_manifest(text, str(path))

    def file(self, facts: ShardFacts) -> Path:
        """A file of samples, found to be whole."""
        return require_whole(self.root, facts)

    def begin_ahead(self, shards: Sequence[ShardFacts]) -> None:
        """Nothing: all is here."""


@final
class ObjectStorage:
    """A store at an address like ``s3://bucket/pets``, by pyarrow; its files are fetched once by a machine, and kept.

    Who may read it is found in the environment, ~/.aws or the machine's role.
    """

    def __init__(self, url: str, *, endpoint_url: str | None = None) -> None:
        self.url = url.rstrip("/")
        self._endpoint = endpoint_url
        self._kept = Path()
        self._connection: tuple[int, Any] = (0, None)

    def manifest(self) -> Manifest:
        """Read the store's manifest.

        Raises:
            FileNotFoundError: There is no store.
            OSError: It cannot be read.
        """
        manifest = read_manifest(self._read(MANIFEST).decode(errors="replace"), f"{self.url}/{MANIFEST}")
        # another store at the same address later has another digest: nothing old is taken for it
        self._kept = cache_folder() / "stores" / manifest.digest[:16]
        return manifest

    def file(self, facts: ShardFacts) -> Path:
        """A file of samples on this machine, fetched where it is not there or not whole."""
        from filelock import FileLock

        if is_whole(self._kept, facts):
            return self._kept / facts.file
        self._kept.mkdir(parents=True, exist_ok=True)
        with FileLock(self._kept / f"{facts.file}.lock"):  # one process fetches, the others wait for it
            if not is_whole(self._kept, facts):
                data = self._read(facts.file, facts.bytes + 1)
                if (digest := hashlib.sha256(data).hexdigest()) != facts.sha256:
                    found = f"its SHA-256 is {digest[:12]}..., expected {facts.sha256[:12]}... ({len(data):,} bytes)"
                    raise damaged(f"{self.url}/{facts.file}", found)
                write_bytes(self._kept / facts.file, data)
        return require_whole(self._kept, facts)

    def begin_ahead(self, shards: Sequence[ShardFacts]) -> None:
        """Fetch what will be needed soon, the next one first, in a thread."""
        threading.Thread(target=self._ahead, args=(tuple(shards),), daemon=True, name="taskweave store").start()

    def fill(self, path: Path, progress: Progress) -> None:
        """Copy the store in the folder `path` here, see `upload`."""
        manifest = Folder(path).manifest()
        text, digest, there = (path / MANIFEST).read_bytes(), manifest.digest.encode(), False
        for name, ours in ((_MARK, digest), (MANIFEST, text)):
            with suppress(OSError):  # what is wrong shows when something is sent
                there = there or self._read(name) == ours
        progress.begin(f"uploading to {self.url}", len(manifest.files))
        self._send(_MARK, digest)
        for facts in manifest.files:
            file = require_whole(path, facts)
            with self._told(self.url, _SENT):
                sent = there and self._files().get_file_info(self._at(facts.file)).size == facts.bytes
            if not sent:
                self._send(facts.file, file.read_bytes())
            progress.advance(1)
        self._send(MANIFEST, text)
        self._send(_MARK, b"")  # what is put there by other means later is not taken for this store
        progress.end()

    def _send(self, name: str, data: bytes) -> None:
        # not pyarrow's copy_files: a refusal at the end of a file passes it unseen
        with self._told(self.url, _SENT), self._files().open_output_stream(self._at(name)) as stream:
            stream.write(data)

    def _read(self, name: str, most: int | None = None) -> bytes:
        where = f"{self.url}/{name}"
        with self._told(where, _READ), self._files().open_input_file(self._at(name)) as file:
            return bytes(file.read(most))

    def _ahead(self, shards: tuple[ShardFacts, ...]) -> None:
        for facts in shards:
            with suppress(OSError, ValueError):  # whoever needs the file is told
                self.file(facts)

    def _at(self, name: str) -> str:
        address = urlsplit(self.url)
        return f"{address.netloc}{address.path}/{name}"

    def _files(self) -> Any:
        """The connection of this process: one that was forked must not share its parent's."""
        if self._connection[0] != os.getpid():
            address = urlsplit(self.url)
            endpoint = urlsplit(self._endpoint or os.environ.get("AWS_ENDPOINT_URL", ""))
            said = {"scheme": endpoint.scheme, "endpoint_override": endpoint.netloc} if endpoint.netloc else {}
            files, _ = arrow().fs.FileSystem.from_uri(f"{address.scheme}://{address.netloc}?{urlencode(said)}")
            self._connection = (os.getpid(), files)
        return self._connection[1]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_connection": (0, None)}

    @contextmanager
    def _told(self, where: str, advice: str) -> Iterator[None]:
        """pyarrow's exceptions with the address and what to do."""
        try:
            yield
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f"{where} is not there: expected a store with all its files; copy its folder there, or use "
                f"`taskweave pack DATASET FOLDER --upload {self.url}`"
            ) from error
        except OSError as error:
            raise OSError(f"{where}: {error}; {advice}") from error


Place = Folder | ObjectStorage


def place_of(path: Path | str, *, endpoint_url: str | None = None) -> Place:
    """The folder, or the object storage of an address with "://". Touches neither."""
    return ObjectStorage(str(path), endpoint_url=endpoint_url) if "://" in str(path) else Folder(Path(path))


def upload(path: Path, url: str, *, endpoint_url: str | None = None, progress: Progress | None = None) -> None:
    """Copy the store in the folder `path` to ``s3://bucket/name`` (needs taskweave[store]), the manifest last.

    A reader sees all of it or none. An upload that broke off goes on: until it is done, `uploading.txt` there holds the
    store's digest; where it is found, or the store's manifest, files of the right size are not sent again.

    Raises:
        ValueError: It is another kind of address.
        DamagedStoreError: A file is not as it was written.
        OSError: The storage refuses.
    """
    address = urlsplit(url)
    if address.scheme != "s3" or not address.netloc:
        raise ValueError(f"{url!r} is no address to upload to: expected s3://bucket/name; for others, copy the folder")
    ObjectStorage(url, endpoint_url=endpoint_url).fill(path, progress or Silent())


def faults(path: Path, *, progress: Progress | None = None) -> list[str]:
    """List what is wrong with each damaged or missing file of the store in the folder `path`; [] if all files are intact.

    Every byte is read, whatever was checked before. Without a usable manifest it raises what `Folder.manifest` raises.
    """
    progress, found = progress or Silent(), []
    files = Folder(path).manifest().files
    progress.begin("checking files", len(files))
    for facts in files:
        try:
            require_whole(path, facts, again=True)
        except (FileNotFoundError, DamagedStoreError) as error:
            found.append(str(error))
        progress.advance(1)
    progress.end()
    return found


def _no_store(root: Path) -> Exception:
    if (root / UNFINISHED).exists():
        journal = read_journal(root)
        how_far = f" ({journal.done:,} of {journal.total:,} samples)" if journal else ""
        return ValueError(f"{root} is an unfinished packing{how_far}: the same `taskweave pack` goes on where it stopped")
    found = f"has no {MANIFEST}" if root.is_dir() else "is no folder"
    return FileNotFoundError(f"{root} {found}: expected a store; write one with `taskweave pack DATASET {root}`")

"""Whether files are what the manifest says, looked at once on each machine."""

from __future__ import annotations

import contextlib
import hashlib
import time
from pathlib import Path

from taskweave.data.readers.cache import cache_folder
from taskweave.data.store.manifest import DamagedStoreError, FileFacts

_SETTLED = 2.0
"""Seconds: a file that was changed later than that before now may change again within the clock's step, and be missed."""


def sha256_of(path: Path) -> str:
    """The checksum of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def require_whole(path: Path, facts: FileFacts, *, again: bool = False) -> None:
    """Raise unless the file has the bytes that were written.

    Its checksum is taken once on a machine and remembered, in the cache folder, until the file changes: worker processes
    and later runs look at its size and times only. again: take it anyway.

    Raises FileNotFoundError, or DamagedStoreError that names the file.
    """
    try:
        found = path.stat()
    except FileNotFoundError:
        raise FileNotFoundError(f"{path} does not exist: the store's manifest names it; copy the store again") from None
    if found.st_size != facts.bytes:
        raise _damaged(path, f"it has {found.st_size:,} bytes, expected {facts.bytes:,}")
    seen = f"{facts.sha256} {found.st_size} {found.st_mtime_ns} {found.st_ino}"
    mark = cache_folder() / "stores" / "seen" / hashlib.sha256(str(path.absolute()).encode()).hexdigest()[:32]
    with contextlib.suppress(OSError):
        if not again and mark.read_text() == seen:
            return
    if (digest := sha256_of(path)) != facts.sha256:
        raise _damaged(path, f"its SHA-256 is {digest[:12]}..., expected {facts.sha256[:12]}...")
    if time.time() - found.st_mtime > _SETTLED:
        with contextlib.suppress(OSError):  # a cache that cannot be written is no error: the file is looked at again
            mark.parent.mkdir(parents=True, exist_ok=True)
            mark.write_text(seen)


def require_bytes(data: bytes, facts: FileFacts, where: str) -> None:
    """Raise DamagedStoreError unless `data` are the file's bytes. where: for the message."""
    if (digest := hashlib.sha256(data).hexdigest()) != facts.sha256:
        raise _damaged(where, f"its SHA-256 is {digest[:12]}..., expected {facts.sha256[:12]}... ({len(data):,} bytes)")


def _damaged(where: Path | str, found: str) -> DamagedStoreError:
    return DamagedStoreError(
        f"{where} is not as it was written: {found}; copy this file again, or pack the data again "
        "(`taskweave pack STORE --check` names every such file)"
    )

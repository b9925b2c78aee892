"""Files of a store, looked at before they are read."""

from __future__ import annotations

import contextlib
import hashlib
import time
from pathlib import Path

from taskweave.data.readers.cache import cache_folder
from taskweave.data.store.manifest import DamagedStoreError, ShardFacts, damaged

_SETTLED = 2.0
"""Seconds: a file changed more recently than that may change again within the clock's resolution, unnoticed."""


def sha256_of(path: Path) -> str:
    """The checksum of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def inside(folder: Path, name: str) -> Path:
    """The file of that name in the folder. Raises DamagedStoreError for a link, which may lead out of it."""
    path = folder / name
    if path.is_symlink():
        raise damaged(path, f"it is a link to {path.readlink()}, expected the file itself")
    return path


def require_whole(folder: Path, facts: ShardFacts, *, again: bool = False) -> Path:
    """The path of a store's file that has the bytes that were written.

    Its checksum is taken once on a machine and remembered, in the cache folder, until the file changes: worker processes
    and later runs look at its size and times only. again: take it anyway.

    Raises FileNotFoundError, or DamagedStoreError that names the file.
    """
    path = inside(folder, facts.file)
    try:
        found = path.stat()
    except FileNotFoundError:
        raise FileNotFoundError(f"{path} does not exist: the store's manifest names it; copy the store again") from None
    if found.st_size != facts.bytes:
        raise damaged(path, f"it has {found.st_size:,} bytes, expected {facts.bytes:,}")
    seen = f"{facts.sha256} {found.st_size} {found.st_mtime_ns} {found.st_ino}"
    mark = cache_folder() / "stores" / "seen" / hashlib.sha256(str(path.absolute()).encode()).hexdigest()[:32]
    with contextlib.suppress(OSError):
        if not again and mark.read_text() == seen:
            return path
    if (digest := sha256_of(path)) != facts.sha256:
        raise damaged(path, f"its SHA-256 is {digest[:12]}..., expected {facts.sha256[:12]}...")
    if time.time() - found.st_mtime > _SETTLED:
        with contextlib.suppress(OSError):  # without a cache it is taken again next time
            mark.parent.mkdir(parents=True, exist_ok=True)
            mark.write_text(seen)
    return path


def is_whole(folder: Path, facts: ShardFacts, *, again: bool = False) -> bool:
    """Whether `require_whole` raises nothing."""
    try:
        require_whole(folder, facts, again=again)
    except (FileNotFoundError, DamagedStoreError):
        return False
    return True

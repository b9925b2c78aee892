"""Fixtures of more than one file here."""

import shutil
from pathlib import Path

import pytest
from data.store_toys import SMALL, Kinds

from taskweave.data import pack_store


@pytest.fixture(scope="session")
def packed(tmp_path_factory):
    """A store of `Kinds`: seven to train, two to test."""
    root = tmp_path_factory.mktemp("packed") / "store"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TASKWEAVE_CACHE", str(root.parent / "cache"))
        pack_store({"train": Kinds(7), "test": Kinds(2)}, root, shard_bytes=SMALL, source={"kind": "toys"})
    return root


@pytest.fixture
def store(tmp_path, packed):
    """A copy of `packed`, for a test to damage."""
    return Path(shutil.copytree(packed, tmp_path / "store"))

"""From a choice of a store to its parts."""

from __future__ import annotations

from collections.abc import Sequence

from taskweave.data.dataset import LabelledSet
from taskweave.experiments.choices.store import StoreData


def open_stored(data: StoreData, part: str, labels: Sequence[str]) -> LabelledSet:
    """The train, validation or test part of the store that the recipe was read with; ValueError for another one since."""
    from taskweave.data.store.stored_set import open_store

    named = {"train": data.train, "validation": data.validation or "validation", "test": data.test}[part]
    url = data.endpoint_url
    return open_store(data.path, part=named, labels=labels, endpoint_url=url, digest=data.contents.digest)

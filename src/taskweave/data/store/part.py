"""A store as a recipe's data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from taskweave.data.dataset import LabelledSet
from taskweave.data.facts import SetFacts
from taskweave.data.store.places import place_of
from taskweave.data.store.stored_set import open_store, part_of
from taskweave.parts import Where, states

_SAID = ("labels", "classes", "objects", "attributes", "categories", "size")


def _complete(options: Mapping[str, Any]) -> dict[str, Any]:
    """What the store says of itself, so that a run stays known, and its recipe readable, where the store is not."""
    path = str(options["path"])
    if "://" not in path:
        path = str(Path(path).expanduser().absolute())
    if options["contents"] is not None:
        return {"path": path}
    manifest = place_of(path, endpoint_url=options["endpoint_url"]).manifest()
    facts = manifest.parts[part_of(manifest, options["train"], path)]
    return {"path": path, "contents": {"digest": manifest.digest, **{name: getattr(facts, name) for name in _SAID}}}


def _facts(options: Mapping[str, Any]) -> SetFacts:
    said = {name: options["contents"][name] for name in _SAID}
    return SetFacts("a store", **said, own_validation=options["validation"] is not None, named=True)


@states(complete=_complete, facts=_facts)
def stored(
    part: str,
    *,
    path: Annotated[str | Path, Where],
    endpoint_url: Annotated[str | None, Where] = None,
    train: str = "train",
    validation: str | None = None,
    test: str = "test",
    contents: dict[str, Any] | None = None,
) -> LabelledSet:
    """A store that `taskweave pack` wrote, in a folder or in object storage (needs taskweave[store]).

    Args:
        part: "train", "validation", "test", or a part as the store calls it.
        path: The folder, or an address such as ``s3://bucket/pets``; a relative path counts from the working directory.
        endpoint_url: Of object storage that is not Amazon's; None for what the environment says (AWS_ENDPOINT_URL).
        train: The part that is trained on, as the store calls it; "train" also finds training and trainval.
        validation: The part that chooses the best weights; None for none, or for a share of train.
        test: The part that is tested on; "test" also finds val, testing and validation.
        contents: Read from the store; not to be written by hand.

    Raises:
        FileNotFoundError: There is no store.
        ValueError: It is an unfinished packing, or another store than when the recipe was read, or has no such part.
    """
    name = {"train": train, "validation": validation, "test": test}.get(part) or part
    digest = None if contents is None else str(contents["digest"])
    return open_store(str(path), part=name, endpoint_url=endpoint_url, digest=digest)

"""Data that `taskweave pack` wrote into a store."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, final

from pydantic import Field, field_validator, model_validator

from taskweave.experiments.choices.choice import Choice
from taskweave.experiments.choices.data import DataChoice
from taskweave.experiments.choices.names import Names


@final
class StoreContents(Choice):
    """What a store says of itself. digest: of its manifest, and by it of all its data."""

    digest: str
    labels: tuple[str, ...]
    classes: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    categories: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    size: tuple[int, int]


@final
class StoreData(DataChoice):
    """A store: a folder, or an address such as s3://bucket/pets (needs taskweave[store]).

    What it is labelled with is read from its manifest when a recipe is read, and kept in the recipe that is stored beside a
    run, so that the run stays known, and readable where the store is not.
    """

    kind: Literal["store"] = "store"
    path: str
    """Where it lies; a relative path counts from the working directory."""
    endpoint_url: str | None = None
    """Of object storage that is not Amazon's; None for what the environment says (AWS_ENDPOINT_URL)."""
    train: str = "train"
    """The part that is trained on, as the store calls it; "train" also finds training and trainval."""
    validation: str | None = None
    """The part that chooses the best weights; None for none, or for a share of train (`validation_share`)."""
    test: str = "test"
    """The part that is tested on; "test" also finds val, testing and validation."""
    contents: StoreContents
    """Read from the store; not to be written by hand."""

    @model_validator(mode="before")
    @classmethod
    def _read(cls, said: Any) -> Any:
        """With what the manifest says, where the recipe does not have it yet."""
        if not isinstance(said, dict) or said.get("kind", "store") != "store":  # of a union, whose others are asked too
            return said
        if "contents" in said or not isinstance(said.get("path"), str | Path):
            return said
        from taskweave.data.store.places import place_of
        from taskweave.data.store.stored_set import part_of

        path = _absolute(str(said["path"]))
        manifest = place_of(path, endpoint_url=said.get("endpoint_url")).manifest()
        facts = manifest.parts[part_of(manifest, said.get("train", "train"), path)]
        named = {
            name: getattr(facts, name) for name in ("labels", "classes", "objects", "attributes", "categories", "size")
        }
        return {**said, "path": path, "contents": {"digest": manifest.digest, **named}}

    @field_validator("path")
    @classmethod
    def _whole_path(cls, value: str) -> str:
        return _absolute(value)

    @property
    def native_size(self) -> tuple[int, int]:
        return self.contents.size

    @property
    def own_validation(self) -> bool:
        return self.validation is not None

    @property
    def names(self) -> Names:
        said = self.contents
        return Names(said.labels, said.classes, said.objects, said.attributes, said.categories)


def _absolute(path: str) -> str:
    return path if "://" in path else str(Path(path).expanduser().absolute())

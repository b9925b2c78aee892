"""What is known of a data set before any of its files is opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple, Protocol

from annotated_types import Ge, Gt, Lt

from taskweave.parts import Where

DENSE = ("segmentation", "depth", "normals")
DETECTION, ATTRIBUTES = "detection", "attributes"

Folder = Annotated[Path, Where]
"""Where a data set lies; a relative path counts from the working directory."""
Size = tuple[Annotated[int, Ge(8)], Annotated[int, Ge(8)]]
"""(height, width) in pixels."""
TestShare = Annotated[float, Gt(0.0), Lt(1.0)]
"""Share of a release without a split that is drawn for the test."""


class Names(Protocol):
    """Who knows the names of all classes, objects, attributes and categories of a data set."""

    @property
    def classes(self) -> Sequence[str]: ...
    @property
    def objects(self) -> Sequence[str]: ...
    @property
    def attributes(self) -> Sequence[str]: ...
    @property
    def categories(self) -> Mapping[str, tuple[str, ...]]: ...


class SetFacts(NamedTuple):
    """The facts that a data set states of its options: ``part.fact("facts")``.

    Args:
        title: What people call it.
        labels: The tasks that it is labelled for.
        classes: Names of the segmentation classes, in the order of their ids.
        objects: Names of the object classes; label k of a box is objects[k - 1].
        attributes: Names of the objects' attributes, in the order of their values.
        categories: {task: names of its classes}, of tasks that ask for one class of the whole image.
        size: (height, width) of most pictures as they lie.
        far: The depth, in the unit of these data, at which pictures of it reach their last colour.
        own_validation: Whether there is a part "validation".
        may_be_shown: Whether pictures may be published: generated ones, and the pets that ship with the package.
        computed: {label: what it is computed from}, of labels that are in no file.
        made_by: {"image" or label: version}, of what is generated or computed here and not read from files.
        named: Whether the title says what the files are, not which data they hold: a mixture's table adds the set's name.
    """

    title: str
    labels: tuple[str, ...]
    classes: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    categories: Mapping[str, tuple[str, ...]] = {}
    size: tuple[int, int] = (480, 640)
    far: float = 10.0
    own_validation: bool = False
    may_be_shown: bool = False
    named: bool = False
    computed: Mapping[str, str] = {}
    made_by: Mapping[str, int] = {}

    def of(self, task: str) -> tuple[str, ...]:
        """The names that a task predicts; () for one without names (depth)."""
        return names_of(self, task)


def names_of(known: Names, task: str) -> tuple[str, ...]:
    """The names that a task predicts; () for one without names (depth)."""
    own = {"segmentation": known.classes, DETECTION: known.objects, ATTRIBUTES: known.attributes}
    return tuple({**known.categories, **own}.get(task, ()))

"""How an annotated object of the Caltech Pedestrian data becomes a box to find, one to ignore, or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, final

from annotated_types import Ge, Gt

from taskweave.data.facts import DETECTION, SetFacts
from taskweave.data.readers.boxes.boxes_set import PERSON, Found
from taskweave.data.readers.faults import Faults
from taskweave.data.readers.streets.vbb import Box, Drawn

CALTECH_NAMES = ("person", "people", "person?", "person-fa", "ignore")
IGNORED = ("people", "person?", "ignore")
Step = Annotated[int, Ge(1)]
Border = Annotated[float, Ge(0.0)]
Aspect = Annotated[float, Gt(0.0)] | None
TRAIN_SETS, TEST_SETS = range(6), range(6, 11)


@final
@dataclass(frozen=True)
class CaltechRules:
    """ignored, border, aspect: see `caltech`."""

    ignored: Sequence[str]
    border: float
    aspect: float | None

    def __post_init__(self) -> None:
        if unknown := [name for name in self.ignored if name not in CALTECH_NAMES or name == PERSON]:
            raise ValueError(f"Caltech has no class {unknown[0]!r} to ignore; it has {list(CALTECH_NAMES[1:])}")
        if self.border < 0 or (self.aspect is not None and self.aspect <= 0):
            raise ValueError(f"border is 0 or more and aspect above 0, got border={self.border}, aspect={self.aspect}")

    def add(
        self,
        found: Found,
        entry: Drawn,
        *,
        size: tuple[int, int],
        where: str,
        faults: Faults,
        marked: bool = False,
    ) -> None:
        """Add `entry` of an image of `size` (H, W). marked: whether the annotation itself says that it is to be ignored."""
        if entry.name not in CALTECH_NAMES:
            faults.note("unknown class", f"{where}: unknown class {entry.name!r}; expected one of {list(CALTECH_NAMES)}")
            return
        if entry.name not in (PERSON, *self.ignored):
            return
        ignore = marked or entry.name in self.ignored or self._near_border(entry.box, size)
        x, y, width, height = entry.box
        if self.aspect is not None and width > 0 and not ignore:
            x, width = x + (width - self.aspect * height) / 2, self.aspect * height
        box = faults.checked((x - 1, y - 1, x - 1 + width, y - 1 + height), size, where)
        if box is not None:
            found.add(box, 1, ignore=ignore, visible=visible_share(entry))

    def _near_border(self, box: Box, size: tuple[int, int]) -> bool:
        x, y, width, height = box
        low, right, bottom = self.border, size[1] - self.border, size[0] - self.border
        return self.border > 0 and not (x >= low and y >= low and x + width <= right and y + height <= bottom)


def visible_share(entry: Drawn) -> float:
    """The share of an object that can be seen, as the release's own evaluation has it.

    1 where it is not marked as occluded or nothing is said of its visible part; 0 where that part is the whole box, which
    there says that hardly anything is to be seen; else the areas' ratio.
    """
    if not entry.occluded or entry.part is None:
        return 1.0
    if entry.part == entry.box:
        return 0.0
    whole = entry.box[2] * entry.box[3]
    return min(max(entry.part[2] * entry.part[3] / whole, 0.0), 1.0) if whole > 0 else 0.0


def caltech_facts(options: Mapping[str, Any]) -> SetFacts:
    """What both forms of Caltech Pedestrian state."""
    return SetFacts("Caltech Pedestrian", (DETECTION,), objects=(PERSON,))


def sets_of(part: str) -> Sequence[int]:
    """The numbers of a part's sets: 0 to 5 are for training, 6 to 10 for the test."""
    sets = {"train": TRAIN_SETS, "test": TEST_SETS, "all": range(11)}
    if part not in sets:
        raise ValueError(f"Caltech Pedestrian has no split {part!r}: expected one of {list(sets)}")
    return sets[part]


def step_of(part: str, train_step: int, test_step: int) -> int:
    """Every which frame of a part is read."""
    step = test_step if part == "test" else train_step
    if step < 1:
        raise ValueError(f"a step is every which frame to read, 1 or more, got {step}")
    return step

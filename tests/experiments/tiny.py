"""A comparison small enough for tests: generated rooms of 32 x 48, a thin ResNet, two or three steps."""

from copy import deepcopy
from typing import Any

from taskweave.experiments.recipe import Recipe

CONTENT: dict[str, Any] = {
    "name": "tiny",
    "data": {"use": "scenes", "size": [32, 48], "train": 8, "test": 4, "seed": 3},
    "tasks": {"segmentation": {"loss_resolution": "eighth"}, "normals": {"loss_resolution": "eighth"}},
    "network": {"use": "deeplab_resnet", "body": "resnet10t", "head": {"rates": [1, 2]}},
    "methods": ["cross_stitch"],
    "single_trained_on": False,
    "training": {
        "single": {"steps": 2, "batch_size": 2, "precision": "32", "checkpoint_seconds": None},
        "connected": {"steps": 2, "batch_size": 2, "precision": "32", "checkpoint_seconds": None},
    },
    "evaluation": {"batch_size": 4, "pictures": 1},
}


def content(**changes: Any) -> dict[str, Any]:
    """The tiny recipe's content with top-level keys replaced."""
    return {**deepcopy(CONTENT), **changes}


def tiny(**changes: Any) -> Recipe:
    return Recipe.model_validate(content(**changes))


class Told:
    """A progress that remembers what it was told."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.begun: list[tuple[str, int]] = []
        self.steps = 0

    def begin(self, what: str, total: int, *, done: int = 0) -> None:
        self.begun.append((what, total))

    def advance(self, done: int, losses: Any = None) -> None:
        self.steps += done

    def note(self, text: str) -> None:
        self.notes.append(text)

    def end(self) -> None: ...

    @property
    def trainings(self) -> int:
        return sum(what == "training" for what, _ in self.begun)

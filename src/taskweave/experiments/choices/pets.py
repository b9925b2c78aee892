"""The pet paper's networks as methods: stitched branches, and a target that reads networks trained before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, Self, final

from pydantic import Field, model_validator

from taskweave.experiments.choices.names import DENSE
from taskweave.experiments.choices.network import OneNetwork, PerTask, network_of
from taskweave.experiments.choices.pet_net import PetNet
from taskweave.experiments.choices.whole import WholeChoice
from taskweave.parts import Part
from taskweave.weighting import Weighting

SPECIES, BOX, SEGMENTATION = "species", "box", "segmentation"
Branches = Annotated[tuple[str, ...], Field(min_length=1)]


class PetChoice(WholeChoice):
    """What all of them state: tasks that have a branch, in order."""

    network: PetNet = PetNet()
    branches: Branches = (SPECIES, BOX, SEGMENTATION)

    @model_validator(mode="after")
    def _different_branches(self) -> Self:
        if len(set(self.branches)) < len(self.branches):
            raise ValueError(f"branches are different tasks, got {list(self.branches)}")
        return self

    @property
    def decoded(self) -> str | None:
        """The branch with the decoder; None where there is none."""
        return self.branches[-1]


@final
class PetSegNet(PetChoice):
    """An encoder per branch, stitched before each of its five stages; the last branch, a dense task, has a decoder."""

    kind: Literal["pet_segnet"] = "pet_segnet"
    stem: Literal["shared", "separate"] = "shared"
    stitch: Literal["one", "per_stage", "per_channel"] = "one"
    """One matrix of numbers for all stages (the paper), one per stage, or one per stage and channel."""
    initial: Literal["convex", "published"] = "convex"
    """convex: `self_weight`, and what is left to 1 shared by the others; published: the public code's start, which it has
    for species, box and segmentation."""
    self_weight: float = 0.9

    @property
    def usual_label(self) -> str:
        return f"pet network ({', '.join(self.branches)})"


@final
class PetAuxiliaries(PetChoice):
    """The networks that a `pet_oeq` reads: 7x7 stem, encoder and head for each branch, trained side by side."""

    kind: Literal["pet_auxiliaries"] = "pet_auxiliaries"
    network: PetNet = PetNet(stem_kernel=7)
    branches: Branches = (SPECIES, BOX)
    steps: int | None = Field(default=None, ge=1)
    """None: as `training.joint`."""
    unused_matrix: bool = False
    """Register the numbers that the public code has here and does not use."""

    @property
    def decoded(self) -> str | None:
        return None

    @property
    def usual_label(self) -> str:
        return f"auxiliary networks ({', '.join(self.branches)})"


@final
class PetOEQ(PetChoice):
    """The pet paper's open-ended question: auxiliary networks are trained first and stored; the decoder of the last branch
    then reads their feature maps beside its own.

    The auxiliaries are trained as `training.joint` says, the target as `training.connected`.
    """

    kind: Literal["pet_oeq"] = "pet_oeq"
    network: PetNet = PetNet(stem_kernel=7)
    branches: Annotated[tuple[str, ...], Field(min_length=3)] = (SPECIES, BOX, SEGMENTATION)
    frozen: bool = True
    """Leave the auxiliaries as they were stored; else all branches are trained on."""
    auxiliary_steps: int | None = Field(default=None, ge=1)
    """Of the auxiliaries' training; None: as `training.joint`."""
    auxiliary_weighting: Part[Weighting] | None = None
    """Of the auxiliaries' training; `weighting` is of the second one where that trains several branches."""
    unused_matrix: bool = False
    """Register the numbers that the public code has in the auxiliary network and does not use."""

    @property
    def auxiliaries(self) -> PetAuxiliaries:
        """What is trained first."""
        return PetAuxiliaries(
            network=self.network,
            branches=self.branches[:-1],
            weighting=self.auxiliary_weighting,
            steps=self.auxiliary_steps,
            unused_matrix=self.unused_matrix,
        )

    @property
    def usual_label(self) -> str:
        return "OEQ" if self.frozen else "OEQ, fine-tuned"


def check_branches(methods: Sequence[object], tasks: Sequence[str]) -> None:
    """Raise ValueError for a branch that is no task of the recipe, and for a decoder that is not a dense task's."""
    for method in methods:
        if not isinstance(method, PetChoice):
            continue
        if strange := [task for task in method.branches if task not in tasks]:
            raise ValueError(
                f"{method.title!r} has branches {strange}, no tasks of this recipe, whose tasks are {list(tasks)}"
            )
        dense = [task for task in method.branches if task in DENSE]
        if dense != [task for task in [method.decoded] if task is not None]:
            raise ValueError(
                f"{method.title!r} has a decoder for {method.decoded!r} and heads for its other branches, got "
                f"{list(method.branches)}; of {list(DENSE)} only its last branch can be one, and must"
            )
        if isinstance(method, PetOEQ) and method.auxiliary_weighting is not None:
            named = [t for t in method.auxiliary_weighting.fact("named", ()) if t not in method.branches[:-1]]
            if named:
                raise ValueError(
                    f"auxiliary_weighting names {named}; the auxiliary branches are {list(method.branches[:-1])}"
                )


_DEEPEST = {True: 64, False: 32}
"""Pixels a side that become one where a batch norm still follows, by whether there is a decoder."""


def check_batch_statistics(
    methods: Sequence[object], network: OneNetwork | PerTask, tasks: Sequence[str], sizes: Mapping[str, tuple[int, int]]
) -> None:
    """Raise ValueError where batch norms go by their own batch and pictures are so small that one alone is too few numbers.

    The last batch of a test, and every prediction, may be one picture. sizes: {data set: (height, width)}.
    """
    used = [(network_of(network, task), [task]) for task in tasks]
    used += [(method.network, list(method.branches)) for method in methods if isinstance(method, PetChoice)]
    for net, branches in used:
        if not isinstance(net, PetNet) or not net.batch_statistics:
            continue
        deepest = _DEEPEST[any(task in DENSE for task in branches)]
        for name, size in sizes.items():
            if max(size) <= deepest:
                raise ValueError(
                    f"the pictures of {name} are {size[0]} x {size[1]} px: with batch_statistics one alone (the last of a "
                    f"test, a prediction) leaves {net.kind} of {branches} one value per channel; give a `size` of more "
                    f"than {deepest} px on a side, or leave batch_statistics out"
                )

"""The pet paper's networks as its public code has them, faults included, and as they are sound."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

from taskweave.experiments.choices.pet_net import PetNet
from taskweave.experiments.choices.pets import BOX, SEGMENTATION, SPECIES, PetOEQ, PetSegNet
from taskweave.parts import Part, part
from taskweave.weighting import DynamicWeightAverage, LossGate, Weighting

ALL = (SPECIES, BOX, SEGMENTATION)
_DROPPED = 0.2
_PRE_WEIGHTS = MappingProxyType(
    {ALL: (0.3, 1.0, 2.0), (BOX, SEGMENTATION): (0.5, 1.5), (SPECIES, SEGMENTATION): (0.1, 0.9)}
)


def published(branches: Sequence[str] = ALL, *, network: PetNet | None = None, label: str = "") -> PetSegNet:
    """As the public code: one matrix with its start, sigmoid before the loss, batch statistics at test, dynamic weight
    average per iteration (T = 2) times its pre-weights, the species' and the box's losses dropped below .2.

    branches: (segmentation,), with species, box or both before it. network: another width; None for the paper's.
    To be compared by its mIoU per image: ``tasks.segmentation.image_miou``.
    Raises ValueError for branches that the code has no start for.
    """
    names = tuple(branches)
    if names != (SEGMENTATION,) and names not in _PRE_WEIGHTS:
        raise ValueError(f"the public code has the branches {[(SEGMENTATION,), *_PRE_WEIGHTS]}, got {names}; take sound()")
    weighting: Part[Weighting] | None = None
    if len(names) > 1:
        pre_weights = dict(zip(names, _PRE_WEIGHTS[names], strict=True))
        within = part(DynamicWeightAverage, every="iteration", pre_weights=pre_weights)
        weighting = part(LossGate, below=dict.fromkeys(names[:-1], _DROPPED), weighting=within)
    return PetSegNet(
        network=_with_faults(network or PetNet()),
        branches=names,
        stitch="one",
        initial="published" if len(names) > 1 else "convex",
        weighting=weighting,
        label=label,
    )


def sound(branches: Sequence[str] = ALL, *, network: PetNet | None = None, label: str = "") -> PetSegNet:
    """Logits, running statistics at test, a matrix per stage that starts with rows which sum to one; weights 1."""
    return PetSegNet(network=network or PetNet(), branches=tuple(branches), stitch="per_stage", label=label)


def published_oeq(*, network: PetNet | None = None, auxiliary_steps: int | None = None, label: str = "") -> PetOEQ:
    """As the public code: auxiliaries trained first, with dynamic weight average per iteration (T = 1) times .5 each, and
    frozen; its faults as in `published`.

    Of its auxiliaries the species' loss is dropped below .1; that the box's is below .2, as in the others, is our reading.
    network: another width; its stem is 7x7.  auxiliary_steps: None for as many as `training.joint` says.
    """
    pre_weights = {SPECIES: 0.5, BOX: 0.5}
    within = part(DynamicWeightAverage, every="iteration", temperature=1.0, pre_weights=pre_weights)
    return PetOEQ(
        network=_with_faults(network or PetNet()).model_copy(update={"stem_kernel": 7}),
        auxiliary_steps=auxiliary_steps,
        auxiliary_weighting=part(LossGate, below={SPECIES: 0.1, BOX: _DROPPED}, weighting=within),
        unused_matrix=True,
        label=label,
    )


def sound_oeq(
    *, network: PetNet | None = None, frozen: bool = True, auxiliary_steps: int | None = None, label: str = ""
) -> PetOEQ:
    """Logits and running statistics at test; frozen or fine-tuned; weights 1."""
    own = (network or PetNet()).model_copy(update={"stem_kernel": 7})
    return PetOEQ(network=own, frozen=frozen, auxiliary_steps=auxiliary_steps, label=label)


def _with_faults(network: PetNet) -> PetNet:
    return network.model_copy(update={"sigmoid": True, "batch_statistics": True})

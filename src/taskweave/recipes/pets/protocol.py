"""What the pet paper's table has in its two forms: as the public code has it, and as it is sound."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from taskweave.experiments.choices import pet_presets
from taskweave.experiments.choices.answers import BoxTask, ClassificationTask
from taskweave.experiments.choices.data import Augmentation, Size
from taskweave.experiments.choices.method import Method, Single
from taskweave.experiments.choices.pet_net import PetNet
from taskweave.experiments.choices.pets import BOX, SEGMENTATION, SPECIES
from taskweave.experiments.choices.pets_data import Pets
from taskweave.experiments.choices.start import PretrainedOnScenes, Scratch, Start
from taskweave.experiments.choices.task import SegmentationTask, Tasks
from taskweave.experiments.recipe import Evaluation, Recipe, Training
from taskweave.parts import part
from taskweave.recipes.places import Given, place
from taskweave.training import TrainingOptions, adam, poly

Preset = Literal["published", "sound"]

IMAGES, EPOCHS, AUXILIARY_EPOCHS = 2210, 150, 120
BATCH, JOINT_BATCH = 39, 30
"""Images of a step: 39 in the paper; 30 in the public code where branches are trained together."""
SIZE: Size = (256, 256)

SMALL_SIZE: Size = (128, 128)
"""The encoder ends at 1/64: below 128 pixels in a single cell, which batch norm refuses for a single picture."""
SMALL_NET = PetNet(width=8, hidden=(64, 32))
SMALL_STEPS = 240

BASELINE = Single(only=(SEGMENTATION,), label="Baseline")

SAID = (
    "The trimap's border has no label: what the paper's masks make of it is not said. The split is 60/20/20 of trainval, "
    "with the few images that have no box. The paper's test box IoU of its MTL is its last batch's; here all boxes count. "
    "OEQ's images are not rotated: the code turns them without their boxes."
)


def rows(preset: Preset, *, network: PetNet, auxiliary_steps: int | None = None) -> tuple[Method, ...]:
    """The paper's five rows in its order."""
    branches = {"Binary Ablation": (SPECIES, SEGMENTATION), "B.Box Ablation": (BOX, SEGMENTATION), "MTL": pet_presets.ALL}
    if preset == "published":
        joint = [pet_presets.published(names, network=network, label=label) for label, names in branches.items()]
        return (
            BASELINE,
            *joint,
            pet_presets.published_oeq(network=network, auxiliary_steps=auxiliary_steps, label="OEQ"),
        )
    joint = [pet_presets.sound(names, network=network, label=label) for label, names in branches.items()]
    return (BASELINE, *joint, pet_presets.sound_oeq(network=network, auxiliary_steps=auxiliary_steps, label="OEQ"))


def alone(preset: Preset, network: PetNet) -> PetNet:
    """What the Baseline is, with the preset's faults."""
    return pet_presets.published((SEGMENTATION,), network=network).network if preset == "published" else network


def tasks(preset: Preset) -> Tasks:
    """The paper's three, with the mIoU per image beside that of the whole set."""
    return Tasks(
        segmentation=SegmentationTask(image_miou=True),
        species=ClassificationTask(),
        box=BoxTask(loss="diou", unit="pixels" if preset == "published" else "relative"),
    )


def full(table: str, preset: Preset, *, data: Given, seeds: Sequence[int] | None) -> Recipe:
    """At full size: 256 x 256, 150 epochs of Adam at 1e-3 from random weights; OEQ's auxiliaries 120 epochs before it."""
    batch = JOINT_BATCH if preset == "published" else BATCH
    alone_options, together = (_epochs(EPOCHS, size) for size in (BATCH, batch))
    faults = (
        "As the public code: see taskweave.experiments.choices.pet_presets. It has batches of 39 for OEQ's auxiliaries, "
        "here 30 for the same epochs."
        if preset == "published"
        else "Sound: logits, running statistics at test, a matrix per stage with rows that sum to one; batches of 39."
    )
    return Recipe(
        name=f"pets-{table}",
        data=Pets(
            path=place(data, Path("datasets/oxford-iiit-pet")),
            size=SIZE,
            statistics="plain",
            augmentation=Augmentation(mirror=False),
        ),
        tasks=tasks(preset),
        network=alone(preset, PetNet()),
        start=Scratch(),
        methods=rows(preset, network=PetNet(), auxiliary_steps=_epochs(AUXILIARY_EPOCHS, batch).steps),
        training=Training(single=alone_options, connected=alone_options, joint=together),
        seeds=tuple(seeds or (0,)),
        evaluation=Evaluation(batch_size=BATCH, pictures=6, also_on=("train", "validation")),
        notes=f"p004 table 1. {faults} {SAID}",
    )


def _epochs(epochs: int, batch: int) -> TrainingOptions:
    """So many passes over 2,210 images, the last batch of each filled up."""
    return TrainingOptions(steps=epochs * -(-IMAGES // batch), batch_size=batch, optimizer=part(adam, lr=1e-3))


def small(table: str, preset: Preset, *, data: Given, seeds: Sequence[int] | None) -> Recipe:
    """At a size for one core. What differs from the full size differs for all rows alike."""
    options = TrainingOptions(
        steps=SMALL_STEPS,
        batch_size=8,
        optimizer=part(adam, lr=1e-3),
        schedule=part(poly, power=0.9),
        log_every=5,
        monitor_every=10,
    )
    start: Start = PretrainedOnScenes(steps=200, batch_size=8, images=1000, size=SMALL_SIZE)
    return Recipe(
        name=f"pets-{table}-small",
        data=Pets(
            path=place(data, Path("../shared/data/oxford-iiit-pet")),
            size=SMALL_SIZE,
            augmentation=Augmentation(mirror=True, colour=0.2),
        ),
        tasks=tasks(preset),
        network=alone(preset, SMALL_NET),
        start=start,
        methods=rows(preset, network=SMALL_NET),
        training=Training(single=options, connected=options, joint=options),
        seeds=tuple(seeds or (0,)),
        evaluation=Evaluation(batch_size=16, pictures=6, also_on=("train", "validation")),
        notes=(
            f"p004 table 1, small, {'as the public code' if preset == 'published' else 'sound'}: half the width, another "
            f"size, start, schedule, amount of data and of training. {SAID}"
        ),
    )

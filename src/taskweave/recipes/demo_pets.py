"""The demo on photographs: species, head and outline of 100 pets that ship inside; no download, minutes on two cores."""

from __future__ import annotations

from collections.abc import Sequence

from taskweave.experiments.choices import pet_presets
from taskweave.experiments.choices.answers import BoxTask, ClassificationTask
from taskweave.experiments.choices.data import Augmentation
from taskweave.experiments.choices.method import Shared
from taskweave.experiments.choices.pet_net import PetNet
from taskweave.experiments.choices.pets_data import PetsSample
from taskweave.experiments.choices.start import PretrainedOnScenes
from taskweave.experiments.choices.task import SegmentationTask, Tasks
from taskweave.experiments.recipe import Evaluation, Recipe, Training
from taskweave.parts import part
from taskweave.recipes.places import Given
from taskweave.training import TrainingOptions, adam, poly

_NET = PetNet(width=8, hidden=(64, 32))
"""Half the pet paper's width."""


def recipe(*, small: bool = True, data: Given = None, seeds: Sequence[int] | None = None) -> Recipe:
    """Segmentation, head box and species: single, shared, the pet paper's stitched branches.

    Sixty images teach little: bodies begin on generated scenes, and the table says more of the machinery than of the
    methods. small: minutes; otherwise the paper's width and ten times the steps. data: not used, the pets ship inside.
    """
    times = 1 if small else 10
    network = _NET if small else PetNet()
    options = TrainingOptions(
        steps=180 * times,
        batch_size=10,
        optimizer=part(adam, lr=1e-3),
        schedule=part(poly, power=0.9),
        clip=1.0,
        log_every=5 * times,
        monitor_every=10 * times,
    )
    return Recipe(
        name="demo-pets" if small else "demo-pets-long",
        data=PetsSample(size=(128, 128), augmentation=Augmentation(mirror=True, colour=0.2)),
        tasks=Tasks(segmentation=SegmentationTask(), species=ClassificationTask(), box=BoxTask()),
        network=network,
        start=PretrainedOnScenes(steps=120 * times, batch_size=8, images=300, size=(128, 128)),
        methods=(Shared(until="encoder3"), pet_presets.sound(network=network, label="stitched (pet)")),
        training=Training(single=options, connected=options, joint=options),
        seeds=tuple(seeds or (0,)),
        evaluation=Evaluation(batch_size=10, pictures=4),
        notes="Pictures: Oxford-IIIT Pet, CC BY-SA 4.0; see taskweave/data/pets_sample_files.",
    )

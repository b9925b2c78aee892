"""What networks see of samples: varied in training, whole in tests, with the regions that they look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from taskweave.data.dataset import LabelledSet
from taskweave.data.mixture import Mixture
from taskweave.data.mixture_order import ConstantInterval, MixtureSchedule, Proportional, RoundRobin, Temperature
from taskweave.data.sample import Sample
from taskweave.data.transformed import Transformed
from taskweave.experiments.choices import mixture as choices
from taskweave.experiments.choices.data import DataChoice
from taskweave.experiments.choices.mixture import MixtureData, OneSet
from taskweave.images import CAFFE, IMAGENET, PLAIN, ImageStatistics

if TYPE_CHECKING:
    from torchvision.transforms import v2

Look = Literal["proposals", "true boxes"]
"""Which regions a network looks at in a test, where it looks at regions: all proposals, or the true objects."""


def statistics_of(data: DataChoice | MixtureData) -> ImageStatistics:
    """How these data become network input."""
    return {"imagenet": IMAGENET, "caffe": CAFFE, "plain": PLAIN}[data.statistics]


def for_training(part: LabelledSet, data: DataChoice, *, seed: int) -> Transformed:
    """`part` as a network is trained on it."""
    return Transformed(part, _training_transform(data), seed=seed)


def for_testing(part: LabelledSet, data: DataChoice, look: Look = "proposals") -> Transformed:
    """`part` as a network is measured on it: whole pictures, nothing varied."""
    from taskweave.data.transforms.augmentation import ToInput
    from taskweave.data.transforms.rois import AllRois, TargetRois

    steps: list[Callable[[Any], Any]] = [ToInput(statistics_of(data))]
    if data.regions is not None:
        steps.append(TargetRois() if look == "true boxes" else AllRois())
    return Transformed(part, _composed(steps), seed=0)


def mixture_of(
    parts: Mapping[str, LabelledSet], sets: Mapping[str, OneSet], data: MixtureData, tasks: Sequence[str], *, seed: int
) -> Mixture:
    """The train parts of several data sets as one to train on: those labels of each that `tasks` need."""
    return Mixture(
        {name: for_training(parts[name], one, seed=seed) for name, one in sets.items()},
        _schedule(data),
        use={name: one.labelled_for(tasks) for name, one in sets.items()},
        mixed=data.mixed_batches,
    )


def _schedule(data: MixtureData) -> MixtureSchedule:
    match data.schedule:
        case choices.ConstantInterval(batches=batches):
            return ConstantInterval(batches=batches)
        case choices.Temperature(t=t):
            return Temperature(t=t)
        case choices.Proportional():
            return Proportional()
        case choices.RoundRobin():
            return RoundRobin()


def _training_transform(data: DataChoice) -> Callable[[dict[str, object]], Sample]:

    from taskweave.data.transforms.augmentation import RandomCrop, RandomScale, ToInput, ZoomCrops, colour, mirror
    from taskweave.data.transforms.rois import SampleRois

    how, statistics = data.augmentation, statistics_of(data)
    steps: list[v2.Transform | SampleRois] = []
    if how.colour:
        steps.append(colour(strength=how.colour))
    if how.scale is not None:
        steps.append(RandomScale(least=how.scale[0], most=how.scale[1]))
    if how.zoom_crops:
        steps.append(ZoomCrops(factors=how.zoom_crops))
    if how.crop is not None:
        steps.append(RandomCrop(statistics, size=how.crop))
    if how.mirror:
        steps.append(mirror())
    steps.append(ToInput(statistics))
    if data.regions is not None:
        r = data.regions
        steps.append(
            SampleRois(
                r.count,
                foreground=r.foreground,
                iou=r.iou,
                background=r.background,
                with_ground_truth=r.with_ground_truth,
            )
        )
    return _composed(steps)


def _composed(steps: Sequence[Callable[[Any], Any]]) -> Callable[[dict[str, object]], Sample]:
    """One step as it is: `ToInput` alone is done batch by batch."""
    from torchvision.transforms import v2

    return steps[0] if len(steps) == 1 else v2.Compose(steps)

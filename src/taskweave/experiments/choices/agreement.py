"""Whether the data, the tasks and the networks of a recipe fit together; told before any file is opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from taskweave.experiments.choices.classifiers import VGG16, TimmClassifier
from taskweave.experiments.choices.detection import DetectionTask
from taskweave.experiments.choices.method import (
    ConnectedTrainedOnOneTask,
    ConnectingChoice,
    Ensemble,
    Method,
    Single,
    SingleTrainedOn,
)
from taskweave.experiments.choices.mixture import FurtherTest, MixtureData, OneSet, sets_of
from taskweave.experiments.choices.names import ATTRIBUTES, DENSE, DETECTION
from taskweave.experiments.choices.network import (
    RPNVGG16,
    FastRCNNAlexNet,
    OneNetwork,
    PerTask,
    TorchvisionDetector,
    network_of,
)
from taskweave.experiments.choices.pet_net import PetNet


def check_labels(tasks: Sequence[str], data: OneSet | MixtureData, further: Mapping[str, FurtherTest]) -> None:
    """Raise ValueError for a task that is labelled nowhere, data of no use, and two that disagree on a task's classes."""
    every = dict(sets_of(data))
    for name, one in every.items():
        if isinstance(data, MixtureData) and not one.labelled_for(tasks):
            raise ValueError(
                f"the data set {name!r} is labelled for {list(one.names.labels)}, for none of the tasks {list(tasks)}"
            )
    if missing := [task for task in tasks if not any(one.labelled_for([task]) for one in every.values())]:
        has = "; ".join(f"{name!r} has {list(one.labels or one.names.labels)}" for name, one in every.items())
        raise ValueError(f"no data set is labelled for the tasks {missing}: {has}")
    for name, test in further.items():
        if name in every:
            raise ValueError(f"{name!r} is both a data set to train on and a further test; give them different names")
        if not test.data.labelled_for(tasks):
            raise ValueError(
                f"the further test {name!r} is labelled for {list(test.data.names.labels)}, for none of the tasks "
                f"{list(tasks)}"
            )
        every[name] = test.data
    for task in tasks:
        _check_names(task, {name: one for name, one in every.items() if one.labelled_for([task])})


def _check_names(task: str, labelled: Mapping[str, OneSet]) -> None:
    (first, one), *others = labelled.items()
    for name, other in others:
        ours, theirs = one.names.of(task), other.names.of(task)
        if ours != theirs:
            raise ValueError(
                f"{first!r} and {name!r} define the task {task!r} with different classes: {_some(ours)} and "
                f"{_some(theirs)}; choose `classes` that are the same, or say with `labels` from which the task is read"
            )


def _some(names: Sequence[str]) -> str:
    return f"{len(names)} ({', '.join(names[:4])}{', ...' if len(names) > 4 else ''})"


def check_shortcuts(methods: Sequence[Method], places: Sequence[str]) -> None:
    """Raise ValueError for a connected network whose shortcut gathers from elsewhere than where its streams meet."""
    for method in methods:
        inner = method.connected if isinstance(method, ConnectedTrainedOnOneTask) else method
        gathered = method.shortcut.places if method.shortcut is not None else ()
        if not isinstance(inner, ConnectingChoice) or not gathered:
            continue
        meet = inner.places or tuple(places)
        if gathered != meet:
            raise ValueError(
                f"the shortcut of {method.title!r} gathers from {list(gathered)}, but its streams meet at "
                f"{list(meet) or 'the usual places of its network'}: a connected network's shortcut gathers from where its "
                "streams meet; leave `shortcut.places` out"
            )


def check_networks(tasks: Sequence[str], network: OneNetwork | PerTask) -> None:
    """Raise ValueError for a task without a network, or with one that does not predict it."""
    if isinstance(network, PerTask) and (unknown := [task for task in network.networks if task not in tasks]):
        raise ValueError(f"network.networks names {unknown}, no tasks of this recipe, whose tasks are {list(tasks)}")
    for task in tasks:
        choice = network_of(network, task)
        able = tasks_of(choice)
        if task not in able:
            raise ValueError(
                f"the network {choice.kind!r} predicts {list(able)}, not {task!r}; give the task another one with "
                "network: {kind: per_task, networks: {...}}"
            )


def check_detection(detection: DetectionTask | None, network: OneNetwork | PerTask) -> None:
    """Raise ValueError for options of detection's loss that its network has no use for: they would change nothing."""
    if detection is None or isinstance(choice := network_of(network, DETECTION), RPNVGG16):
        return
    usual = DetectionTask()
    if detection.matching != usual.matching:
        instead = "data.regions says which regions are drawn" if reads_regions(choice) else "torchvision's choose their own"
        raise ValueError(f"tasks.detection.matching is of detectors with anchors, not of {choice.kind!r}: {instead}")
    if isinstance(choice, TorchvisionDetector) and detection.box_weight != usual.box_weight:
        raise ValueError(
            f"tasks.detection.box_weight={detection.box_weight:g} has no effect on {choice.kind!r}, which weighs its "
            "losses by itself; leave it out"
        )


WHOLE = ("species", "breed", "box", "age", "gender")
"""What is said once of a whole image."""


def tasks_of(network: OneNetwork) -> tuple[str, ...]:
    """What a network can predict."""
    if isinstance(network, RPNVGG16 | TorchvisionDetector):
        return (DETECTION,)
    if isinstance(network, VGG16 | TimmClassifier):
        return WHOLE
    if isinstance(network, PetNet):
        return (*DENSE, *WHOLE)
    return (DETECTION, ATTRIBUTES) if isinstance(network, FastRCNNAlexNet) else DENSE


def reads_regions(network: OneNetwork) -> bool:
    """Whether a network's input has regions of interest."""
    return isinstance(network, FastRCNNAlexNet)


def check_regions(
    tasks: Sequence[str], network: OneNetwork | PerTask, data: OneSet | MixtureData, further: Mapping[str, FurtherTest]
) -> None:
    """Raise ValueError where a network reads regions and some data give none: its stream runs on all images."""
    readers = [task for task in tasks if reads_regions(network_of(network, task))]
    if not readers:
        return
    every = {**sets_of(data), **{name: test.data for name, test in further.items()}}
    if lacking := [name for name, one in every.items() if one.regions is None]:
        raise ValueError(
            f"the network of {readers} looks at regions, and the data {lacking} have none: give them `regions`, e.g. "
            "regions: {proposals: {kind: grid}}"
        )


def check_only(methods: Sequence[Method], tasks: Sequence[str]) -> None:
    """Raise ValueError for single networks of tasks that the recipe lacks."""
    for method in methods:
        if isinstance(method, Single) and (strange := [task for task in method.only if task not in tasks]):
            raise ValueError(f"{method.title!r} is to have only {strange}, no tasks of this recipe: it has {list(tasks)}")


def check_weightings(methods: Sequence[Method], tasks: Sequence[str]) -> None:
    """Raise ValueError for a weighting where a network is trained for one task, or of a task that the recipe lacks."""
    for method in methods:
        inner = method.connected.weighting if isinstance(method, ConnectedTrainedOnOneTask) else None
        weighting = method.weighting or inner
        if weighting is None:
            continue
        if isinstance(method, Single | SingleTrainedOn | Ensemble | ConnectedTrainedOnOneTask):
            raise ValueError(
                f"{method.kind} trains for one task at a time: there is nothing to weigh, leave `weighting` out"
            )
        if strange := [task for task in weighting.fact("named", ()) if task not in tasks]:
            title = weighting.fact("title", weighting.name)
            raise ValueError(f"the weighting {title!r} names {strange}; the recipe's tasks are {list(tasks)}")

"""Caltech Pedestrian as it is published: videos (.seq) and their annotations (.vbb)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from taskweave.data.facts import DETECTION, Folder
from taskweave.data.readers.boxes.boxes_set import PERSON, BoxSet, Found, Picture
from taskweave.data.readers.faults import DRAWN_OUTSIDE, Accept, Faults
from taskweave.data.readers.fileset import Field, require_folder
from taskweave.data.readers.streets.caltech_rules import (
    IGNORED,
    Aspect,
    Border,
    CaltechRules,
    Step,
    caltech_facts,
    sets_of,
    step_of,
)
from taskweave.data.readers.streets.norpix import ReadFrame, scan_sequence
from taskweave.data.readers.streets.vbb import read_vbb
from taskweave.parts import states

_VIDEO = re.compile(r"V\d{3}")


@states(facts=caltech_facts)
def caltech(
    part: str,
    *,
    path: Folder,
    train_step: Step = 3,
    test_step: Step = 30,
    ignored: tuple[str, ...] = IGNORED,
    border: Border = 5.0,
    aspect: Aspect = None,
    accept: Accept = DRAWN_OUTSIDE,
) -> BoxSet:
    """Caltech Pedestrian as published: ``path/setNN/VNNN.seq`` with ``path/annotations/setNN/VNNN.vbb``.

    The release's tools keep the sets in ``path/videos``; where there is such a folder, they are read from it.

    The one class is ``person``. Boxes count pixels from 1: x, y, width, height become x - 1, y - 1, x - 1 + width,
    y - 1 + height. Each target says what share of a person is ``visible``, so that `taskweave.metrics.REASONABLE` can
    choose those at least 50 pixels high and 65 % visible. Keys are ``setNN_VNNN_INNNNN`` with the frame from 0; the scene
    is the set, as the videos of one follow each other. Opening reads every annotation and finds the frames of every video;
    pictures are decoded when asked for. (Dollár et al. 2012.)

    Args:
        part: "train" (sets 00 to 05), "test" (06 to 10) or "all".
        path: The folder.
        train_step: Every which frame is read, unless for the test: 3 gives 42,782 images, as in the cross-connected paper.
            The first is frame step - 1, as in the release's own tools.
        test_step: The same for the test: 30 gives 4,024 images.
        ignored: Classes whose boxes are ignored; other boxes than these and ``person`` are left out. Deviation: the
            release's evaluation ignores ``people`` only and leaves ``person?`` out, though its paper ignores both.
        border: A person that comes nearer than this many pixels to the image's edge is ignored, as in that evaluation.
        aspect: Make persons' boxes this wide, in heights, about their centre: 0.41 in that evaluation, which does the same
            to detections. None leaves them as drawn.
        accept: Faults to count and warn of; by default boxes that reach outside, since the persons that the edge cuts are
            drawn whole (or made so by `aspect`).
    """
    path = Path(path)
    require_folder(path, "set00/ ... set10/ and annotations/")
    step = step_of(part, train_step, test_step)
    rules = CaltechRules(ignored, border, aspect)
    faults = Faults(accept)
    pictures = [
        picture
        for video in _videos(path, sets_of(part))
        for picture in _pictures(video, path, step=step, rules=rules, faults=faults)
    ]
    faults.warn()
    return BoxSet(pictures, labels=(DETECTION,), objects=(PERSON,), where=f"{path} ({part}, every {step}. frame)")


def _videos(path: Path, sets: Sequence[int]) -> Iterator[Path]:
    videos = path / "videos" if (path / "videos").is_dir() else path
    for number in sets:
        folder = videos / f"set{number:02d}"
        require_folder(folder, "videos VNNN.seq")
        yield from sorted(file for file in folder.glob("V*.seq") if _VIDEO.fullmatch(file.stem))


def _pictures(video: Path, path: Path, *, step: int, rules: CaltechRules, faults: Faults) -> Iterator[Picture]:
    """The annotated frames of one video that are read."""
    annotation = path / "annotations" / video.parent.name / f"{video.stem}.vbb"
    frames = read_vbb(annotation)
    sequence = scan_sequence(video)
    if len(frames) > len(sequence.offsets):
        raise ValueError(
            f"{video} has {len(sequence.offsets)} frames and {annotation} annotates {len(frames)}: "
            f"one of them is truncated or another's; copy them again"
        )
    for frame in range(step - 1, len(frames), step):
        found = Found()
        for number, entry in enumerate(frames[frame], start=1):
            where = f"{annotation}, frame {frame} (from 0), object {number}"
            rules.add(found, entry, size=sequence.size, where=where, faults=faults)
        scene = video.parent.name
        image = Field(video, ReadFrame(frame, sequence.offsets[frame]))
        objects = found.packed(visible=True)
        yield Picture(f"{scene}_{video.stem}_I{frame:05d}", scene, image, sequence.size, objects, str(video))

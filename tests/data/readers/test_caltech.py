"""Caltech Pedestrian, as videos and as extracted pictures: what was written is read back; what is wrong is named."""

import struct

import numpy as np
import pytest
import torch
from data import street_trees as trees
from data.refusing import refuses
from torchvision.transforms.v2 import RandomHorizontalFlip

import taskweave as tw
from taskweave.data import Window, collate
from taskweave.data.readers.streets.caltech_files import scan_sequence
from taskweave.data.transforms.tiling import cut
from taskweave.metrics.detection_images import Subset, detected_image


def edges(drawn):
    """Pixels counted from 1 with width and height -> edges from 0."""
    x, y, width, height = drawn.box
    return [x - 1, y - 1, x - 1 + width, y - 1 + height]


def assert_objects(target, *expected):
    """expected: (drawn, ignore, visible)."""
    assert target["boxes"].tolist() == [edges(drawn) for drawn, _, _ in expected]
    assert target["labels"].tolist() == [1] * len(expected)
    assert target["ignore"].tolist() == [ignore for _, ignore, _ in expected]
    assert target["visible"].tolist() == pytest.approx([visible for _, _, visible in expected])


def close_to(image, pixels):
    return np.abs(image.permute(1, 2, 0).numpy().astype(int) - pixels).max() <= 12  # JPEG


@pytest.mark.parametrize("padding", [0, 8])
def test_every_frame_of_the_training_sets(tmp_path, padding):
    trees.write_caltech(tmp_path, sets=(0, 5, 6), videos=2, padding=padding)
    data = tw.data.caltech("train", path=tmp_path, train_step=1)
    assert data.objects == ("person",)
    assert data.labels == ("detection",)
    expected = [f"set{s:02d}_V{v:03d}_I{f:05d}" for s in (0, 5) for v in (0, 1) for f in range(7)]
    assert [data.key(i) for i in range(len(data))] == expected
    assert [data.scene(i) for i in range(len(data))] == [key[:5] for key in expected]
    for index in range(14):
        assert close_to(data[index]["image"], trees.frame_picture(index % 7, index // 7))
    assert not close_to(data[3]["image"], trees.frame_picture(0))
    assert_objects(data[0]["detection"], (trees.PERSON, False, 1.0))
    assert_objects(data[1]["detection"])
    assert data[1]["detection"]["boxes"].shape == (0, 4)
    assert_objects(data[2]["detection"], (trees.HALF, False, 0.5), (trees.CROWD, True, 1.0))
    assert_objects(data[3]["detection"], (trees.PERSON, False, 1.0), (trees.UNSURE, True, 1.0))
    assert_objects(data[4]["detection"], (trees.HIDDEN, False, 0.0))  # the visible part is the whole: barely to be seen
    assert_objects(data[5]["detection"], (trees.PERSON, False, 1.0))


def test_step_counts_from_its_end(tmp_path):
    trees.write_caltech(tmp_path)
    data = tw.data.caltech("test", path=tmp_path, test_step=3)
    assert [data.key(i) for i in range(len(data))] == ["set06_V000_I00002", "set06_V000_I00005"]
    assert len(tw.data.caltech("all", path=tmp_path, train_step=7)) == 2
    refuses(lambda: tw.data.caltech("test", path=tmp_path, test_step=30), ValueError, "names no images")
    refuses(lambda: tw.data.caltech("test", path=tmp_path, test_step=0), ValueError, "step", "got 0")


def test_videos_folder_of_the_tools(tmp_path):
    trees.write_caltech(tmp_path / "videos", sets=(6,))
    (tmp_path / "videos" / "annotations").rename(tmp_path / "annotations")
    assert len(tw.data.caltech("test", path=tmp_path, test_step=1)) == 7


def test_ignored_border_and_aspect(tmp_path):
    near = trees.Drawn("person", (4, 6, 10, 30))  # x 4 < 5
    low = trees.Drawn("person", (20, 26, 10, 30))  # y + height 56 > 60 - 5
    wide = trees.Drawn("person", (21, 11, 20, 40))
    trees.write_caltech(tmp_path, frames=((near, low, wide, trees.UNSURE, trees.CROWD),))
    as_drawn = tw.data.caltech("train", path=tmp_path, train_step=1)[0]["detection"]
    assert as_drawn["ignore"].tolist() == [True, True, False, True, True]
    official = tw.data.caltech("train", path=tmp_path, ignored=("people",), aspect=0.41, train_step=1)[0]["detection"]
    assert official["ignore"].tolist() == [True, True, False, True]
    # centre 20 + 10, width 0.41 * 40 = 16.4; ignored boxes stay as drawn
    assert official["boxes"][2].tolist() == pytest.approx([21.8, 10, 38.2, 50])
    assert official["boxes"][0].tolist() == edges(near)
    everything = tw.data.caltech("train", path=tmp_path, ignored=(), border=0, train_step=1)[0]["detection"]
    assert everything["ignore"].tolist() == [False] * 3
    refuses(lambda: tw.data.caltech("train", path=tmp_path, ignored=("dog",), train_step=1), ValueError, "'dog'", "person?")


def test_metrics_know_the_visible_share(tmp_path):
    trees.write_caltech(tmp_path, frames=((trees.PERSON, trees.HALF),))
    target = tw.data.caltech("train", path=tmp_path, train_step=1)[0]["detection"]
    nothing = {"boxes": torch.zeros(0, 4), "scores": torch.zeros(0), "labels": torch.zeros(0, dtype=torch.int64)}
    image = detected_image(nothing, target)
    assert Subset(min_visible=0.65).applied(image).ignore.tolist() == [False, True]
    assert Subset(min_height=35).applied(image).ignore.tolist() == [True, False]


def test_the_share_follows_its_box(tmp_path):
    trees.write_caltech(tmp_path, frames=((trees.PERSON, trees.HALF, trees.HIDDEN),))
    sample = tw.data.caltech("train", path=tmp_path, train_step=1)[0]
    left = cut(sample, Window(0, 0, 0, 60, 45), kept=0.5)["detection"]
    assert left["visible"].tolist() == [1.0, 0.5]
    flipped = RandomHorizontalFlip(p=1.0)(sample)["detection"]
    assert flipped["visible"].tolist() == [1.0, 0.5, 0.0]
    batch = collate([{**sample, "image": sample["image"].float()}])
    assert batch.targets["detection"][0]["visible"].tolist() == [1.0, 0.5, 0.0]


def test_extracted_is_the_same(tmp_path):
    trees.write_caltech(tmp_path / "videos_form")
    trees.write_caltech_extracted(tmp_path / "pictures")
    for split in ("train", "test"):
        videos = tw.data.caltech(split, path=tmp_path / "videos_form", train_step=3, test_step=3)
        pictures = tw.data.caltech_extracted(split, path=tmp_path / "pictures", train_step=3, test_step=3)
        assert len(videos) == len(pictures) == 2
        for a, b in zip(videos, pictures, strict=True):
            assert a["key"] == b["key"]
            assert torch.equal(a["image"], b["image"])
            assert all(torch.equal(a["detection"][name], b["detection"][name]) for name in a["detection"])
        assert videos.scene(0) == pictures.scene(0)


def test_extracted_with_other_annotations(tmp_path):
    trees.write_caltech_extracted(tmp_path, sets=(6,), frames=((trees.PERSON,),))
    marked = trees.Drawn("person", (31, 11, 10, 40), ignore=True)
    trees.write_bbgt(tmp_path / "new" / "set06_V000_I00000.jpg.txt", [marked])
    data = tw.data.caltech_extracted("test", path=tmp_path, annotations=tmp_path / "new", test_step=1)
    assert_objects(data[0]["detection"], (marked, True, 1.0))


# Bad input


def video(root):
    return root / "set06" / "V000.seq", root / "annotations" / "set06" / "V000.vbb"


def opened(root, **options):
    return lambda: tw.data.caltech("test", path=root, **options, test_step=1)


def test_truncated_in_a_frame(tmp_path):
    trees.write_caltech(tmp_path, sets=(6,))
    seq, _ = video(tmp_path)
    offsets = scan_sequence(seq).offsets
    seq.write_bytes(seq.read_bytes()[: offsets[4] + 100])
    length = struct.unpack("<I", seq.read_bytes()[offsets[4] : offsets[4] + 4])[0]
    refuses(
        opened(tmp_path), ValueError, seq, "frame 4 ", f"offset {offsets[4]}", f"{length} bytes", "after 100", "truncated"
    )
    seq.write_bytes(seq.read_bytes()[: offsets[4] + 3])
    refuses(opened(tmp_path), ValueError, seq, "frame 4 ", f"offset {offsets[4]}", "truncated")


def test_truncated_between_frames(tmp_path):
    trees.write_caltech(tmp_path, sets=(6,))
    seq, _ = video(tmp_path)
    end = scan_sequence(seq).offsets[5]
    seq.write_bytes(seq.read_bytes()[:end])
    refuses(opened(tmp_path), ValueError, seq, f"offset {end}", "frame 5 ", "announces 7 frames", "truncated")


def test_truncated_without_a_count(tmp_path):
    """A header may leave the number of frames open; then the annotation says it."""
    trees.write_caltech(tmp_path, sets=(6,))
    seq, vbb = video(tmp_path)
    trees.write_seq(seq, [trees.frame_picture(i) for i in range(7)], announced=0)
    assert len(opened(tmp_path)()) == 7
    trees.write_seq(seq, [trees.frame_picture(i) for i in range(6)], announced=0)
    refuses(opened(tmp_path), ValueError, seq, "6 frames", vbb, "annotates 7", "truncated")


def test_damaged_seq(tmp_path):
    trees.write_caltech(tmp_path, sets=(6,))
    seq, _ = video(tmp_path)
    whole, offsets = seq.read_bytes(), scan_sequence(seq).offsets
    seq.write_bytes(whole[:1000])
    refuses(opened(tmp_path), ValueError, seq, "1024 bytes", "Norpix")
    seq.write_bytes(b"RIFF" + whole[4:])
    refuses(opened(tmp_path), ValueError, seq, "0xFEED", "RIFF")
    seq.write_bytes(whole[: offsets[2]] + bytes(50) + whole[offsets[2] + 50 :])
    refuses(opened(tmp_path), ValueError, seq, "frame 2 ", f"offset {offsets[2]}", "ff d8", "damaged")
    trees.write_seq(seq, [trees.frame_picture(0)], coding=100)
    refuses(opened(tmp_path), ValueError, seq, "format 100", "JPEG")


def test_damaged_picture(tmp_path):
    """The scan finds the frames; only decoding sees that one is cut."""
    trees.write_caltech(tmp_path, sets=(6,), frames=((), (), ()))
    seq, _ = video(tmp_path)
    frames = [trees.jpeg(trees.frame_picture(i)) for i in range(3)]
    frames[1] = frames[1][: len(frames[1]) // 2]
    seq.write_bytes(trees.seq_bytes(frames))
    data = opened(tmp_path)()
    assert close_to(data[2]["image"], trees.frame_picture(2))
    refuses(
        lambda: data[1], ValueError, seq, "frame 1 ", f"offset {scan_sequence(seq).offsets[1]}", "not a readable picture"
    )


def test_missing_files(tmp_path):
    refuses(opened(tmp_path / "no"), FileNotFoundError, "does not exist", "set00/")
    refuses(lambda: tw.data.caltech("val", path=tmp_path, train_step=1), ValueError, "'val'", "train")
    trees.write_caltech(tmp_path, sets=(6,))
    _, vbb = video(tmp_path)
    vbb.unlink()
    refuses(opened(tmp_path), FileNotFoundError, vbb, "restore")
    (tmp_path / "set10").rmdir()
    trees.write_vbb(vbb, trees.FRAMES)
    refuses(opened(tmp_path), FileNotFoundError, "set10", "does not exist")


@pytest.mark.parametrize("content", [b"", b"no matlab", bytes(200)])
def test_unreadable_vbb(tmp_path, content):
    trees.write_caltech(tmp_path, sets=(6,))
    _, vbb = video(tmp_path)
    vbb.write_bytes(content)
    refuses(opened(tmp_path), ValueError, vbb, "not a readable .vbb")


def test_truncated_vbb(tmp_path):
    trees.write_caltech(tmp_path, sets=(6,))
    _, vbb = video(tmp_path)
    vbb.write_bytes(vbb.read_bytes()[:-300])
    refuses(opened(tmp_path), ValueError, vbb, "not a readable .vbb")


def test_vbb_with_other_numbers(tmp_path):
    trees.write_caltech(tmp_path, sets=(6,))
    _, vbb = video(tmp_path)
    trees.write_vbb(vbb, trees.FRAMES, announced=9)
    refuses(opened(tmp_path), ValueError, vbb, "announces 9 frames", "of 7")


def test_wrong_objects(tmp_path):
    _, vbb = video(tmp_path)
    wrong = {
        "unknown class 'cow'": trees.Drawn("cow", (11, 11, 10, 20)),
        "(10, 10, 10, 30) has no area": trees.Drawn("person", (11, 11, 0, 20)),
        "(10, 10, 90, 30) reaches outside": trees.Drawn("person", (11, 11, 80, 20)),
    }
    for message, drawn in wrong.items():
        trees.write_caltech(tmp_path, sets=(6,), frames=((trees.PERSON,), (trees.PERSON, drawn)))
        refuses(opened(tmp_path, accept=()), ValueError, vbb, "frame 1 ", "object 2", message)


def test_an_empty_box_stays_empty_whatever_its_aspect(tmp_path):
    trees.write_caltech(tmp_path, sets=(6,), frames=((trees.Drawn("person", (11, 11, 0, 20)),),))
    refuses(opened(tmp_path, aspect=0.41), ValueError, "has no area")


def test_outside_is_clipped_and_counted(tmp_path):
    """The release's own: persons cut by the edge are drawn whole."""
    outside = trees.Drawn("person", (71, 11, 20, 40))
    trees.write_caltech(tmp_path, sets=(6,), frames=((outside,), (outside, trees.PERSON)))
    with pytest.warns(UserWarning, match="2 boxes reach outside their image and were clipped to it; the first: .*frame 0"):
        data = opened(tmp_path)()
    assert data[1]["detection"]["boxes"].tolist() == [[70, 10, 80, 50], edges(trees.PERSON)]
    assert data[1]["detection"]["ignore"].tolist() == [True, False]


def test_wrong_texts(tmp_path):
    text = tmp_path / "annotations" / "set06_V000_I00000.txt"

    def pictures():
        return tw.data.caltech_extracted("test", path=tmp_path, test_step=1)

    trees.write_caltech_extracted(tmp_path, sets=(6,), frames=((trees.PERSON,),))
    good = text.read_text()
    for old, new, *words in (
        ("version=3", "version=2", "line 1", "version=2"),
        (" 0 0\n", " 0\n", "line 2", "11 cells"),
        ("person 11", "person eleven", "line 2", "eleven"),
        ("person 11", "cow 11", "line 2", "'cow'"),
        (" 0 0\n", " 0 45\n", "line 2", "angle of 45"),
        ("11 6 10 30", "11 6 10 0", "line 2", "no area"),
    ):
        assert old in good
        text.write_text(good.replace(old, new))
        refuses(pictures, ValueError, text, *words)
    text.unlink()
    refuses(pictures, FileNotFoundError, text, "restore")
    trees.write_bbgt(text, ())
    trees.save(tmp_path / "images" / "other.jpg", trees.picture(0))
    refuses(pictures, ValueError, "other.jpg", "setNN_VNNN_INNNNN")

"""Files are whole or not there, whatever happens while they are written."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from taskweave.files import CannotSaveError, remove_parts, replacing, write_bytes, write_text, write_together, writing


def full(file) -> None:
    file.write(b"half of the n")
    raise OSError(28, "No space left on device")


def test_what_is_written_is_there_and_nothing_else(tmp_path):
    write_text(tmp_path / "deep" / "a.txt", "\u00e4\n")
    write_bytes(tmp_path / "deep" / "b", b"\x00\r\n")
    with writing(tmp_path / "deep" / "c") as file:
        file.write(b"1")
        file.write(b"2")
    with replacing(tmp_path / "deep" / "d") as part:
        assert part.parent == tmp_path / "deep" and not (tmp_path / "deep" / "d").exists()
        part.write_bytes(b"by path")
    assert {path.name: path.read_bytes() for path in (tmp_path / "deep").iterdir()} == {
        "a.txt": "\u00e4\n".encode(), "b": b"\x00\r\n", "c": b"12", "d": b"by path",
    }  # fmt: skip


def test_a_write_replaces_or_leaves(tmp_path):
    path = tmp_path / "file"
    write_bytes(path, b"old")
    message = (
        r"could not save .*file \(No space left on device\): .* MB are free, about 2.0 MB are needed; the earlier one is "
        r"kept whole\. Free some space or choose another folder, then start again"
    )
    with pytest.raises(CannotSaveError, match=message), writing(path, needed=2_000_000) as file:
        full(file)
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]
    with pytest.raises(CannotSaveError, match="there is no earlier one"), writing(tmp_path / "new") as file:
        full(file)
    with pytest.raises(CannotSaveError, match=r"could not save .*file/below \(Not a directory"):
        write_text(path / "below", "")
    assert list(tmp_path.iterdir()) == [path]


def test_errors_that_are_no_writing_pass_as_they_are(tmp_path):
    path = tmp_path / "file"
    write_bytes(path, b"old")
    with pytest.raises(ZeroDivisionError), writing(path) as file:
        file.write(b"half")
        1 / 0  # noqa: B018
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_several_are_replaced_together_or_not_at_all(tmp_path):
    one, other = tmp_path / "one", tmp_path / "deep" / "other"
    write_together({one: lambda file: file.write(b"1"), other: lambda file: file.write(b"2")})
    assert (one.read_bytes(), other.read_bytes()) == (b"1", b"2")
    with pytest.raises(CannotSaveError, match=r"could not save .*other \(No space left"):
        write_together({one: lambda file: file.write(b"3"), other: full})
    with pytest.raises(CannotSaveError, match=r"could not save .*one \(No space left"):
        write_together({one: full, other: lambda file: file.write(b"4")})
    assert (one.read_bytes(), other.read_bytes()) == (b"1", b"2")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["deep", "one", "other"]


KILLED = """
import sys, time
from pathlib import Path
from taskweave.files import writing
with writing(Path(sys.argv[1])) as file:
    file.write(b"half" * 10**6)
    file.flush()
    print("written", flush=True)
    time.sleep(60)
"""


def test_killed_in_the_middle_leaves_the_old_file_whole(tmp_path):
    path = tmp_path / "file"
    write_bytes(path, b"old")
    writer = subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE)
    try:
        assert writer.stdout is not None and writer.stdout.readline() == b"written\n"
    finally:
        os.kill(writer.pid, signal.SIGKILL)
        writer.communicate()
    assert path.read_bytes() == b"old"
    left = [other for other in tmp_path.iterdir() if other != path]
    assert [other.suffix for other in left] == [".part"] and left[0].stat().st_size == 4 * 10**6
    remove_parts(tmp_path)
    assert list(tmp_path.iterdir()) == [path]


def test_the_content_is_on_the_disk_before_the_name_and_the_name_before_it_returns(tmp_path, monkeypatch):
    done = []
    fsync, replace = os.fsync, type(tmp_path).replace

    def watched_fsync(descriptor):
        done.append("folder" if os.path.isdir(f"/proc/self/fd/{descriptor}") else "content")  # noqa: PTH112
        fsync(descriptor)

    def watched_replace(self, target):
        done.append("name")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(type(tmp_path), "replace", watched_replace)
    write_text(tmp_path / "file", "new")
    assert done == ["content", "name", "folder"]


def test_writers_of_one_file_do_not_disturb_each_other(tmp_path):
    path, contents = tmp_path / "file", [bytes([number]) * 100_000 for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda content: write_bytes(path, content), contents))
    assert path.read_bytes() in contents and list(tmp_path.iterdir()) == [path]


def test_files_are_readable_by_whom_the_umask_lets(tmp_path):
    before = os.umask(0o022)
    try:
        write_text(tmp_path / "file", "")
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o644

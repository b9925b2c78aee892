"""The cache: outside the repository, whole files only, never an error."""

from pathlib import Path

import numpy as np

from taskweave.data import cache_folder
from taskweave.data.readers.arrays import cached_array


def test_where_it_is(monkeypatch, tmp_path):
    monkeypatch.setenv("TASKWEAVE_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("TASKWEAVE_CACHE")
    assert cache_folder().name == "taskweave"
    assert not cache_folder().is_relative_to(Path(__file__).parents[3])


def test_built_once(tmp_path):
    built = []

    def build():
        built.append(1)
        return np.arange(3)

    for _ in range(2):
        assert cached_array(tmp_path / "deep" / "a.npz", build).tolist() == [0, 1, 2]
    assert built == [1]


def test_a_broken_file_is_built_again(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"PK\x03\x04 half a file")
    for _ in range(2):
        assert cached_array(tmp_path / "a.npz", lambda: np.arange(3)).tolist() == [0, 1, 2]
    (tmp_path / "b.npz").write_bytes((tmp_path / "a.npz").read_bytes()[:150])
    assert cached_array(tmp_path / "b.npz", lambda: np.arange(3)).tolist() == [0, 1, 2]


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path):
    (tmp_path / "file").touch()
    assert cached_array(tmp_path / "file" / "a.npz", lambda: np.arange(2)).tolist() == [0, 1]


def test_a_crash_while_writing_leaves_the_old_file(tmp_path, monkeypatch):
    (tmp_path / "a.npz").write_bytes(b"old")

    def crash(file, array):
        file.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez_compressed", crash)
    assert cached_array(tmp_path / "a.npz", lambda: np.arange(9)).tolist() == list(range(9))
    assert (tmp_path / "a.npz").read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["a.npz"]

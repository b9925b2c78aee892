"""Whole numbers in 0..255 of any type, and what is refused; labels by table equal labels one by one."""

import numpy as np
import pytest

from taskweave.data.readers.files import LabelCode, exact_bytes

TYPES = [np.uint8, np.int8, np.uint16, np.int32, np.int64, np.float16, np.float32, np.float64]


@pytest.mark.parametrize("dtype", TYPES)
def test_whole_numbers_are_kept(dtype):
    values = np.arange(128).reshape(8, 16).astype(dtype)
    found = exact_bytes(values)
    assert found.dtype == np.uint8
    assert found.tolist() == np.arange(128).reshape(8, 16).tolist()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", [-1, 256, 0.5, 1e9, -0.001, np.nan, np.inf])
def test_others_are_seen(value):
    assert exact_bytes(np.array([[0, 255], [value, 1]], dtype=np.float32)) is None
    if np.isfinite(value) and value == int(value):
        assert exact_bytes(np.array([0, int(value)], dtype=np.int64)) is None


@pytest.mark.parametrize("dtype", TYPES)
def test_labels_by_table(dtype):
    code = LabelCode({0: 255, 3: 1, 100: 0}, "some")
    stored = np.array([[0, 3], [100, 0]], dtype=dtype)
    assert code.decode(stored, "here").tolist() == [[255, 1], [0, 255]]
    with pytest.raises(ValueError, match="here has label 7 at row 0, column 1: expected some"):
        code.decode(np.array([[0, 7]], dtype=dtype), "here")


def test_labels_outside_the_bytes():
    code = LabelCode({-1: 255, 300: 1}, "some")
    assert code.decode(np.array([[-1, 300]]), "here").tolist() == [[255, 1]]
    with pytest.raises(ValueError, match=r"here has label 0\.5"):
        code.decode(np.array([[0.5, 300]]), "here")

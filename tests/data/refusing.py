"""What a refusal must say."""

import pytest


def refuses(action, error, *words):
    """`action` raises `error`, and its message has each of `words`."""
    with pytest.raises(error) as caught:
        action()
    for word in words:
        assert str(word) in str(caught.value), f"{word!r} is not in: {caught.value}"


def every_label(dataset):
    """`dataset` once the files of all its labels were looked for."""
    return dataset.only(dataset.labels)

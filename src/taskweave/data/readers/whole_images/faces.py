"""What the data sets of faces share."""

from __future__ import annotations

from taskweave.data.facts import SetFacts

AGE, GENDER = "age", "gender"
FACE_LABELS = (AGE, GENDER)
AGES = 100
"""Ages are 0..99 (NDDR-CNN's 100-way cross-entropy); older persons, rare and often mislabelled, are left out."""
GENDERS = ("female", "male")
"""In the order of our ids in every data set: 0 and 1 as IMDB-WIKI has them. UTKFace's names have male 0, female 1."""


def face_facts(title: str) -> SetFacts:
    """What data sets of faces state. Pictures of them are of real persons and are not for publication."""
    return SetFacts(title, FACE_LABELS, categories={GENDER: GENDERS}, size=(200, 200))

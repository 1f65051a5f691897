"""The names of collections: folders of visitors lie in one another, and are never those of shared documents."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.documents.library import plain_name
from pipeline.retrieval.folders import UPLOADS, enclosing, folder_of, is_upload, named, upload_collection
from pipeline.turn import AskOptions


@pytest.mark.parametrize(
    ("name", "folder", "around"),
    [
        ("a.pdf", "private", ["private"]),
        ("report/a.pdf", "report", ["private/report", "private"]),
        ("report/2024/a.pdf", "report/2024", ["private/report/2024", "private/report", "private"]),
        ("private/a.pdf", "private", ["private/private", "private"]),
    ],
)
def test_the_folder_of_a_file_is_its_collection(name: str, folder: str, around: list[str]) -> None:
    collection = upload_collection(name)
    assert folder_of(collection) == folder
    assert list(enclosing(collection)) == around


@given(st.text())
def test_every_upload_is_private_and_its_folder_can_be_asked_by_its_name(name: str) -> None:
    collection = upload_collection(plain_name(name))
    assert is_upload(collection)
    assert enclosing(collection)[-1] == UPLOADS
    assert not {*enclosing(collection)} - {UPLOADS} or collection in named(folder_of(collection))
    AskOptions(collections=(folder_of(collection),))


def test_a_shared_collection_lies_in_no_other() -> None:
    assert enclosing("papers/2024") == ("papers/2024",)
    assert not is_upload("privateer")

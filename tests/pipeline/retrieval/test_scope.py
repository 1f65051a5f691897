"""A scope says whose documents are searched and which of them; narrowing it never lets in more."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.retrieval import Scope
from pipeline.turn import AskOptions

COLLECTIONS = ("a", "b", "c", "private", "private/a", "private/a/b", "private/ab")
NAMES = st.sampled_from(COLLECTIONS)
SOME = st.none() | st.lists(NAMES, max_size=4).map(tuple)
SCOPES = st.builds(Scope, st.none() | st.just("maya-0123456789abcdef"), SOME, SOME, st.none() | st.just((1, 2)))


@given(SCOPES, SOME, SOME, NAMES, NAMES)
def test_a_narrowed_scope_holds_what_both_the_fence_and_the_request_hold(
    fence: Scope, collections: tuple[str, ...] | None, documents: tuple[str, ...] | None, document: str, collection: str
) -> None:
    narrowed = fence.narrowed(collections, documents)
    wanted = Scope(None, collections, documents)
    assert narrowed.holds(document, collection) == (
        fence.holds(document, collection) and wanted.holds(document, collection)
    )
    assert (narrowed.visitor, narrowed.pages) == (fence.visitor, fence.pages)
    assert not (narrowed.is_empty and narrowed.holds(document, collection))


@given(SCOPES, SOME, SOME, SOME, SOME)
def test_narrowing_twice_is_narrowing_by_both_in_any_order(
    fence: Scope,
    collections: tuple[str, ...] | None,
    documents: tuple[str, ...] | None,
    more: tuple[str, ...] | None,
    others: tuple[str, ...] | None,
) -> None:
    one = fence.narrowed(collections, documents).narrowed(more, others)
    other = fence.narrowed(more, others).narrowed(collections, documents)
    for mine, yours in ((one.collections, other.collections), (one.documents, other.documents)):
        assert (mine is None) == (yours is None)
    assert set(one.documents or ()) == set(other.documents or ())
    for collection in COLLECTIONS:
        assert one.holds("a", collection) == other.holds("a", collection)


@given(SCOPES)
def test_a_request_that_names_nothing_leaves_the_fence_as_it_is(fence: Scope) -> None:
    assert fence.narrowed() == fence


@given(SCOPES, SOME)
def test_a_folder_named_like_a_shared_collection_passes_no_fence(fence: Scope, names: tuple[str, ...] | None) -> None:
    scope = fence.chosen(AskOptions(collections=names or ()))
    for collection in COLLECTIONS:
        assert fence.holds("a", collection) or not scope.holds("a", collection)
    assert not Scope(None, ("a", "b")).chosen(AskOptions(collections=("a",))).holds("a", "private/a")
    assert Scope(None, ("a", "private")).chosen(AskOptions(collections=("a",))).holds("a", "private/a")

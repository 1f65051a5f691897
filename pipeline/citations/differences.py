"""Finds what a claim says otherwise than the passage that it is aligned with: facts, negations, opposites. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pipeline.citations.alignment import Aligned, is_similar
from pipeline.citations.contrasts import crossed_contrasts
from pipeline.citations.opposites import LIMIT, NEGATION, QUANTITY, are_opposite, is_negated_form
from pipeline.citations.quantities import same_amount
from pipeline.citations.replaced_facts import replaced_facts, sorts_of
from pipeline.citations.tokens import Key, Token
from pipeline.passages import Span
from pipeline.verdicts import Difference, DifferenceKind

BESIDE_TOKENS = 2  # between a number and a word that tells what it counts
NEGATION_NEAR_TOKENS = 4  # between a negation of the passage and the place of what the claim negates

CLAUSE_END = re.compile(r"[,;:.!?–—()]")
_NO_LONGER = frozenset(("longer", "more", "mehr"))  # behind a negation, of which they are a part
_CONJUNCTIONS = frozenset(("and", "but", "or", "that", "which", "und", "aber", "oder", "sondern", "dass"))

# German nouns that name no person, place or thing: their capital is no sign of a name.
_ABSTRACT = re.compile(r"(?:ung|ungen|heit|heiten|keit|keiten|schaft|schaften|itat|itaten|ion|ionen|ismus|nis|nisse)\Z")


def differences(aligned: Aligned, known: frozenset[Key]) -> tuple[Difference, ...]:
    """Return all differences in the order of the claim, each place of it once; `known` holds words known besides."""
    found: dict[Span, Difference] = {}
    for each in _all(aligned, known):
        found.setdefault(each.answer, each)
    return tuple(sorted(found.values(), key=lambda each: each.answer))


def _all(aligned: Aligned, known: frozenset[Key]) -> Iterator[Difference]:
    yield from _units(aligned)
    yield from _replaced(aligned)
    yield from _counted(aligned)
    yield from _negations(aligned)
    for said, source in crossed_contrasts(aligned):
        yield _difference("negation", said, source)
    yield from _opposites(aligned)
    yield from _left_out(aligned)
    yield from _absent(aligned, known)


def _difference(kind: DifferenceKind, said: Sequence[Token], source: Sequence[Token] = ()) -> Difference:
    place = (source[0].start, source[-1].end) if source else None
    return Difference(kind, (said[0].start, said[-1].end), place)


def _units(aligned: Aligned) -> Iterator[Difference]:
    """Compare the units of numbers that are aligned."""
    claim, tokens = aligned.claim, aligned.source.tokens
    for number, token in enumerate(claim):
        place = aligned.places[number]
        if token.unit is None or token.value is None or place is None:
            continue
        source = tokens[place]
        if source.unit and source.value is not None:
            if not same_amount(token.value, token.unit, source.value, source.unit):
                yield _difference("unit", _amount(claim, number), _amount(tokens, place))
        elif not any(other.unit and other.unit.name == token.unit.name for other in tokens):
            yield _difference("unit", _amount(claim, number), tokens[place : place + 2])


def _amount(tokens: Sequence[Token], at: int) -> Sequence[Token]:
    """Return a number with the unit or currency that stands beside it."""
    first = at - 1 if at and tokens[at - 1].kind == "unit" and tokens[at].unit else at
    last = at + 1 if at + 1 < len(tokens) and tokens[at + 1].kind == "unit" else at
    return tokens[first : last + 1] if tokens[at].value is not None else tokens[at : at + 1]


def _replaced(aligned: Aligned) -> Iterator[Difference]:
    claim, tokens = aligned.claim, aligned.source.tokens
    for each in replaced_facts(aligned):
        said, source = each.said, each.source
        if len(said) == len(source) == 1:
            said, source = _amount(claim, claim.index(said[0])), _amount(tokens, tokens.index(source[0]))
        yield _difference(_kind(each.said[0], is_moved=each.is_moved), said, source)


def _kind(token: Token, *, is_moved: bool) -> DifferenceKind:
    match token.kind:
        case "number" | "unit" | "date":
            return token.kind
        case "operator" if not token.is_capital:
            return _kind_of_sense(token)
        case _:
            return "order" if is_moved else "name"


def _counted(aligned: Aligned) -> Iterator[Difference]:
    """Find numbers that count other things than in the passage."""
    tokens, unmatched = aligned.source.tokens, set(aligned.unmatched())
    for number, token in enumerate(aligned.claim[:-1]):
        place, counted = aligned.places[number], aligned.claim[number + 1]
        if token.kind != "number" or place is None or place + 1 not in unmatched:
            continue
        is_replaced = aligned.places[number + 1] is None and counted.kind == tokens[place + 1].kind == "content"
        if is_replaced:
            yield _difference("word", [counted], [tokens[place + 1]])


def _negations(aligned: Aligned) -> Iterator[Difference]:
    """Find negations on one side only."""
    tokens = aligned.source.tokens
    left = [at for at in sorted(aligned.window) if _is_negation(tokens[at])]
    for number, token in enumerate(aligned.claim):
        if not _is_negation(token):
            continue
        near = [at for at in left if _is_near(aligned, number, at)]
        if near:
            place = aligned.places[number]
            left.remove(place if place is not None and place in near else near[0])
        else:
            yield _difference("negation", [token])
    for at in left:
        if said := _said_without(aligned, at):
            yield _difference("negation", said, [tokens[at]])


def _is_negation(token: Token) -> bool:
    return NEGATION in token.senses


def _is_near(aligned: Aligned, number: int, place: int) -> bool:
    """Whether the next word of the claim before or behind one stands near a place of the passage."""
    before, behind = range(number - 1, -1, -1), range(number + 1, len(aligned.claim))
    nearest = (_next_word(aligned, order) for order in (before, behind))
    return any(each is not None and abs(each - place) <= NEGATION_NEAR_TOKENS for each in nearest)


def _next_word(aligned: Aligned, order: range) -> int | None:
    """Return the place of the first aligned word that is more than a function word or a negation."""
    words = (at for at in order if aligned.claim[at].kind != "function" and not _is_negation(aligned.claim[at]))
    return next((place for at in words if (place := aligned.places[at]) is not None), None)


def _said_without(aligned: Aligned, at: int) -> list[Token]:
    """Return a word of the claim that the passage negates at a place, if the claim says what is on both sides.

    Or if it says all that the negation is about: what follows it in its clause, else what precedes it there.
    """
    by_place = {place: number for number, place in enumerate(aligned.places) if place is not None}
    begin, end = aligned.source.bounds[aligned.source.sentence_of(at)]
    behind = by_place.get(at + 1, 0)
    if behind and at > begin and aligned.claim[behind - 1].key == aligned.source.tokens[at - 1].key:
        return [aligned.claim[behind]]
    sides = (range(at + 1, end), range(at - 1, begin - 1, -1))
    words = [_word_beside(aligned, side) for side in sides]
    is_said = all(
        word is None or word in by_place or side[0] in by_place for word, side in zip(words, sides, strict=True)
    )
    about = next((each for each in (_in_clause(aligned, side) for side in sides) if each), [])
    if is_said or (about and all(place in by_place for place in about)):
        return [aligned.claim[by_place[word]] for word in (*words, *about) if word in by_place][:1]
    return []


def _in_clause(aligned: Aligned, places: range) -> list[int]:
    """Return the places of the words, more than function words, up to a clause's end or a conjunction."""
    tokens, text = aligned.source.tokens, aligned.source.text
    found: list[int] = []
    before = places.start - places.step
    for at in places:
        one, two = sorted((before, at))
        if CLAUSE_END.search(text, tokens[one].end, tokens[two].start) or tokens[at].text in _CONJUNCTIONS:
            break
        if tokens[at].kind != "function" and not _is_negation(tokens[at]) and tokens[at].text not in _NO_LONGER:
            found.append(at)
        before = at
    return found


def _word_beside(aligned: Aligned, places: range) -> int | None:
    """Return the first of some places of the passage that holds more than a function word."""
    return next((at for at in places if aligned.source.tokens[at].kind != "function"), None)


def _opposites(aligned: Aligned) -> Iterator[Difference]:
    """Find words of which the passage says the opposite, and quantifiers that it does not say."""
    unmatched = [aligned.source.tokens[at] for at in aligned.unmatched()]
    for number, token in enumerate(aligned.claim):
        is_aligned = aligned.places[number] is not None and number not in aligned.similar
        if is_aligned or _is_negation(token) or any(set(token.senses) & set(each.senses) for each in unmatched):
            continue
        if rival := next((each for each in unmatched if _contradicts(token, each)), None):
            yield _difference(_kind_of_sense(token), [token], [rival])
        elif _must_be_said(token):
            yield _difference("quantity", [token])


def _contradicts(token: Token, other: Token) -> bool:
    is_content = token.kind == other.kind == "content"
    return are_opposite(token.senses, other.senses) or (is_content and is_negated_form(token.text, other.text))


def _kind_of_sense(token: Token) -> DifferenceKind:
    return "quantity" if any(sense.group in (QUANTITY, LIMIT) for sense in token.senses) else "opposite"


def _must_be_said(token: Token) -> bool:
    """Whether a word claims so much that the passage must say it: "all", "most", "only"."""
    return any(sense.group == LIMIT or (sense.group == QUANTITY and sense.pole <= 1) for sense in token.senses)


def _left_out(aligned: Aligned) -> Iterator[Difference]:
    """Find quantifiers of the passage that the claim replaces between their neighbours, and an "only" left out."""
    by_place = {place: number for number, place in enumerate(aligned.places) if place is not None}
    for at in aligned.unmatched():
        token, before, behind = aligned.source.tokens[at], by_place.get(at - 1), by_place.get(at + 1)
        if not _must_be_said(token) or before is None or behind is None:
            continue
        between = aligned.claim[before + 1 : behind]
        is_replaced = len(between) == 1 and not between[0].senses
        is_dropped = behind == before + 1 and any(sense.group == LIMIT for sense in token.senses)
        if is_replaced or is_dropped:
            yield _difference("quantity", between or [aligned.claim[behind]], [token])


def _absent(aligned: Aligned, known: frozenset[Key]) -> Iterator[Difference]:
    """Find numbers and dates that the aligned sentences lack, and names that the whole passage lacks."""
    for number, token in enumerate(aligned.claim):
        sorts = sorts_of(token)
        if aligned.places[number] is not None or token.key in known or sorts.isdisjoint(("number", "name")):
            continue
        if "number" in sorts:
            if not _is_known_number(aligned, number):
                kind: DifferenceKind = "word" if _is_spelt(token) else _kind(token, is_moved=False)
                yield _difference(kind, _amount(aligned.claim, number))
        elif not _is_no_name(token) and not _is_named(aligned, token):
            yield _difference(_kind(token, is_moved=False), [token])


def _is_known_number(aligned: Aligned, number: int) -> bool:
    """Whether a number stands in the aligned sentences, or elsewhere beside a word that is beside it in the claim."""
    tokens, claim = aligned.source.tokens, aligned.claim
    beside = {token.key for token in _around(claim, number, BESIDE_TOKENS) if token.kind != "function"}
    return any(
        at in aligned.window or not beside.isdisjoint(token.key for token in _around(tokens, at, BESIDE_TOKENS))
        for at in aligned.source.places.get(claim[number].key, ())
    )


def _around(tokens: Sequence[Token], at: int, most: int) -> Iterator[Token]:
    return (tokens[each] for each in range(max(0, at - most), min(len(tokens), at + most + 1)) if each != at)


def _is_spelt(token: Token) -> bool:
    """Whether a number is a word: "two examples" may be counted from what the passage lists."""
    return token.kind == "number" and token.unit is None and not token.text[0].isdigit()


def _is_no_name(token: Token) -> bool:
    return (token.is_first and token.kind == "content") or bool(_ABSTRACT.search(token.text))


def _is_named(aligned: Aligned, token: Token) -> bool:
    source = aligned.source
    return token.key in source.places or any(is_similar(token, other) for other in source.names)

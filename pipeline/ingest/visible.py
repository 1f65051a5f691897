"""Finds the characters of a PDF page that a person cannot see. Runs in the child process.

pdfium returns all text of a page, also text that is outside of it, white on white, transparent, clipped, covered, or
on a hidden layer. So the page is drawn with and without its text; where both pictures are equal, the text is
invisible. Text in an invisible rendering mode is kept where the page shows letters anyway, and all text of a scanned
page is kept: recognised text is laid over or under a scan that way.

Two pictures take about 10 ms, so only pages with suspect text are drawn, and only that text is judged. No time limit
decides, so that a page always gives the same characters; else passages would be highlighted in the wrong place.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pypdfium2.raw as raw

Box = tuple[float, float, float, float]  # left, bottom, right, top, in points
Colour = tuple[int, int, int]

PIXELS = 1000  # length of a picture's longer side
MOST_SCALE = 4.0  # pixels per point
DRAWN = 12  # levels (of 255) by which text changes a pixel: a contrast of 1.1 to 1, less than anybody reads
LEAST_SHARE = 0.015  # of the area of faint text; a smaller change is the edge of a letter below it
INK = 40  # levels between the darkest and lightest pixel of an area that holds letters
PIECE = 8  # the most characters that are judged together
TINY_POINTS, TINY_SHARE = (
    1.2,
    0.0015,
)  # letters below these sizes are invisible, on a page of usual size and on a small one
LEAST_ROOM = 0.06  # area per character, in squares of its size: a narrow one takes 0.2, one of a ligature 0.1
LIGHT = 200  # a colour with at least this red, green and blue may be that of the paper
OPAQUE = 128
NEAR = 48  # levels between two colours that may be hard to distinguish
FILL_POINTS = 4.0  # a thinner filled path is a line
SCAN_SHARE = 0.5  # of the page covered by pictures: from here on undrawn text was recognised in a scan
MOST_OBJECTS = 20_000  # objects that are checked one by one; all text after them, or beyond MOST_PAIRS, is suspect
MOST_PAIRS = 100_000
BAND_POINTS, BANDS = 12.0, 200  # texts are compared with what is drawn at their height
DRAWN_PAGES = 1000  # pages of a document that are drawn, to limit the time; later pages use only what pdfium reports
DEEPEST = 8  # nested forms
FRAME_CORNERS = 6  # points of a rectangular clipping path
_INVISIBLE, _CLIPPING = 3, 7  # text rendering modes
# Buffers for pdfium's results, made once, since a page has thousands of objects.
_FLOATS, _NUMBERS = [ctypes.c_float() for _ in range(4)], [ctypes.c_uint() for _ in range(4)]
_DOUBLES, _LOOSE, _MATRIX = [ctypes.c_double() for _ in range(4)], raw.FS_RECTF(), raw.FS_MATRIX()


@dataclass(slots=True)
class _Text:
    """A text object that may be invisible: its position in drawing order, its box and its colour."""

    place: int
    handle: Any
    box: Box
    colour: Colour


@dataclass(slots=True)
class _Objects:
    """The checked objects of a page; `suspects` are texts that may be invisible.

    `reported` are invisible by what pdfium reports: they are outside of the page, or too small.
    """

    suspects: list[Any] = field(default_factory=list)
    reported: list[Any] = field(default_factory=list)
    undrawn: list[Any] = field(default_factory=list)
    with_actual_text: list[Any] = field(
        default_factory=list
    )  # texts with an ActualText, which replaces the drawn letters
    texts: list[_Text] = field(default_factory=list)
    fills: list[tuple[int, Box, Colour | None]] = field(default_factory=list)
    images: float = 0.0  # area of the pictures in square points


def unseen(page: Any, textpage: Any, number: int) -> frozenset[int]:
    """Return pdfium's indexes of the invisible characters of page `number` (from 0); most pages have none."""
    bounds = page.get_bbox()
    if not textpage.count_chars():
        return frozenset()
    found = _objects(page, bounds)
    is_scan = found.images >= SCAN_SHARE * (bounds[2] - bounds[0]) * (bounds[3] - bounds[1])
    reported = [*found.reported, *([] if is_scan else found.undrawn)]
    hidden = set(_crammed(textpage, found.with_actual_text)) if found.with_actual_text else set()
    if number >= DRAWN_PAGES:
        pieces = _pieces(textpage, _addresses(reported)) if reported else ()
        return frozenset(hidden.union(*(numbers for _, numbers, _, _ in pieces)))
    if suspects := [*reported, *found.suspects, *_overlapping(found)]:
        hidden |= set(_judged(page, textpage, bounds, suspects, is_scan=is_scan))
    return frozenset(hidden)


def _objects(page: Any, bounds: Box) -> _Objects:
    found = _Objects()
    for place, (handle, depth, scale) in enumerate(_walk(page)):
        kind = raw.FPDFPageObj_GetType(handle)
        if kind == raw.FPDF_PAGEOBJ_TEXT:
            _look_at_text(found, place, handle, depth, bounds)
        elif kind == raw.FPDF_PAGEOBJ_IMAGE:
            found.images += _area(handle) * scale
            found.fills += [] if depth else [(place, _bounds_of(handle), None)]
        elif not depth and kind in (raw.FPDF_PAGEOBJ_PATH, raw.FPDF_PAGEOBJ_SHADING):
            found.fills += _fill(place, handle, kind)
    return found


def _walk(page: Any) -> Iterator[tuple[Any, int, float]]:
    """Iterate over (object, depth of nested forms, factor by which their areas grow) in drawing order."""
    ahead = [(page.raw, 0, 1.0, iter(range(raw.FPDFPage_CountObjects(page.raw))))]
    while ahead:
        holder, depth, scale, numbers = ahead[-1]
        number = next(numbers, None)
        if number is None:
            ahead.pop()
            continue
        handle = (raw.FPDFFormObj_GetObject if depth else raw.FPDFPage_GetObject)(holder, number)
        if not handle:
            continue
        yield handle, depth, scale
        if depth < DEEPEST and raw.FPDFPageObj_GetType(handle) == raw.FPDF_PAGEOBJ_FORM:
            inside = iter(range(max(0, raw.FPDFFormObj_CountObjects(handle))))
            ahead.append((handle, depth + 1, scale * _area(handle), inside))


def _look_at_text(found: _Objects, place: int, handle: Any, depth: int, bounds: Box) -> None:
    if place >= MOST_OBJECTS:
        found.suspects.append(handle)
        return
    left, bottom, right, top = box = _bounds_of(handle)
    if left >= right or bottom >= top:
        return  # only blanks
    is_on_a_layer, says_text = _marks(handle)
    if says_text:
        found.with_actual_text.append(handle)
    mode = raw.FPDFTextObj_GetTextRenderMode(handle)
    is_undrawn = mode in (_INVISIBLE, _CLIPPING)
    if depth and not is_undrawn:
        found.suspects.append(handle)  # only drawing shows where text in a form is and what hides it
    elif depth:
        found.undrawn.append(handle)
    elif _size(handle) < _tiny(bounds) or _is_outside(box, bounds):
        found.reported.append(handle)
    elif is_undrawn:
        found.undrawn.append(handle)
    else:
        colour, alpha = _colour(handle)
        is_faint = colour is None or alpha < OPAQUE or min(colour) > LIGHT
        if colour is None or is_faint or not _is_inside(box, bounds) or is_on_a_layer or _is_clipped(handle, box):
            found.suspects.append(handle)
        else:
            found.texts.append(_Text(place, handle, box, colour))


def _fill(place: int, handle: Any, kind: int) -> Sequence[tuple[int, Box, Colour | None]]:
    left, bottom, right, top = box = _bounds_of(handle)
    if min(right - left, top - bottom) < FILL_POINTS:
        return []
    if kind == raw.FPDF_PAGEOBJ_SHADING:
        return [(place, box, None)]
    mode, strokes = ctypes.c_int(), ctypes.c_int()
    raw.FPDFPath_GetDrawMode(handle, mode, strokes)
    return [(place, box, _colour(handle)[0])] if mode.value else []


def _overlapping(found: _Objects) -> list[Any]:
    """Return the texts that something is drawn over, or that are drawn on their own colour."""
    if len(found.texts) * len(found.fills) > MOST_PAIRS:
        return [text.handle for text in found.texts]
    bands: dict[int, list[tuple[int, Box, Colour | None]]] = {}  # height on the page → the fills that reach there
    for fill in found.fills:
        for band in range(_band(fill[1][1]), _band(fill[1][3]) + 1):
            bands.setdefault(band, []).append(fill)
    return [
        text.handle
        for text in found.texts
        if any(_may_hide(fill, text) for fill in bands.get(_band((text.box[1] + text.box[3]) / 2), ()))
    ]


def _band(height: float) -> int:
    return max(-BANDS, min(int(height // BAND_POINTS), BANDS))


def _may_hide(fill: tuple[int, Box, Colour | None], text: _Text) -> bool:
    drawn_at, (left, bottom, right, top), colour = fill
    x, y = (text.box[0] + text.box[2]) / 2, (text.box[1] + text.box[3]) / 2
    if not (left <= x <= right and bottom <= y <= top):
        return False
    if drawn_at > text.place:
        return True
    return bool(colour) and max(abs(one - other) for one, other in zip(text.colour, colour or (), strict=True)) < NEAR


def _judged(page: Any, textpage: Any, bounds: Box, suspects: Sequence[Any], *, is_scan: bool) -> Iterator[int]:
    """Draw the page with and without these texts, and judge each piece of them."""
    pictures = _Pictures(_picture(page), _picture(page, suspects), bounds, page.get_rotation())
    bare: Any = None
    for owner, numbers, size, box in _pieces(textpage, _addresses(suspects)):
        if size >= _tiny(bounds) and pictures.has_text(box):
            continue
        # Undrawn text may stand for letters that are part of a picture.
        if size >= _tiny(bounds) and (is_scan or _is_undrawn(ctypes.cast(owner, raw.FPDF_PAGEOBJECT))):
            bare = bare or _bare_picture(page)
            if pictures.has_ink(bare, box):
                continue
        yield from numbers


def _bare_picture(page: Any) -> Any:
    """Draw the page without text, in levels of grey."""
    texts = [each for each, _, _ in _walk(page) if raw.FPDFPageObj_GetType(each) == raw.FPDF_PAGEOBJ_TEXT]
    return _picture(page, texts).convert("L")


def _crammed(textpage: Any, with_actual_text: Sequence[Any]) -> Iterator[int]:
    """Find characters of an ActualText that is far longer than its area shows; pdfium divides the area among them."""
    sizes = {_address(each): _size(each) for each in with_actual_text}
    for owner, numbers, _, (left, bottom, right, top) in _pieces(textpage, sizes):
        if (right - left) * (top - bottom) < LEAST_ROOM * len(numbers) * sizes[owner] ** 2:
            yield from numbers


def _picture(page: Any, without: Sequence[Any] = ()) -> Any:
    """Draw the page as RGB, 1000 pixels long, without form fields and annotations, which are not part of its text."""
    scale = min(MOST_SCALE, PIXELS / max(page.get_size()))
    for handle in without:
        raw.FPDFPageObj_SetIsActive(handle, 0)
    picture = page.render(scale=scale, draw_annots=False, may_draw_forms=False).to_pil()
    for handle in without:
        raw.FPDFPageObj_SetIsActive(handle, 1)
    return picture if picture.mode == "RGB" else picture.convert("RGB")


class _Pictures:
    """Two pictures of one page, with and without some of its text, addressed by boxes in points."""

    def __init__(self, whole: Any, without: Any, bounds: Box, rotation: int) -> None:
        from PIL import ImageChops  # most pages are never drawn

        red, green, blue = ImageChops.difference(whole, without).split()
        most = ImageChops.lighter(ImageChops.lighter(red, green), blue)
        self._drawn = most.point([0] * DRAWN + [255] * (256 - DRAWN))
        self._bounds, self._rotation = bounds, rotation
        wide, high = (bounds[2] - bounds[0], bounds[3] - bounds[1])[:: -1 if rotation in (90, 270) else 1]
        self._across, self._down = whole.width / max(wide, 1e-6), whole.height / max(high, 1e-6)

    def has_text(self, box: Box) -> bool:
        """Whether the text was drawn in a box, and not merely the edge of what it covers."""
        left, upper, right, lower = self._pixels(box)
        if left >= right or upper >= lower:
            return False  # outside of the page
        drawn: int = self._drawn.crop((left, upper, right, lower)).histogram()[-1]
        return drawn > LEAST_SHARE * (right - left) * (lower - upper)

    def has_ink(self, bare: Any, box: Box) -> bool:
        """Whether the page without its text shows possible letters in a box; a line along the edge does not count."""
        left, upper, right, lower = self._pixels(box)
        if left + 1 >= right - 1 or upper + 1 >= lower - 1:
            return False
        darkest, lightest = bare.crop((left + 1, upper + 1, right - 1, lower - 1)).getextrema()
        return bool(lightest - darkest >= INK)

    def _pixels(self, box: Box) -> tuple[int, int, int, int]:
        """Return the pixels of the page that a box touches."""
        (left, bottom, right, top), (x0, y0, x1, y1) = box, self._bounds
        across: tuple[float, float]
        down: tuple[float, float]
        match self._rotation:
            case 90:
                across, down = (bottom - y0, top - y0), (left - x0, right - x0)
            case 180:
                across, down = (x1 - right, x1 - left), (bottom - y0, top - y0)
            case 270:
                across, down = (y1 - top, y1 - bottom), (x1 - right, x1 - left)
            case _:
                across, down = (left - x0, right - x0), (y1 - top, y1 - bottom)
        width, height = self._drawn.size
        return (
            max(0, int(across[0] * self._across)),
            max(0, int(down[0] * self._down)),
            min(width, int(across[1] * self._across) + 1),
            min(height, int(down[1] * self._down) + 1),
        )


def _pieces(textpage: Any, owners: Collection[int]) -> Iterator[tuple[int, list[int], float, Box]]:
    """Iterate over (object's address, characters of it and of one word, largest size in points, box)."""
    handle = textpage.raw
    numbers: list[int] = []
    box, size, owner = (0.0, 0.0, 0.0, 0.0), 0.0, 0
    for number in range(textpage.count_chars()):
        its = _text_object(handle, number) or 0
        is_blank = its not in owners or raw.FPDFText_GetUnicode(handle, number) <= 32
        if numbers and (is_blank or its != owner or len(numbers) >= PIECE):
            yield owner, numbers, size, box
            numbers = []
        if is_blank:
            continue
        left, bottom, right, top = here = _place_of(handle, number)
        extent = max(right - left, top - bottom)
        if numbers:
            box, size = _union(box, here), max(size, extent)
        else:
            box, size, owner = here, extent, its
        numbers.append(number)
    if numbers:
        yield owner, numbers, size, box


# A pointer as a number: pypdfium2 gives objects, which do not compare.
_text_object = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)(
    ctypes.cast(raw.FPDFText_GetTextObject, ctypes.c_void_p).value or 0
)


def _address(handle: Any) -> int:
    return ctypes.cast(handle, ctypes.c_void_p).value or 0


def _addresses(handles: Iterable[Any]) -> set[int]:
    return {_address(each) for each in handles}


def _place_of(handle: Any, number: int) -> Box:
    """Return the box of a character: its line's height by its advance, and all of its shape."""
    raw.FPDFText_GetLooseCharBox(handle, number, _LOOSE)
    loose: Box = (_LOOSE.left, _LOOSE.bottom, _LOOSE.right, _LOOSE.top)
    left, right, bottom, top = _DOUBLES
    if not raw.FPDFText_GetCharBox(handle, number, left, right, bottom, top) or left.value >= right.value:
        return loose
    return _union(loose, (left.value, bottom.value, right.value, top.value))


def _union(one: Box, other: Box) -> Box:
    return (
        one[0] if one[0] < other[0] else other[0],
        one[1] if one[1] < other[1] else other[1],
        one[2] if one[2] > other[2] else other[2],
        one[3] if one[3] > other[3] else other[3],
    )


def _bounds_of(handle: Any) -> Box:
    left, bottom, right, top = _FLOATS
    raw.FPDFPageObj_GetBounds(handle, left, bottom, right, top)
    return left.value, bottom.value, right.value, top.value


def _size(handle: Any) -> float:
    """Return the size of a text's letters in points."""
    size = _FLOATS[0]
    raw.FPDFTextObj_GetFontSize(handle, size)
    return abs(size.value) * math.sqrt(_area(handle))


def _is_inside(box: Box, outer: Box) -> bool:
    """Whether a box lies inside another, with a tolerance of one point."""
    return box[0] > outer[0] - 1 and box[1] > outer[1] - 1 and box[2] < outer[2] + 1 and box[3] < outer[3] + 1


def _is_outside(box: Box, outer: Box) -> bool:
    return box[2] <= outer[0] or box[3] <= outer[1] or box[0] >= outer[2] or box[1] >= outer[3]


def _is_clipped(handle: Any, box: Box) -> bool:
    """Whether it is clipped by a path that is not a frame around it."""
    clip = raw.FPDFPageObj_GetClipPath(handle)
    for path in range(max(0, raw.FPDFClipPath_CountPaths(clip)) if clip else 0):
        corners = raw.FPDFClipPath_CountPathSegments(clip, path)
        if not 0 < corners <= FRAME_CORNERS:
            return True
        xs, ys = [], []
        for corner in range(corners):
            x, y = ctypes.c_float(), ctypes.c_float()
            raw.FPDFPathSegment_GetPoint(raw.FPDFClipPath_GetPathSegment(clip, path, corner), x, y)
            xs.append(x.value)
            ys.append(y.value)
        if not _is_inside(box, (min(xs), min(ys), max(xs), max(ys))):
            return True
    return False


def _is_undrawn(handle: Any) -> bool:
    """Whether the text is invisible by itself: not filled, or transparent."""
    return raw.FPDFTextObj_GetTextRenderMode(handle) in (_INVISIBLE, _CLIPPING) or _colour(handle)[1] < OPAQUE


def _colour(handle: Any) -> tuple[Colour | None, int]:
    """Return its fill colour, None for a pattern, and the opacity."""
    red, green, blue, alpha = _NUMBERS
    if not raw.FPDFPageObj_GetFillColor(handle, red, green, blue, alpha):
        return None, 0
    return (red.value, green.value, blue.value), alpha.value


def _area(handle: Any) -> float:
    """Return the area of the unit square under the object's matrix."""
    raw.FPDFPageObj_GetMatrix(handle, _MATRIX)
    return float(abs(_MATRIX.a * _MATRIX.d - _MATRIX.b * _MATRIX.c))


def _marks(handle: Any) -> tuple[bool, bool]:
    """Whether it is optional content, which may be switched off, and whether it has an ActualText.

    pdfium returns the ActualText in place of the drawn letters.
    """
    is_on_a_layer = says_text = False
    for number in range(max(0, raw.FPDFPageObj_CountMarks(handle))):
        name, length = (raw.FPDF_WCHAR * 4)(), ctypes.c_ulong()
        mark = raw.FPDFPageObj_GetMark(handle, number)
        raw.FPDFPageObjMark_GetName(mark, name, ctypes.sizeof(name), length)
        is_on_a_layer |= length.value == 6 and bytes(name)[:4] == "OC".encode("utf-16-le")
        says_text |= raw.FPDFPageObjMark_GetParamValueType(mark, b"ActualText") == raw.FPDF_OBJECT_STRING
    return is_on_a_layer, says_text


def _tiny(bounds: Box) -> float:
    longest = max(bounds[2] - bounds[0], bounds[3] - bounds[1])
    return min(TINY_POINTS, TINY_SHARE * longest)

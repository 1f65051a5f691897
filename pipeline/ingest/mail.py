"""Reads e-mails (EML) and archived web pages (MHT), which have the same form: MIME.

A mail is its headers, its body (HTML where it has one, since that keeps tables and links apart) and its attachments of
known kinds, each a section under its name.
"""

from __future__ import annotations

import email
import re
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from email.policy import default

from pipeline.errors import IngestFault
from pipeline.ingest.blocks import ExtractBuilder, one_line
from pipeline.ingest.chunks import Extract
from pipeline.ingest.decoding import decoded
from pipeline.ingest.html import html_extract
from pipeline.ingest.linked_styles import with_styles

Reader = Callable[[bytes, str], Extract]  # content and name of a file → its text

_HEADERS = ("Subject", "From", "To", "Cc", "Date")
_SOFT_BREAK = re.compile(r"(?<=[^\s-]) \n(?!>)")  # RFC 3676: a blank before the line's end joins it to the next
_FORGED = (ValueError, LookupError, AttributeError, TypeError)  # what the parser of headers raises on forged ones
MOST_PARTS = 1_000


def mail_extract(content: bytes, read: Reader) -> Extract:
    """Read a mail; `read` reads its attachments. Raises IngestFault for what is no mail."""
    message = _parsed(content)
    if not any(message.get(name) for name in ("From", "To", "Subject", "Date", "Received")):
        raise IngestFault("wrong_type")
    blocks = ExtractBuilder()
    _add_mail(blocks, message, read)
    return blocks.extract(_header(message, "Subject"))


def archived_page_extract(content: bytes) -> Extract:
    """Read the page of a web archive. Raises IngestFault where it holds none."""
    parts = list(_parts(_parsed(content)))
    page = next((part for part in parts if part.get_content_type() in ("text/html", "application/xhtml+xml")), None)
    if page is None:
        raise IngestFault("wrong_type")
    sheets = {name: _text(part) for part in parts if part.get_content_type() == "text/css" for name in _addresses(part)}
    return html_extract(with_styles(_text(page), sheets.get))


def _parsed(content: bytes) -> EmailMessage:
    message = email.message_from_bytes(content.lstrip(), policy=default)
    assert isinstance(message, EmailMessage)
    return message


def _add_mail(blocks: ExtractBuilder, message: EmailMessage, read: Reader) -> None:
    attached = [part for part in _parts(message) if _is_attachment(part)]
    lines = [f"{name}: {value}" for name in _HEADERS if (value := _header(message, name))]
    if names := ", ".join(filter(None, map(_file_name, attached))):
        lines.append(f"Attachments: {names}")
    blocks.add("\n".join(lines))
    body = _body(message)
    if body is not None:
        blocks.include(_body_extract(body))
    for part in attached:
        if part is not body:
            _add_attachment(blocks, part, read)


def _body(message: EmailMessage) -> EmailMessage | None:
    """Return the body as HTML, as text where there is no HTML or it is blank, else None."""
    for kind in ("html", "plain"):
        body = message.get_body((kind,))
        if isinstance(body, EmailMessage) and _body_extract(body).text.strip():
            return body
    return None


def _body_extract(body: EmailMessage) -> Extract:
    text = _text(body)
    if body.get_content_type() == "text/html":
        return html_extract(text)
    if body.get_param("format") == "flowed":
        text = _SOFT_BREAK.sub(" ", text.replace("\r\n", "\n"))
    return Extract(text.replace("\r\n", "\n"), markdown=False)


def _is_attachment(part: EmailMessage) -> bool:
    """Whether a part is a file of its own; pictures within the body are not."""
    return part.get_content_type() == "message/rfc822" or part.is_attachment() or bool(_file_name(part))


def _file_name(part: EmailMessage) -> str:
    try:
        return one_line(part.get_filename() or "")
    except _FORGED:
        return ""


def _add_attachment(blocks: ExtractBuilder, part: EmailMessage, read: Reader) -> None:
    if part.get_content_type() == "message/rfc822":
        inner = part.get_content()
        blocks.heading(1, _file_name(part) or _header(inner, "Subject"))
        _add_mail(blocks, inner, read)
        return
    content, name = part.get_payload(decode=True), _file_name(part)
    try:
        file = read(content if isinstance(content, bytes) else b"", name)
    except (MemoryError, RecursionError):
        raise
    except Exception:  # noqa: BLE001  (parsers raise anything; a damaged attachment must not cost the mail)
        return
    blocks.heading(1, name)
    blocks.include(file, deeper=1)


def _parts(message: EmailMessage) -> Iterator[EmailMessage]:
    """Iterate over the parts that hold content; a mail within the mail is one part."""
    ahead, count = [message], 0
    while ahead and count < MOST_PARTS:
        part, count = ahead.pop(), count + 1
        if part.is_multipart() and part.get_content_type() != "message/rfc822":
            ahead.extend([each for each in part.iter_parts() if isinstance(each, EmailMessage)][::-1])
        else:
            yield part


def _text(part: EmailMessage) -> str:
    content = part.get_payload(decode=True)
    raw = content if isinstance(content, bytes) else b""
    charset = part.get_content_charset()
    if charset:
        try:
            return raw.decode(charset)
        except (LookupError, UnicodeError):
            pass  # the named encoding is wrong
    return decoded(raw, declared=part.get_content_type() == "text/html")


def _header(message: EmailMessage, name: str) -> str:
    try:
        return one_line(str(message.get(name) or ""))
    except _FORGED:
        return ""


def _addresses(part: EmailMessage) -> Iterator[str]:
    if location := part.get("Content-Location"):
        yield str(location).strip()
    if identity := part.get("Content-ID"):
        yield "cid:" + str(identity).strip().strip("<>")

"""Documents of web addresses: which machines are asked, and what of their answers is taken."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence

import pytest

from pipeline.documents import web_pages
from pipeline.documents.web_addresses import checked, is_public
from pipeline.documents.web_pages import WebPages, name_of
from pipeline.errors import IngestFault
from tests.web import PUBLIC, Answer, web

PAGE = b"<h1>Tides</h1><p>It turns in Hoek.</p>"


async def refused(pages: WebPages, address: str, most_bytes: int = 1_000_000) -> str:
    with pytest.raises(IngestFault) as caught:
        await pages.read(address, most_bytes)
    return caught.value.code


@pytest.mark.parametrize(
    "machine",
    [
        *("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
        *("224.0.0.1", "240.0.0.1", "255.255.255.255", "192.88.99.1", "198.18.0.1", "192.0.2.1"),
        *(
            "::1",
            "::",
            "fe80::1",
            "fe80::1%eth0",
            "fc00::1",
            "fec0::1",
            "ff02::1",
            "2001:db8::1",
            "3fff::1",
            "::7f00:1",
        ),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::1"),
        *("2002:7f00:1::", "2001:0:7f00:1::", "", "example.org"),
    ],
)
async def test_a_machine_that_is_not_public_is_never_connected_to(machine: str) -> None:
    assert not is_public(machine)
    async with web({}, {"inner.example.org": [machine]}) as (pages, network):
        assert await refused(pages, "http://inner.example.org/") == "web_address"
        assert network.machines == []


@pytest.mark.parametrize("machine", [PUBLIC, "2606:4700::1111", f"::ffff:{PUBLIC}", "64:ff9b::5db8:d70e"])
def test_public_machines_are_those_of_the_global_network(machine: str) -> None:
    assert is_public(machine)


@pytest.mark.parametrize(
    "address",
    [
        *("ftp://example.org/a.txt", "file:///etc/passwd", "javascript:alert(1)", "example.org", "", "http://", "//"),
        *(
            "http://maya:secret@example.org/",
            "http://@example.org/",
            "http://example.org:8080/",
            "http://example.org:22/",
        ),
        *("http://example.org:x/", "http://[::1/", "http://localhost/", "http://127.0.0.1/", "http://[::1]/"),
        *("http://2130706433/", "http://0177.0.0.1/", "http://0x7f.1/", "http://127.1/", "http://[::ffff:7f00:1]/"),
        *(
            "http://a..b/",
            "http://exa mple.org/",
            "http://example.org\\@127.0.0.1/",
            "http://example.org/" + "a" * 2_000,
        ),
    ],
)
async def test_only_public_http_and_https_addresses_are_asked(address: str) -> None:
    async with web({}) as (pages, network):
        assert await refused(pages, address) == "web_address"
        assert network.machines == []


def test_an_address_is_asked_as_it_is_meant() -> None:
    assert checked(" https://Example.ORG/a b?q=ä#part ") == "https://example.org/a%20b?q=%C3%A4"
    assert checked("https://bücher.example:443/") == "https://xn--bcher-kva.example/"
    assert checked("http://example.org:443") == "http://example.org:443/"
    assert checked("../b", "https://example.org/x/y/z") == "https://example.org/x/b"


async def test_a_page_is_read_from_the_machine_that_was_checked() -> None:
    async with web({"/tides?at=hoek": (200, {"Content-Type": "text/html"}, PAGE)}) as (pages, network):
        assert await pages.read("http://example.org/tides?at=hoek", 1_000) == ("example.org/tides.html", PAGE)
        assert network.machines == [(PUBLIC, 80)]


async def test_a_name_with_one_private_machine_among_public_ones_is_refused() -> None:
    async with web({}, {"example.org": [PUBLIC, "10.0.0.1"]}) as (pages, network):
        assert await refused(pages, "http://example.org/") == "web_address"
        assert network.machines == []


async def test_a_name_that_means_another_machine_a_moment_later_is_resolved_once_for_each_connection() -> None:
    machines = iter([[PUBLIC], ["127.0.0.1"]])

    async def rebinding(host: str, port: int) -> Sequence[str]:
        return next(machines)

    async with web({"/": (200, {"Content-Type": "text/html"}, PAGE)}) as (_, network):
        pages = WebPages(rebinding, network)
        await pages.read("http://example.org/", 1_000)
        assert await refused(pages, "http://example.org/") == "web_address"
        assert network.machines == [(PUBLIC, 80)]


@pytest.mark.parametrize(
    "target", ["http://inner.example.org/", "http://127.0.0.1/", "file:///etc/passwd", "//localhost/"]
)
async def test_a_redirect_is_checked_like_the_first_address(target: str) -> None:
    answers: Mapping[str, Answer] = {"/a": (302, {"Location": target}, b"")}
    async with web(answers, {"inner.example.org": ["10.0.0.1"]}) as (pages, network):
        assert await refused(pages, "http://example.org/a") == "web_address"
        assert network.machines == [(PUBLIC, 80)]


async def test_redirects_are_followed_a_few_times() -> None:
    answers: Mapping[str, Answer] = {
        "/a": (301, {"Location": "/b.txt"}, b""),
        "/b.txt": (200, {"Content-Type": "text/plain"}, b"Fog."),
        "/loop": (302, {"Location": "/loop"}, b""),
    }
    async with web(answers) as (pages, network):
        assert await pages.read("http://example.org/a", 1_000) == ("example.org/b.txt", b"Fog.")
        network.machines.clear()
        assert await refused(pages, "http://example.org/loop") == "web_unreachable"
        assert len(network.machines) == web_pages.MOST_REDIRECTS + 1


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((404, {"Content-Type": "text/html"}, PAGE), "web_unreachable"),
        ((200, {"Content-Type": "video/mp4"}, b"x"), "web_type"),
        ((200, {}, b"x"), "web_type"),
        ((200, {"Content-Type": "text/plain"}, b"x" * 2_000), "too_large"),
        ((200, {"Content-Type": "text/plain", "Content-Encoding": "gzip"}, gzip.compress(b"x" * 9_000)), "too_large"),
        ((200, {"Content-Type": "text/plain", "Content-Encoding": "gzip"}, b"no gzip"), "web_unreachable"),
        ((200, {"Content-Type": "text/plain", "Content-Encoding": "br"}, b"x"), "web_unreachable"),
    ],
)
async def test_what_cannot_be_read_has_its_reason(answer: Answer, code: str) -> None:
    async with web({"/x": answer}) as (pages, _):
        assert await refused(pages, "http://example.org/x", 1_000) == code


async def test_a_server_that_sends_less_than_it_says_or_that_nobody_knows_is_left() -> None:
    async with web({"/x": (200, {"Content-Type": "text/plain", "Content-Length": "9"}, b"x")}) as (pages, _):
        assert await refused(pages, "http://example.org/x") == "web_unreachable"

    async def unknown(host: str, port: int) -> Sequence[str]:
        raise OSError("no such host: example.org")

    assert await refused(WebPages(unknown), "http://example.org/") == "web_unreachable"


async def test_the_encoding_that_a_server_names_counts() -> None:
    told = {"Content-Type": "text/plain; charset=ISO-8859-5", "Content-Encoding": "gzip"}
    async with web({"/x": (200, told, gzip.compress("Туман".encode("iso8859-5")))}) as (pages, _):
        _, content = await pages.read("http://example.org/x", 1_000)
    assert content.decode("utf-8-sig") == "Туман"


@pytest.mark.parametrize(
    ("address", "media_type", "name"),
    [
        ("https://example.org/", "text/html", "example.org.html"),
        ("https://example.org/a/guide.html", "text/html", "example.org/a/guide.html"),
        ("https://example.org/a/guide.htm", "text/html", "example.org/a/guide.htm"),
        ("https://example.org/readme.md", "text/plain", "example.org/readme.md"),
        ("https://example.org/rows.csv", "application/octet-stream", "example.org/rows.csv"),
        ("https://example.org/paper", "application/pdf", "example.org/paper.pdf"),
        ("https://example.org/v1.2", "text/html", "example.org/v1.2.html"),
    ],
)
def test_a_document_is_called_by_its_host_and_path(address: str, media_type: str, name: str) -> None:
    assert name_of(address, media_type) == name

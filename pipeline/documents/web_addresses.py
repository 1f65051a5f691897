"""Which web addresses may be read: those of public machines, by http and https at their usual ports. Pure.

What a name resolves to is checked where the connection is made (`web_pages`), since a name may mean another machine a
moment later. Numbers written as a host in other ways than four decimals resolve to an address there, too, and are
refused here already.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

from pipeline.errors import IngestFault

MOST_CHARS = 2_000
PORTS = {"http": 80, "https": 443}

_NAME = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)+")
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NOT_A_MACHINE = tuple(  # within it: protocol assignments with Teredo, examples, 6to4
    map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
)
_NAT64 = IPv6Network("64:ff9b::/96")
_RELAYS = (IPv4Address("192.88.99.0"), IPv4Address("192.88.99.255"))  # of 6to4


def checked(address: str, base: str = "") -> str:
    """Return an address that may be asked, without its fragment; `base` is the one that redirected to it.

    Raises IngestFault where it is no public http or https address: another scheme or port, a name and a password, a
    host that is no name of the public network.
    """
    try:
        parts = urlsplit(urljoin(base, address.strip()))
        host, port = _host(parts), parts.port
    except ValueError:
        raise IngestFault("web_address") from None
    usual = PORTS.get(parts.scheme)
    if usual is None or port not in (None, *PORTS.values()) or "@" in parts.netloc or len(address) > MOST_CHARS:
        raise IngestFault("web_address")
    named = f"[{host}]" if ":" in host else host
    netloc = named if port in (None, usual) else f"{named}:{port}"
    return urlunsplit((parts.scheme, netloc, _quoted(parts.path or "/"), _quoted(parts.query), ""))


def is_public(machine: str) -> bool:
    """Whether an IP address is one of a machine in the public network."""
    try:
        address = ip_address(machine.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        if inner := address.ipv4_mapped:
            return is_public(str(inner))
        if address in _NAT64:
            return is_public(str(IPv4Address(int(address) & 0xFFFFFFFF)))
        return address.is_global and address in _GLOBAL_UNICAST and not any(address in net for net in _NOT_A_MACHINE)
    return address.is_global and not address.is_multicast and not _RELAYS[0] <= address <= _RELAYS[1]


def _host(parts: SplitResult) -> str:
    """Return the host in ASCII. Raises ValueError where it is neither a name with a dot nor a written address."""
    host = (parts.hostname or "").rstrip(".")
    try:
        address = ip_address(host)
    except ValueError:
        name = host.encode("idna").decode("ascii").lower()
        last = name.rpartition(".")[2]
        if (
            "." not in name
            or last[:1].isdigit()
            or not name.replace("-", "").replace(".", "").replace("_", "").isalnum()
        ):
            raise
        return name
    if not is_public(str(address)):
        raise ValueError("not public")
    return str(address)


def _quoted(part: str) -> str:
    """Return a path or query with everything but printable ASCII escaped."""
    return "".join(
        char if "!" <= char <= "~" else "".join(f"%{byte:02X}" for byte in char.encode(errors="replace"))
        for char in part
    )

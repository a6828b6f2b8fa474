"""Which addresses this service may connect to: http or https, but no cloud metadata service.

Plex usually runs in a private network, so loopback and private addresses are allowed. Link-local
and metadata hosts give out a machine's credentials and are never Plex. Standard library only.
"""

import ipaddress
import socket
from urllib.parse import urlsplit

_METADATA_NAMES = {
    "metadata",
    "metadata.google.internal",
    "metadata.goog",
    "instance-data",
    "instance-data.ec2.internal",
}
# AWS over IPv6, Alibaba, Azure, Oracle. The metadata hosts of other clouds are link-local.
_METADATA_HOSTS = {
    ipaddress.ip_address(each)
    for each in ("fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192")
}
# What a NAT64 gateway, or an old kernel, connects to is the IPv4 address in the last four bytes.
_EMBEDDED = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::/96"))


def refusal(address: str) -> str | None:
    """Return a sentence that says why an address is refused; None if it is allowed."""
    if not address.isascii() or not address.isprintable() or " " in address or "\\" in address:
        return "The address may contain only ASCII characters, no spaces and no backslashes."
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "This is not a valid address. Example: http://192.168.1.10:32400."
    if parts.scheme not in ("http", "https") or not host:
        return "The address must start with http:// or https:// and a host."
    if "@" in parts.netloc:
        return "The address must not contain a user name or a password."
    if "?" in address or "#" in address:
        return "The address must not contain a query or a fragment."
    if "%" in parts.netloc:
        return "The host must not contain a percent sign."
    name = host.rstrip(".").lower()
    if name in _METADATA_NAMES or is_forbidden(name):
        return "Link-local and metadata hosts are not allowed."
    return None


def is_forbidden(host: str) -> bool:
    """Tell whether an IP address, in any notation, is link-local or a metadata host's."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        try:
            # The resolver also accepts these as IPv4: 0xa9fea9fe, 2852039166, 0251.0376.0251.0376.
            address = ipaddress.ip_address(socket.inet_aton(host))
        except (OSError, ValueError):
            return False
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if any(address in network for network in _EMBEDDED):
            inner = ipaddress.ip_address(address.packed[-4:])  # type: ignore[assignment]
        if inner is not None:
            return is_forbidden(str(inner))
    return address.is_link_local or address in _METADATA_HOSTS

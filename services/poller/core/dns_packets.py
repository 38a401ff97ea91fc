"""DNS questions and answers as bytes (RFC 1035): what one question to one server needs, and no more.

Reading is strict and bounded: every packet is either understood or Invalid, whoever wrote it.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Callable
from dataclasses import dataclass

from shared.errors import Invalid

RECORDS = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28}
_INTERNET = 1
_RESPONSE, _TRUNCATED, _RECURSE = 0x8000, 0x0200, 0x0100
_RCODE = 0x000F
_JUMPS = 32  # a name may point backwards this often
_LONGEST = 255


@dataclass(frozen=True, slots=True)
class DnsAnswer:
    """What a server answered: the values of the wanted type, as text in one form."""

    truncated: bool
    code: int  # 0: no error, 3: there is no such name
    values: tuple[str, ...] = ()


def question(number: int, name: str, record: str) -> bytes:
    """A question for the records of a name, asking for recursion. Raises Invalid."""
    if record not in RECORDS:
        raise Invalid(f"{record} is no record that can be asked for; these are: {', '.join(sorted(RECORDS))}")
    head = struct.pack(">HHHHHH", number, _RECURSE, 1, 0, 0, 0)
    return head + _encoded_name(name) + struct.pack(">HH", RECORDS[record], _INTERNET)


def answer_to(asked: bytes, packet: bytes) -> DnsAnswer | None:
    """What `packet` answers to the question `asked`; None if it is no answer to it. Raises Invalid if it is broken."""
    if len(packet) < 12 or packet[:2] != asked[:2]:
        return None
    flags, questions, answers = struct.unpack(">HHH", packet[2:8])
    if not flags & _RESPONSE:
        return None
    if questions != 1:
        return DnsAnswer(False, flags & _RCODE) if questions == 0 and flags & _RCODE else None
    try:
        name, at = _name(packet, 12)
        if (name, packet[at : at + 4]) != (_name(asked, 12)[0], asked[-4:]):
            return None
        if flags & _TRUNCATED:
            return DnsAnswer(True, flags & _RCODE)
        kind = struct.unpack(">H", asked[-4:-2])[0]
        return DnsAnswer(False, flags & _RCODE, _values(packet, at + 4, answers, kind))
    except (struct.error, IndexError) as short:
        raise Invalid("the name server's answer is cut short") from short


def lacks(values: tuple[str, ...], expected: tuple[str, ...]) -> tuple[str, ...]:
    """Which of the expected values are not there. A mail server may be expected with or without its preference."""
    there = {value.lower() for value in values} | {value.lower().partition(" ")[2] for value in values if " " in value}
    return tuple(value for value in expected if _normal(value) not in there)


def _normal(value: str) -> str:
    value = " ".join(value.split()).lower()
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        return value if value == "." else value.removesuffix(".")


def _encoded_name(name: str) -> bytes:
    try:
        labels = [label.encode("ascii") for label in name.removesuffix(".").split(".")] if name.strip(".") else []
    except UnicodeEncodeError:
        try:
            labels = name.encode("idna").removesuffix(b".").split(b".")
        except UnicodeError as wrong:
            raise Invalid(f"{name} is not a domain name") from wrong
    if any(not 0 < len(label) < 64 for label in labels):
        raise Invalid(f"{name} is not a domain name")
    encoded = b"".join(bytes((len(label),)) + label for label in labels) + b"\0"
    if len(encoded) > _LONGEST:
        raise Invalid(f"{name} is too long for a domain name")
    return encoded


def _name(packet: bytes, at: int) -> tuple[str, int]:
    """A name, small letters, without the final dot, and where it ends in the packet."""
    labels: list[str] = []
    end, size = -1, 0
    for _ in range(_JUMPS + _LONGEST):
        length = packet[at]
        if length >= 0xC0:
            end = at + 2 if end < 0 else end
            at = (length & 0x3F) << 8 | packet[at + 1]
            continue
        if length >= 0x40:
            raise Invalid("the name server's answer holds a name of no known form")
        if length == 0:
            return ".".join(labels) or ".", at + 1 if end < 0 else end
        if at + 1 + length > len(packet):
            raise Invalid("the name server's answer is cut short")
        labels.append(packet[at + 1 : at + 1 + length].decode("latin-1").lower())
        at, size = at + 1 + length, size + 1 + length
        if size > _LONGEST:
            raise Invalid("the name server's answer holds a name that is too long")
    raise Invalid("the name server's answer holds a name that points in a circle")


def _values(packet: bytes, at: int, count: int, kind: int) -> tuple[str, ...]:
    found = []
    for _ in range(count):
        _, at = _name(packet, at)
        record, category, _, length = struct.unpack_from(">HHIH", packet, at)
        at += 10
        if at + length > len(packet):
            raise Invalid("the name server's answer is cut short")
        if (record, category) == (kind, _INTERNET):
            found.append(_READERS[kind](packet, at, length))
        at += length
    return tuple(found)


def _address(packet: bytes, at: int, length: int) -> str:
    if length not in (4, 16):
        raise Invalid("the name server's answer holds an address of no known length")
    return str(ipaddress.ip_address(packet[at : at + length]))


def _one_name(packet: bytes, at: int, _: int) -> str:
    return _name(packet, at)[0]


def _mail(packet: bytes, at: int, _: int) -> str:
    return f"{struct.unpack_from('>H', packet, at)[0]} {_name(packet, at + 2)[0]}"


def _text(packet: bytes, at: int, length: int) -> str:
    text, end = bytearray(), at + length
    while at < end:
        text += packet[at + 1 : at + 1 + packet[at]]
        at += 1 + packet[at]
    return text.decode("utf-8", "replace")


def _start(packet: bytes, at: int, _: int) -> str:
    """The zone's first server, its keeper and its serial number."""
    server, at = _name(packet, at)
    keeper, at = _name(packet, at)
    return f"{server} {keeper} {struct.unpack_from('>I', packet, at)[0]}"


_READERS: dict[int, Callable[[bytes, int, int], str]] = {
    RECORDS["A"]: _address,
    RECORDS["AAAA"]: _address,
    RECORDS["NS"]: _one_name,
    RECORDS["CNAME"]: _one_name,
    RECORDS["PTR"]: _one_name,
    RECORDS["SOA"]: _start,
    RECORDS["MX"]: _mail,
    RECORDS["TXT"]: _text,
}

"""ADDRESS and --translate as people write them."""

from __future__ import annotations

import pytest

from cqlsurge.database.address import parse_address, parse_translations, show_address
from cqlsurge.database.schema import replication_options
from cqlsurge.database.topology import choose_dc
from cqlsurge.errors import UsageError
from cqlsurge.load.engines.contract import Node


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("db", [("db", 9042)]),
        ("10.0.0.1:9142", [("10.0.0.1", 9142)]),
        ("a,b:1", [("a", 9042), ("b", 1)]),
        ("[::1]", [("::1", 9042)]),
        ("[fe80::1]:9142, c", [("fe80::1", 9142), ("c", 9042)]),
    ],
)
def test_addresses(text: str, points: list[tuple[str, int]]) -> None:
    assert parse_address(text) == points
    assert parse_address(",".join(show_address(*point) for point in points)) == points


@pytest.mark.parametrize("text", ["", "a,,b", "::1", "[::1", "[::1]x", "h:0", "h:65536", "h:port", ":9042"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(UsageError):
        parse_address(text)


def test_translations() -> None:
    assert parse_translations("10.0.0.1=127.0.0.1, 10.0.0.2=db.example:9142,fd00::1=::1,fd00::2=[::1]:9143") == {
        "10.0.0.1": ("127.0.0.1", None),
        "10.0.0.2": ("db.example", 9142),
        "fd00::1": ("::1", None),
        "fd00::2": ("::1", 9143),
    }
    assert parse_translations(None) == {}
    for text in ("10.0.0.1", "10.0.0.1=:9042", "10.0.0.1=h:port"):
        with pytest.raises(UsageError, match=r"FROM=TO|no port"):
            parse_translations(text)


def test_replication() -> None:
    assert replication_options("3", "dc1") == {"class": "NetworkTopologyStrategy", "dc1": "3"}
    assert replication_options("a:3, b-2:2", "dc1") == {"class": "NetworkTopologyStrategy", "a": "3", "b-2": "2"}
    for text in ("0", "x", "a:", "a:0", "'}; DROP"):
        with pytest.raises(UsageError, match="--replication"):
            replication_options(text, "dc1")


def test_the_data_centre() -> None:
    def nodes(*names: str) -> tuple[Node, ...]:
        return tuple(Node(str(index), "h", 1, name, "r") for index, name in enumerate(names))

    assert choose_dc(None, nodes("x", "datacenter1")) == "datacenter1"
    assert choose_dc(None, nodes("x", "x")) == "x"
    assert choose_dc("y", nodes("x", "y")) == "y"
    with pytest.raises(UsageError, match="x, y"):
        choose_dc(None, nodes("x", "y"))
    with pytest.raises(UsageError, match="no such data centre; the cluster has x, y"):
        choose_dc("z", nodes("y", "x"))

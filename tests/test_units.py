"""Numbers as people write and read them."""

from __future__ import annotations

import pytest

from cqlsurge.units import parse_count, parse_duration_s, parse_share, parse_size, show_count, show_s, show_us


@pytest.mark.parametrize(
    ("text", "value"),
    [("7", 7), ("1_000", 1000), ("50k", 50_000), ("2.5M", 2_500_000), ("1G", 10**9), (" 3K ", 3000)],
)
def test_counts(text: str, value: int) -> None:
    assert parse_count(text) == value


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5", "1e3", "10 apples", "0x10", "1__k x"])
def test_what_is_no_count(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not"):
        parse_count(text)


@pytest.mark.parametrize(
    ("text", "value"), [("1000", 1000), ("64k", 64_000), ("1MiB", 1 << 20), ("1_000B", 1000), ("2Ki", 2048)]
)
def test_sizes(text: str, value: int) -> None:
    assert parse_size(text) == value


@pytest.mark.parametrize(
    ("text", "value_s"), [("10", 10), ("500ms", 0.5), ("2m", 120), ("1.5h", 5400), ("1d", 86400), ("3us", 3e-6)]
)
def test_durations(text: str, value_s: float) -> None:
    assert parse_duration_s(text) == pytest.approx(value_s)


@pytest.mark.parametrize(("text", "value"), [("0.5", 0.5), ("50%", 0.5), ("0", 0), ("1", 1), ("100%", 1)])
def test_shares(text: str, value: float) -> None:
    assert parse_share(text) == value


@pytest.mark.parametrize("text", ["1.1", "-0.1", "101%", "half", "nan"])
def test_what_is_no_share(text: str) -> None:
    with pytest.raises(ValueError, match="not"):
        parse_share(text)


def test_what_people_read() -> None:
    assert [show_count(value) for value in (0, 999, 1000, 12_345, 999_999, 40e6)] == [
        "0", "999", "1.00 K", "12.3 K", "1.00 M", "40.0 M",
    ]  # fmt: skip
    assert [show_us(value) for value in (1.234, 85.31, 234.4, 1234, 99_999, 2.5e6)] == [
        "1.23 us", "85.3 us", "234 us", "1.23 ms", "100 ms", "2.50 s",
    ]  # fmt: skip
    assert [show_s(value) for value in (0.44, 12.3, 185, 3723)] == ["0.4 s", "12 s", "3:05", "1:02:03"]

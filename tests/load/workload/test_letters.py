"""Texts and blobs of a number: one for each, of the alphabet, as long as there is room."""

from __future__ import annotations

import pytest

from cqlsurge.load.workload.letters import room, spelled


@pytest.mark.parametrize(("alphabet", "size"), [("bytes", 2), ("text", 3), ("ascii", 2), ("hex", 4), ("text", 1)])
def test_each_number_has_letters_of_its_own(alphabet: str, size: int) -> None:
    count = min(room(alphabet, size), 100_000)
    assert len({spelled(alphabet, number, size) for number in range(count)}) == count
    assert spelled(alphabet, room(alphabet, size) + 5, size) == spelled(alphabet, 5, size)


@pytest.mark.parametrize("alphabet", ["bytes", "text", "hex"])
def test_large_numbers_are_told_apart_too(alphabet: str) -> None:
    numbers = [*range(10**11, 10**11 + 20_000), *range(50_000)]
    assert len({spelled(alphabet, number, 20) for number in numbers}) == len(numbers)


def test_letters_are_of_the_alphabet_and_no_more_than_asked() -> None:
    assert len(spelled("text", 5, 30)) == 10
    assert spelled("text", 123, 8).decode().isascii()
    assert set(spelled("hex", 123, 12).decode()) <= set("0123456789abcdef")
    assert spelled("bytes", 7, 0) == b""


def test_neighbours_look_unlike() -> None:
    first = [spelled("text", number, 10)[:1] for number in range(640)]
    assert len(set(first)) > 40

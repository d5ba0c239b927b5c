"""standard1 as the Java program makes it: values that scylladb/cql-stress publishes as taken from its real runs."""

from __future__ import annotations

import pytest

from cqlsurge.load.workload.cassandra_stress import (
    JavaRandom,
    cell_bytes,
    cells_seed,
    key_bytes,
    random_bytes,
    salt,
    seed_factor,
    signed,
)

C0 = salt("randomstrC0")


def test_salts() -> None:
    assert C0 == 5919258029671157411
    assert salt("") == 0


def test_populations_draw_as_commons_math_does() -> None:
    random = JavaRandom(1)
    assert [random.population() for _ in range(3)] == [73087819071, 41008081150, 20771484131]


@pytest.mark.parametrize(
    ("seed", "key", "cell"),
    [
        (1, [48, 80, 51, 55, 55, 48, 57, 80, 50, 49], (-123, 24, 47, -33, -25)),
        (2, [79, 56, 76, 75, 55, 57, 76, 79, 54, 49], (-72, -32, 83, 32, -51)),
        (3, [79, 80, 48, 48, 49, 76, 53, 57, 51, 48], (95, -16, -124, 89, -52)),
    ],
)
def test_rows_are_those_of_the_java_program(seed: int, key: list[int], cell: tuple[int, ...]) -> None:
    found = key_bytes(seed)
    assert list(found) == key
    assert tuple(byte - 256 if byte > 127 else byte for byte in cell_bytes(cells_seed(found), C0, 5)) == cell


def test_a_key_is_folded_into_the_seed_of_its_cells() -> None:
    assert cells_seed(key_bytes(1)) == 1338786723438483


def test_cells_of_another_size_begin_alike_until_the_generator_begins_again() -> None:
    assert random_bytes(7, 34)[:8] == random_bytes(7, 8)
    assert len(random_bytes(7, 1000)) == 1000
    assert random_bytes(7, 1000)[:248] == random_bytes(7, 248)


def test_java_longs_have_a_sign() -> None:
    assert signed(1 << 63) == -(1 << 63)
    assert cells_seed(b"\xff") == -1


def test_newer_versions_multiply_seeds() -> None:
    assert seed_factor(1_000_000) == 1 + 10**16

"""Distributions of cassandra-stress: every form of its grammar, its traps, and the numbers that follow."""

from __future__ import annotations

import pytest

from cqlsurge.workload.imports.cassandra_stress.distributions import (
    Distribution,
    fixed,
    parse_distribution,
    parse_number,
    parse_ratio,
    share_below,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [("7", 7), ("10k", 10_000), ("5M", 5_000_000), ("100B", 100_000_000_000), ("-3", -3), (" 1m ", 1_000_000)],
)
def test_numbers_may_end_in_a_factor(text: str, value: int) -> None:
    assert parse_number(text) == value


@pytest.mark.parametrize("text", ["", "k", "1g", "1.5k", "0x10", "10000000000B"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_number(text)


@pytest.mark.parametrize(
    ("text", "name", "low", "high"),
    [
        ("fixed(34)", "fixed", 34, 34),
        ("FIXED(1k)", "fixed", 1000, 1000),
        ("uniform(1..100B)", "uniform", 1, 100_000_000_000),
        ("Uniform( 1 ... 10 )", "uniform", 1, 10),
        ("uniform(5..5)", "fixed", 5, 5),
        ("seq(1..1001000)", "seq", 1, 1_001_000),
        ("exp(1..10)", "exp", 1, 10),
        ("extr(1..10,2)", "extreme", 1, 10),
        ("qextr(1..10,2,4)", "qextreme", 1, 10),
        ("uniform(-10..10)", "uniform", -10, 10),
    ],
)
def test_forms(text: str, name: str, low: int, high: int) -> None:
    found = parse_distribution(text)
    assert (found.name, found.low, found.high) == (name, low, high)


@pytest.mark.parametrize("alias", ["gaussian", "gauss", "normal", "NORM"])
def test_gaussian_has_its_bounds_at_three_deviations(alias: str) -> None:
    found = parse_distribution(f"{alias}(1..1B)")
    assert (found.mean, found.stdev) == (500_000_000.5, (1_000_000_000 - 1) / 2 / 3)
    assert parse_distribution(f"{alias}(0..12,2)").stdev == 3
    told = parse_distribution(f"{alias}(1..100, 20, 5)")
    assert (told.mean, told.stdev) == (20, 5)


def test_inverted_mirrors_between_the_bounds() -> None:
    plain, mirrored = parse_distribution("exp(1..100)"), parse_distribution("~exp(1..100)")
    assert mirrored.inverted
    assert mirrored.average() == pytest.approx(101 - plain.average())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("weibull(1..10,2)", "extreme"),
        ("zipf(1..10)", "there are fixed"),
        ("uniform(1..10,2)", "uniform(MIN..MAX)"),
        ("uniform(10..1)", "10 is more than 1"),
        ("seq(5..5)", "begins below its end"),
        ("gaussian(1..10,x)", "no number"),
        ("gaussian(1..10,0)", "not above 0"),
        ("uniform(1.10)", "no bounds"),
        ("uniform", "no distribution"),
        ("uniform(1..10", "no distribution"),
        ("fixed(1..2)", "no whole number"),
        ("gaussian(1..10,nan)", "finite"),
    ],
)
def test_wrong_ones_say_what_was_expected(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=r".") as error:
        parse_distribution(text)
    assert says in str(error.value)


def test_ratios() -> None:
    all_rows = parse_ratio("fixed(1)/1")
    assert all_rows.is_one
    assert all_rows.average() == 1
    one_row = parse_ratio("fixed(2)/10240M")
    assert not one_row.is_one
    assert one_row.average() == 2 / 10_240_000_000
    assert parse_ratio("uniform(1..10)/10").share_below(0.5) == pytest.approx(0.4)
    for wrong in ("fixed(1)", "fixed(1)/0", "fixed(1)/x"):
        with pytest.raises(ValueError):
            parse_ratio(wrong)


def test_shares_below_a_bound_follow_the_definitions() -> None:
    assert share_below(fixed(3), 3) == 0
    assert share_below(fixed(3), 3.5) == 1
    assert share_below(parse_distribution("gaussian(0..12)"), 6) == 0.5
    exponential = parse_distribution("exp(1..101)")
    assert share_below(exponential, 101) == pytest.approx(1 - (1 / 100) ** 0.5)
    assert share_below(Distribution("exp", 1, 101, inverted=True), 1.0001) == pytest.approx(0.1, abs=1e-3)

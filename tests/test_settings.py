"""Settings: defaults, checks, and the way through a result document and back."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from cqlsurge.errors import UsageError
from cqlsurge.settings import GROUPS, RATE_CONCURRENCY, Settings, options


def test_the_ancestors_defaults() -> None:
    settings = Settings()
    assert (settings.keyspace, settings.mode, settings.read_ratio, settings.blob_size) == ("test", "write", 0.5, 1000)
    assert settings.total_operations == 1_000_000
    assert settings.in_flight_limit == 1
    assert settings.consistency == "LOCAL_QUORUM"


def test_duration_alone_lifts_the_count() -> None:
    assert Settings(duration=5.0).total_operations is None
    assert Settings(duration=5.0, operations=10).total_operations == 10
    assert Settings(duration=5.0).population == 1_000_000
    assert Settings(keys=7).population == 7


def test_concurrency_follows_a_rate() -> None:
    assert Settings(rate="10k").in_flight_limit == RATE_CONCURRENCY
    assert Settings(rate="10k", concurrency=5).in_flight_limit == 5


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        (Settings(keyspace="1x"), "--keyspace"),
        (Settings(keyspace='a"; DROP'), "--keyspace"),
        (Settings(table="x" * 49), "--table"),
        (Settings(verify=""), "--verify"),
        (Settings(max_backlog=5), "--rate"),
        (Settings(tls_key="k"), "--tls-cert"),
        (Settings(arrivals="poisson"), "--arrivals needs --rate"),
        (Settings(spin=False), "--no-spin needs --rate"),
        (Settings(mode="read", read_ratio=0.9), "--read-ratio needs --mode mixed"),
        (Settings(mode="read", verify_share=0.1), "--verify-share needs --verify"),
        (Settings(engine="scylla-driver", retries=0), "--retries needs the engine wire"),
        (Settings(create=False, replication="3"), "--replication is for a keyspace that is created"),
        (Settings(create=False, create_with="x"), "--create-with is for a table that is created"),
        (Settings(translate="a=b"), "--translate needs an ADDRESS"),
        (Settings(user="u"), "--user needs an ADDRESS"),
        (Settings(tls_ca="ca.pem"), "--tls-ca needs an ADDRESS"),
        (Settings(address="h", tls_check_host=False), "--no-tls-check-host needs --tls"),
        (Settings(password_file="p"), "--password-file needs --user"),
        (Settings(address="h", user="u", password_file="p", password_env="E"), "--password-env"),
    ],
)
def test_what_does_not_fit_names_the_option(settings: Settings, names: str) -> None:
    with pytest.raises(UsageError, match=names):
        settings.check()


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("concurrency", 0, "0 is not 1 or more"),
        ("concurrency", -3, "not understood"),
        ("concurrency", 2.5, "not a whole number"),
        ("concurrency", True, "a bool is not what is wanted here"),
        ("mode", "scan", "there is write, read, mixed"),
        ("mode", None, "None"),
        ("operations", "many", "many"),
        ("read_ratio", 1.5, "between 0 and 1"),
        ("duration", 0.0, "longer than 0"),
        ("duration", float("nan"), "no number"),
        ("consistency", "MOST", "there is ANY, ONE"),
        ("blob_size", 3_000_000_000, "more than a request of CQL can carry"),
        ("seed", -1, "not understood"),
        ("truncate", "yes", "True or False"),
        ("on_error", "nonsense=retry", "no error class"),
        ("error_budget", "lots", "lots"),
        ("until", "soon", "p99"),
        ("metrics", "here", "PORT"),
        ("hosts", "a,a", "each once"),
        ("address", 9042, "no address"),
    ],
)
def test_a_program_is_told_of_what_cannot_be_as_the_command_line_is(field: str, value: object, words: str) -> None:
    with pytest.raises(UsageError, match=words) as error:
        Settings(**{field: value}).check()
    assert str(error.value).startswith(f"{field}=")
    assert "\n" not in str(error.value)


def test_a_program_may_write_numbers_as_people_do() -> None:
    checked = Settings(operations="1M", duration="2m", consistency="one", json=Path("x"), error_budget=5).check()
    assert (checked.operations, checked.duration, checked.consistency) == (1_000_000, 120.0, "ONE")
    assert (checked.json, checked.error_budget) == ("x", "5")
    odd = Settings(duration=1 / 3, blob_size=7, address="h").check()
    assert (odd.duration, odd.blob_size) == (1 / 3, 7)
    assert odd.check() == odd


def test_what_would_have_no_effect_can_be_left_out() -> None:
    mixed = Settings(mode="mixed", read_ratio=0.9, rate="1k", arrivals="poisson")
    writes = dataclasses.replace(mixed, mode="write", rate=None).effective()
    assert writes == Settings(mode="write")
    assert mixed.effective() == mixed.check() == mixed


def test_every_option_has_a_group_and_says_its_default() -> None:
    for name, default, option in options():
        assert option.group in GROUPS, name
        assert option.help, name
        if default is not None and not option.choices and not option.switch:
            assert "default" in option.help, f"--{name} does not say its default"


def test_settings_survive_a_document() -> None:
    settings = Settings(address="h:1", rate="5k", verify="", compression=False, tls_ca="ca.pem")
    assert Settings.from_json(settings.to_json()) == settings
    with pytest.raises(UsageError, match="novel"):
        Settings.from_json({"novel": 1})


def test_no_field_can_hold_a_secret() -> None:
    assert {field.name for field in dataclasses.fields(Settings) if "password" in field.name} == {
        "password_file",
        "password_env",
    }

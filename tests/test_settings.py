"""Settings: defaults, checks, and the way through a result document and back."""

from __future__ import annotations

import dataclasses

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
        (Settings(password_file="p"), "--user"),
        (Settings(user="u", password_file="p", password_env="E"), "--password-env"),
    ],
)
def test_what_does_not_fit_names_the_option(settings: Settings, names: str) -> None:
    with pytest.raises(UsageError, match=names):
        settings.check()


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

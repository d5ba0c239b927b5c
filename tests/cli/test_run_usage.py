"""What is asked for and cannot be: one line that names the cure, exit code 2 (or 1), before any load.

How: the command line is called in this process; what needs a database is in tests/integration/test_main_job.py.
"""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from cqlsurge.cli.main import program
from cqlsurge.database import contact_points
from cqlsurge.settings import Settings


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """Exit code and standard error of program.py."""
    try:
        code = program(list(words))
    except SystemExit as error:
        code = int(str(error.code))
    return code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--turbo"], "--turbo"),
        (["--mode", "erase"], "choose from"),
        (["--operations", "0"], "not 1 or more"),
        (["--operations", "-5"], "-5"),
        (["--operations", "many"], "many"),
        (["--concurrency", "0"], "not 1 or more"),
        (["--processes", "0"], "not 1 or more"),
        (["--read-ratio", "1.5"], "between 0 and 1"),
        (["--read-ratio", "-0.1"], "between 0 and 1"),
        (["--duration", "0"], "longer than 0"),
        (["--consistency", "MOST"], "choose from"),
        (["--keyspace", "my-keyspace"], "--keyspace"),
        (["--engine", "steam"], "no engine is called 'steam'"),
        (["--engine", "scylla-driver", "--technique", "magic"], "window"),
        (["--engine", "scylla-driver", "--technique", "batch", "--rate", "1k"], "--rate"),
        (["--runtime", "/nowhere/python"], "--runtime /nowhere/python"),
        (["--rate", "fast"], "--rate"),
        (["--verify"], "--mode read"),
        (["--user", "u", "--password-file", "/nowhere", "h"], "/nowhere"),
        (["--tls-ca", "/nowhere/ca.pem", "h"], "--tls-ca /nowhere/ca.pem"),
        (["::1"], "brackets"),
        (["host:99999"], "99999"),
        (["host:"], "no port"),
        (["--translate", "x", "127.0.0.1"], "FROM=TO"),
        (["--blob-size", "3G", "127.0.0.1"], "more than a request of CQL can carry"),
        (["--arrivals", "poisson", "127.0.0.1"], "--arrivals needs --rate"),
        (["--metrics", "x", "127.0.0.1"], "PORT or HOST:PORT"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_2(capsys: pytest.CaptureFixture[str], words: list[str], part: str) -> None:
    code, text = said(capsys, *words)
    assert code == 2
    assert part in text
    own = [line for line in text.splitlines() if not line.startswith("usage:")]
    assert len(own) == 1
    assert own[0].startswith("program.py: ")


def test_a_user_without_a_password_names_both_ways(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CQLSURGE_PASSWORD", raising=False)
    code, text = said(capsys, "--user", "u", "127.0.0.1")
    assert code == 2
    assert "CQLSURGE_PASSWORD" in text
    assert "--password-file" in text


def test_a_result_path_is_tried_before_the_run(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    precious = tmp_path / "thesis.json"
    precious.write_text('{"title": "mine"}')
    for path, part in [
        (str(tmp_path / "absent" / "r.json"), "no folder"),
        (str(tmp_path), "is a folder"),
        (str(precious), "--force"),
        ("/proc/r.json", "cannot be written"),
    ]:
        code, text = said(capsys, "127.0.0.1:1", "--json", path)
        assert code == 1
        assert part in text
        assert text.count("\n") == 1
    assert precious.read_text() == '{"title": "mine"}'


def test_an_option_beside_from_takes_what_only_the_old_one_needed_with_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "run.json"
    settings = Settings(mode="mixed", read_ratio=0.9, address="127.0.0.1:1", rate="1k", arrivals="poisson")
    path.write_text(json.dumps({"kind": "cqlsurge run", "schema": 1, "settings": settings.to_json()}))
    _, text = said(capsys, "--from", str(path), "--mode", "write")
    assert "nothing answers at 127.0.0.1:1" in text
    code, text = said(capsys, "--from", str(path), "--mode", "write", "--read-ratio", "0.5k")
    assert code == 2
    code, text = said(capsys, "--from", str(path), "--mode", "write", "--read-ratio", "0.25")
    assert (code, "--read-ratio needs --mode mixed" in text) == (2, True)


def test_nothing_listens(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        code, text = said(capsys, f"127.0.0.1:{port}")
    assert code == 1
    assert f"nothing answers at 127.0.0.1:{port}" in text


def test_a_name_without_an_address(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = said(capsys, "no-such-host.invalid")
    assert code == 1
    assert "no-such-host.invalid" in text


def test_something_else_listens(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A listener that takes connections and says nothing."""
    monkeypatch.setattr(contact_points, "ANSWER_TIMEOUT_S", 2.0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        code, text = said(capsys, f"127.0.0.1:{server.getsockname()[1]}")
    assert code == 1
    assert "CQL port" in text
    assert text.count("\n") == 1


def test_help_names_every_group_default_and_unit(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        program(["--help"])
    assert done.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    for part in ("What to do:", "How hard:", "--read-ratio", "(default 0.5)", "in bytes", "RATE", "ramp:"):
        assert part in text
    assert "usage: program.py [ADDRESS] [OPTIONS]" in text

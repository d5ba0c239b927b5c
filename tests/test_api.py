"""How: runs of the fake engine on the session's Cassandra; a subprocess for what import and Ctrl-C do; and the text of
docs/python-api.md itself, run by pytest."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import cqlsurge
from cqlsurge import CqlsurgeError, Result, Settings, compare, run
from cqlsurge.database.embedded import EmbeddedCluster
from cqlsurge.errors import UsageError

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "python-api.md").read_text(encoding="utf-8")


def settings(cassandra: EmbeddedCluster, **more: object) -> Settings:
    common = {
        "address": cassandra.address, "engine": "fake", "runtime": "cpython", "processes": 1, "keyspace": "api",
        "operations": 2000,
    }  # fmt: skip
    return Settings.from_json({**common, **more})


@pytest.fixture(scope="module")
def result(cassandra: EmbeddedCluster) -> Result:
    return run(settings(cassandra, concurrency=4))


def test_importing_the_package_imports_nothing_else() -> None:
    code = "import sys; b = set(sys.modules); import cqlsurge; print(sorted(set(sys.modules) - b))"
    said = subprocess.run([sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {code}"],
                          capture_output=True, text=True, check=True).stdout  # fmt: skip
    assert said.strip() == "['cqlsurge']"


def test_the_names_are_there_and_others_are_not() -> None:
    assert {"Settings", "run", "Result", "compare", "__version__"} <= set(dir(cqlsurge))
    for name in dir(cqlsurge):
        getattr(cqlsurge, name)
    with pytest.raises(AttributeError, match="no attribute 'runn'"):
        cqlsurge.runn  # noqa: B018


def test_a_result_has_typed_fields(result: Result) -> None:
    assert result.state == "done"
    assert result.passed
    assert result.operations.ok == result.operations.issued == 2000
    assert result.errors == {}
    assert result.throughput_ops_s > 0
    assert result.settings.concurrency == 4
    assert result.kinds == ["write"]
    assert result.latency("write") == result.latency()
    assert result.latency("write", "service").count == 2000
    assert result.latency().p50_us <= result.latency().p99_us <= result.latency().max_us
    assert result.percentile_us(99) == pytest.approx(result.latency().p99_us, rel=1e-3)
    assert result.bound_by in {"server", "client", "concurrency", "rate"}
    assert repr(result).startswith("<Result of write through fake, done: ")


def test_unknown_kinds_and_latencies_are_named(result: Result) -> None:
    with pytest.raises(UsageError, match=r"'read' .* there are write"):
        result.latency("read")
    with pytest.raises(UsageError, match="wait, service or response"):
        result.latency("write", "total")
    with pytest.raises(UsageError, match="'read'"):
        result.percentile_us(50, "read")


def test_settings_that_cannot_be_are_refused_before_anything_starts() -> None:
    for asked, words in (({"concurrency": 0}, "not 1 or more"), ({"mode": "scan"}, "there is write, read, mixed")):
        with pytest.raises(UsageError, match=words):
            run(Settings.from_json(asked))


def test_results_are_saved_loaded_and_kept(result: Result, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    result.save(path)
    assert Result.load(path) == result
    assert (tmp_path / f"{result.keep(tmp_path)}.json").exists()
    path.write_text("[1]")
    with pytest.raises(CqlsurgeError, match="something else"):
        result.save(path)


def test_results_are_compared(result: Result, cassandra: EmbeddedCluster) -> None:
    other = run(settings(cassandra, concurrency=8))
    with pytest.raises(UsageError, match="differ in concurrency"):
        compare(result, other)
    comparison = compare([result], [other], allow_different=["concurrency"])
    assert comparison["throughput"].word == "too noisy to tell"  # too short to say more


@pytest.mark.parametrize("name", ["pandas", "polars"])
def test_timelines_load_where_the_package_is_installed(
    result: Result, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = getattr(result, f"to_{name}")
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UsageError, match=rf"to_{name}\(\) needs {name}"):
        load()
    monkeypatch.undo()
    pytest.importorskip(name)
    assert len(load()) == len(result.timeline)
    assert "p99_us" in load().columns


def test_it_runs_in_a_thread_prints_nothing_and_leaves_signals_alone(
    cassandra: EmbeddedCluster, capfd: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(signal.SIGINT)
    results: list[Result] = []
    thread = threading.Thread(target=lambda: results.append(run(settings(cassandra))))
    thread.start()
    thread.join()
    run(settings(cassandra))
    assert results[0].passed
    assert signal.getsignal(signal.SIGINT) is before
    assert capfd.readouterr() == ("", "")


def test_an_interrupt_brings_what_was_measured(cassandra: EmbeddedCluster) -> None:
    code = (
        "import cqlsurge\n"
        f"settings = cqlsurge.Settings.from_json({settings(cassandra, operations=None, duration=60.0).to_json()!r})\n"
        "class Teller(cqlsurge.Listener):\n"
        "    def progress(self, progress):\n"
        "        if progress.done:\n"
        "            print('going', flush=True)\n"
        "try:\n"
        "    cqlsurge.run(settings, listener=Teller())\n"
        "except KeyboardInterrupt as interrupted:\n"
        "    print(interrupted.result.state, interrupted.result.operations.ok > 0)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "going\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.read().splitlines()[-1] == "interrupted True"


@pytest.mark.long
@pytest.mark.usefixtures("cassandra")  # skipped where there can be none
def test_the_performance_test_in_the_docs_is_short_and_passes(tmp_path: Path) -> None:
    text = next(block for block in re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL) if "def test_" in block)
    assert len(text.splitlines()) <= 15
    path = tmp_path / "test_schema_speed.py"
    path.write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--rootdir={tmp_path}", str(path)],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr

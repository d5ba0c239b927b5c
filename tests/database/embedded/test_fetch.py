"""Fetching: the real fetcher and jgo against a small Maven repository that this test serves over loopback HTTP.

The pins are of files made up here; only `test_pins_*` look at the shipped list. No network beyond loopback is used.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from held import children, gone, wait_until

from cqlsurge.database.embedded import jars
from cqlsurge.database.embedded.cache import require_space
from cqlsurge.errors import EmbeddedError

pytest.importorskip("jgo", reason="jgo is for CPython")

FETCH = """
import json, sys
from pathlib import Path
from cqlsurge.database.embedded import jars
pins = json.loads(sys.argv[2])
jars.read_pins = lambda: ("0.0", pins)
print(len(jars.ensure_jars(lambda text: print(text, flush=True)).class_path), flush=True)
"""


class Repository(ThreadingHTTPServer):
    """Serves `files` by name; notes each name asked for; `slow` names never end."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.slow: set[str] = set()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Repository

    def do_GET(self):
        name = self.path.rsplit("/", 1)[1]
        content = self.server.files.get(name)
        if content is None:
            self.send_error(404)
            return
        self.server.asked.append(name)
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[:10] if name in self.server.slow else content)
        self.wfile.flush()
        while name in self.server.slow:
            time.sleep(0.05)

    def log_message(self, format, *args):
        pass


@pytest.fixture
def repository(monkeypatch):
    with Repository() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv(jars.REPOSITORY_VARIABLE, server.url)
        yield server
        server.slow.clear()
        server.shutdown()


def make_pins(server: Repository, *names: str):
    pins = []
    for name in names:
        content = name.encode() * 1000
        server.files[f"{name}-1.jar"] = content
        digest = hashlib.sha256(content).hexdigest()
        pins.append({"group": "a.b", "artifact": name, "version": "1", "size": len(content), "sha256": digest})
        pins[-1]["file"] = f"{name}-1.jar"
    return pins


def fetch(pins, folder: Path):
    said: list[str] = []
    jars.fetch("0.0", jars.missing_jars(folder, pins), folder, said.append)
    return said


def test_pins_cover_cassandra_and_are_whole():
    version, pins = jars.read_pins()
    assert pins[0]["file"] == f"cassandra-all-{version}.jar"
    assert len({pin["file"] for pin in pins}) == len(pins) > 80
    assert all(len(pin["sha256"]) == 64 and pin["size"] > 0 for pin in pins)


@pytest.mark.parametrize("here", ["linux-x86_64", "linux-aarch_64", "osx-x86_64", "osx-aarch_64"])
def test_pins_hold_the_natives_of_each_platform(monkeypatch, here):
    monkeypatch.setattr(jars, "this_platform", lambda: here)
    natives = [pin["platform"] for pin in jars.read_pins()[1] if "platform" in pin]
    assert natives
    assert set(natives) == {here}


def test_fetch_says_what_and_how_much_and_leaves_only_jars(repository, tmp_path):
    pins = make_pins(repository, "one", "two", "jamm")
    said = fetch(pins, tmp_path)
    assert repository.url in said[0]
    assert "3 jars" in said[0]
    assert not jars.missing_jars(tmp_path, pins)
    assert sorted(path.name for path in tmp_path.iterdir()) == [jars.STAMP, "jamm-1.jar", "one-1.jar", "two-1.jar"]


def test_jar_changed_later_is_noticed_and_fetched_again(repository, tmp_path):
    pins = make_pins(repository, "one", "two")
    fetch(pins, tmp_path)
    (tmp_path / "two-1.jar").write_bytes(b"other")
    assert [pin["artifact"] for pin in jars.missing_jars(tmp_path, pins)] == ["two"]
    repository.asked.clear()
    fetch(pins, tmp_path)
    assert repository.asked == ["two-1.jar"]


def test_wrong_checksum_names_the_jar_and_keeps_none_of_it(repository, tmp_path):
    pins = make_pins(repository, "one", "two")
    repository.files["two-1.jar"] = b"x" * pins[1]["size"]
    with pytest.raises(EmbeddedError, match=r"two-1\.jar as fetched is not the file that is pinned .*try again"):
        fetch(pins, tmp_path)
    assert not (tmp_path / "two-1.jar").exists()


def test_no_network_is_one_line_with_the_cure(monkeypatch, tmp_path):
    monkeypatch.setenv(jars.REPOSITORY_VARIABLE, "http://127.0.0.1:9")
    pins = [{"group": "a", "artifact": "b", "version": "1", "size": 1, "sha256": "0" * 64, "file": "b-1.jar"}]
    with pytest.raises(EmbeddedError, match="first start needs the network") as caught:
        fetch(pins, tmp_path)
    assert "\n" not in str(caught.value)


def test_jar_that_the_repository_lacks_is_an_error(repository, tmp_path):
    pins = make_pins(repository, "one")
    repository.files.clear()
    with pytest.raises(EmbeddedError, match=r"one.*not found"):
        fetch(pins, tmp_path)


def test_no_disk_space_says_how_much_and_where(tmp_path):
    with pytest.raises(EmbeddedError, match=rf"needs \d+ MiB of disk space in {tmp_path}, which has \d+ MiB"):
        require_space(tmp_path, 10**9, "fetching Apache Cassandra")


def start_fetching(pins, cache: Path):
    return subprocess.Popen(
        [sys.executable, "-c", FETCH, "fetch", json.dumps(pins)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"XDG_CACHE_HOME": str(cache)},
    )


def test_two_at_once_fetch_once(repository, tmp_path):
    pins = make_pins(repository, "one", "jamm")
    repository.slow.add("one-1.jar")
    first = start_fetching(pins, tmp_path)
    wait_until(lambda: "one-1.jar" in repository.asked)
    second = start_fetching(pins, tmp_path)
    assert second.stdout is not None
    assert "another process fetches" in second.stdout.readline()
    repository.slow.clear()  # its answer ends early, so the first one tries it again
    for process in (first, second):
        assert process.communicate(timeout=60)[0].splitlines()[-1] == "2"
    assert repository.asked.count("jamm-1.jar") == 1


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_ended_fetch_leaves_no_process_and_goes_on_later(repository, tmp_path, how):
    pins = make_pins(repository, "one", "jamm")
    repository.slow.add("jamm-1.jar")
    process = start_fetching(pins, tmp_path)
    folder = tmp_path / "cqlsurge" / "cassandra-0.0"
    wait_until(lambda: (folder / "one-1.jar").exists() and "jamm-1.jar" in repository.asked)
    (fetcher,) = children(process.pid)
    process.send_signal(how)
    process.communicate(timeout=10)
    wait_until(lambda: gone(fetcher))
    repository.slow.clear()
    repository.asked.clear()
    assert start_fetching(pins, tmp_path).communicate(timeout=60)[0].splitlines()[-1] == "2"
    assert repository.asked == ["jamm-1.jar"]
    assert sorted(path.name for path in folder.iterdir()) == [jars.STAMP, "jamm-1.jar", "one-1.jar"]

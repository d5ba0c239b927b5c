"""Maintainer's script, not a test: pins the jars of a Cassandra version in cqlsurge/database/embedded/jars.json.

`uv run python tests/database/embedded/pin_jars.py 5.0.9` resolves cassandra-all with jgo, fetches each jar once and
writes its coordinates, size and SHA-256; natives of one platform are marked with it, those of others are left out.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jgo.maven import Artifact, MavenContext

PINS = Path(__file__).resolve().parents[3] / "cqlsurge" / "database" / "embedded" / "jars.json"
PLATFORMS = ("linux-x86_64", "linux-aarch_64", "osx-x86_64", "osx-aarch_64")
UNUSED = ("windows-x86_64", "linux-riscv64")


def pin(artifact: Artifact) -> dict[str, object]:
    content = artifact.resolve().read_bytes()
    entry: dict[str, object] = {"group": artifact.groupId, "artifact": artifact.artifactId, "version": artifact.version}
    if artifact.classifier:
        entry["classifier"] = artifact.classifier
    if artifact.classifier in PLATFORMS:
        entry["platform"] = artifact.classifier
    return entry | {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def main(version: str) -> None:
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(8) as pool:
        context = MavenContext(repo_cache=Path(folder), timeout=60)
        wanted = context.create_dependency(f"org.apache.cassandra:cassandra-all:{version}")
        inputs, rest = context.resolver.resolve([wanted])
        artifacts = [
            dependency.artifact for dependency in inputs + rest if dependency.artifact.classifier not in UNUSED
        ]
        jars = sorted(pool.map(pin, artifacts), key=lambda jar: (jar["artifact"], jar.get("classifier", "")))
    lines = ",\n".join(f"  {json.dumps(jar)}" for jar in jars)
    PINS.write_text(f'{{"cassandra": "{version}", "jars": [\n{lines}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])

"""What one Cassandra node is told: cassandra.yaml, logback.xml and the JVM's options, written into its folder.

Everything is bound to the node's loopback address; there is no JMX port. Tuned to start fast and to leave a small
machine room: a small first heap (Cassandra locks what the JVM has committed at its start), no wait for gossip, fixed
tokens that share the ring out evenly, and no snapshots.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from cqlsurge.database.embedded.certificates import Certificates
    from cqlsurge.database.embedded.jars import Jars

TOKENS_A_NODE = 16
FIRST_HEAP_MB = 128

# From conf/jvm-server.options, jvm11- and jvm17-server.options of Apache Cassandra 5.0.
EXPORTS = (
    "java.base/jdk.internal.misc", "java.base/jdk.internal.ref", "java.base/jdk.internal.util",
    "java.base/java.lang.ref", "java.base/sun.nio.ch", "java.management.rmi/com.sun.jmx.remote.internal.rmi",
    "java.rmi/sun.rmi.registry", "java.rmi/sun.rmi.server", "java.sql/java.sql", "jdk.unsupported/sun.misc",
    "jdk.attach/sun.tools.attach",
)  # fmt: skip
OPENS = (
    "java.base/java.io", "java.base/java.lang", "java.base/java.lang.module", "java.base/java.lang.reflect",
    "java.base/java.nio", "java.base/java.util", "java.base/jdk.internal.loader", "java.base/jdk.internal.math",
    "java.base/jdk.internal.module", "java.base/jdk.internal.ref", "java.base/jdk.internal.reflect",
    "java.base/jdk.internal.util.jar", "java.base/sun.nio.ch", "jdk.management/com.sun.management.internal",
)  # fmt: skip
JVM = (
    "-Djava.net.preferIPv4Stack=true",
    "-Djava.awt.headless=true",
    "-Djdk.attach.allowAttachSelf=true",
    "-Dio.netty.tryReflectionSetAccessible=true",
    "-Dio.netty.allocator.useCacheForAllThreads=true",
    "-Dio.netty.allocator.maxOrder=11",
    "-XX:+UseG1GC",
    "-XX:+ParallelRefProcEnabled",
    "-XX:MaxGCPauseMillis=300",
    "-XX:+ExitOnOutOfMemoryError",  # a node without memory is a dead node, and seen as one
    "-XX:+PerfDisableSharedMem",  # no file outside the node's folder
    "-XX:-UsePerfData",
    "-Dcassandra-foreground=yes",
    "-Dcassandra.skip_wait_for_gossip_to_settle=0",
    "-Dcassandra.shutdown_announce_in_ms=0",
    "-Dcassandra.superuser_setup_delay_ms=0",
)
LOGBACK = """\
<configuration>
  <appender name="FILE" class="ch.qos.logback.core.FileAppender">
    <file>${cassandra.logdir}/system.log</file>
    <encoder><pattern>%-5level %date{ISO8601} [%thread] %logger{0}: %msg%n</pattern></encoder>
  </appender>
  <logger name="org.apache.cassandra.db" level="WARN"/>
  <logger name="org.apache.cassandra.index" level="WARN"/>
  <root level="INFO"><appender-ref ref="FILE"/></root>
</configuration>
"""


@dataclass(frozen=True)
class ClusterConfig:
    """What the nodes of one cluster have in common."""

    addresses: list[str]
    cql_port: int
    storage_port: int
    heap_mb: int
    auth: bool
    certificates: Certificates | None
    client_certificates: bool  # each client must show one

    def seed(self) -> str:
        return ",".join(f"{address}:{self.storage_port}" for address in self.addresses)


def tokens(node: int, nodes: int) -> list[int]:
    """The tokens of a node (from 0): spaced evenly over the ring, the nodes taking turns."""
    step = 2**64 // (TOKENS_A_NODE * nodes)
    return [-(2**63) + (turn * nodes + node) * step for turn in range(TOKENS_A_NODE)]


def cassandra_yaml(config: ClusterConfig, node: int, folder: Path) -> dict[str, Any]:
    """The settings of a node (from 0); JSON is YAML, so the caller writes it as such."""
    settings: dict[str, Any] = {
        "cluster_name": "cqlsurge",
        "num_tokens": TOKENS_A_NODE,
        "initial_token": ",".join(map(str, tokens(node, len(config.addresses)))),
        "partitioner": "org.apache.cassandra.dht.Murmur3Partitioner",
        "endpoint_snitch": "SimpleSnitch",  # datacenter1, rack1
        "seed_provider": [
            {
                "class_name": "org.apache.cassandra.locator.SimpleSeedProvider",
                "parameters": [{"seeds": config.seed()}],
            }
        ],
        "auto_bootstrap": False,
        "listen_address": config.addresses[node],
        "rpc_address": config.addresses[node],
        "storage_port": config.storage_port,
        "native_transport_port": config.cql_port,
        "data_file_directories": [str(folder / "data")],
        "commitlog_directory": str(folder / "commitlog"),
        "saved_caches_directory": str(folder / "saved_caches"),
        "hints_directory": str(folder / "hints"),
        "cdc_raw_directory": str(folder / "cdc_raw"),
        "commitlog_sync": "periodic",
        "commitlog_sync_period": "10000ms",
        "commitlog_total_space": "512MiB",
        "auto_snapshot": False,
        "materialized_views_enabled": True,  # off by default since Cassandra 4
        "concurrent_compactors": 1,
        # A noisy small machine should not make timeouts of its own.
        "read_request_timeout": "10s",
        "write_request_timeout": "10s",
        "range_request_timeout": "20s",
        "request_timeout": "20s",
    }
    if config.auth:
        settings |= {"authenticator": "PasswordAuthenticator", "authorizer": "CassandraAuthorizer"}
    if config.certificates:
        settings["client_encryption_options"] = {
            "enabled": True,
            "optional": False,
            "require_client_auth": config.client_certificates,
            "ssl_context_factory": {"class_name": "org.apache.cassandra.security.PEMBasedSslContextFactory"},
            "keystore": str(config.certificates.server),
            "truststore": str(config.certificates.ca),
        }
    return settings


def write_node(config: ClusterConfig, node: int, folder: Path, jars: Jars) -> Path:
    """Write a node's files; the path of the file of arguments for `java`."""
    conf = folder / "conf"
    for needed in (conf, folder / "logs", folder / "tmp"):
        needed.mkdir(parents=True, exist_ok=True)
    yaml, logback, arguments = conf / "cassandra.yaml", conf / "logback.xml", conf / "java.arguments"
    yaml.write_text(json.dumps(cassandra_yaml(config, node, folder), indent=1), encoding="utf-8")
    logback.write_text(LOGBACK, encoding="utf-8")
    replicas = len(config.addresses)
    # Nodes that start together forget each other when one is silent for this long before it has joined.
    ring_delay_ms = 1 if replicas == 1 else 2000
    options = [
        *JVM,
        *(f"--add-exports={package}=ALL-UNNAMED" for package in EXPORTS),
        *(f"--add-opens={package}=ALL-UNNAMED" for package in OPENS),
        f"-Dcassandra.ring_delay_ms={ring_delay_ms}",
        f"-Xms{min(FIRST_HEAP_MB, config.heap_mb)}m",
        f"-Xmx{config.heap_mb}m",
        f"-javaagent:{jars.jamm}",
        f"-Djava.io.tmpdir={folder / 'tmp'}",
        f"-Djna.tmpdir={folder / 'tmp'}",
        f"-XX:ErrorFile={folder / 'logs' / 'hs_err.log'}",
        f"-Dcassandra.config={yaml.as_uri()}",
        f"-Dlogback.configurationFile={logback}",
        f"-Dcassandra.logdir={folder / 'logs'}",
        f"-Dcassandra.storagedir={folder}",
        *(f"-Dcassandra.system_{name}.default_rf={replicas}" for name in ("auth", "distributed", "traces")),
        "-cp",
        ":".join(map(str, jars.class_path)),
        "org.apache.cassandra.service.CassandraDaemon",
    ]
    arguments.write_text("".join(f"{quoted(option)}\n" for option in options), encoding="utf-8")
    return arguments


def quoted(option: str) -> str:
    """An option as java's @file syntax wants it: quoted, with backslashes and quotes escaped."""
    escaped = option.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'

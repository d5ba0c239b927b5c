"""Whether a node's shard-aware port survives the path to it: NAT changes the source port, and the shard with it.

The node picks the shard from the client's port, modulo its number of shards, and SUPPORTED tells which one it was
(ScyllaDB, docs/dev/protocol-extensions.md).
"""

from __future__ import annotations

import random
import socket
import ssl

from cqlsurge.errors import ClusterError
from cqlsurge.load.cql.errors import ProtocolError
from cqlsurge.load.cql.extensions import Extensions
from cqlsurge.load.cql.frames import CLIENT, FrameDecoder, encode_frame
from cqlsurge.load.cql.requests import Options
from cqlsurge.load.cql.responses import Supported, decode_response
from cqlsurge.load.engines.contract import Node

PORTS = range(49152, 65536)
ATTEMPTS = 64
TIMEOUT_S = 5.0


def reached_shard(node: Node, shard: int, context: ssl.SSLContext | None = None) -> int | None:
    """The shard that a connection meant for `shard` arrives at; None if the node does not say. Raises ClusterError."""
    assert node.shard_aware_port is not None
    with _connect(node, shard) as raw:
        sock = context.wrap_socket(raw, server_hostname=node.certificate_name or node.address) if context else raw
        sock.sendall(encode_frame(Options.opcode, Options().encode_body()))
        decoder = FrameDecoder(CLIENT)
        try:
            while True:
                data = sock.recv(65536)
                if not data:
                    raise ClusterError(f"{node.address}:{node.shard_aware_port} closes the connection")
                for frame in decoder.feed(data):
                    answer = decode_response(frame)
                    if isinstance(answer, Supported):
                        sharding = Extensions.from_supported(answer.options).sharding
                        return None if sharding is None else sharding.shard
        except (OSError, ProtocolError) as error:
            raise ClusterError(f"no answer from {node.address}:{node.shard_aware_port}: {error}") from error


def _connect(node: Node, shard: int) -> socket.socket:
    """A connection whose source port leads to the shard."""
    family, _, _, _, place = socket.getaddrinfo(node.address, node.shard_aware_port, type=socket.SOCK_STREAM)[0]
    candidates = [port for port in PORTS if port % node.shards == shard]
    last: OSError | None = None
    for port in random.sample(candidates, min(ATTEMPTS, len(candidates))):
        sock = socket.socket(family)
        sock.settimeout(TIMEOUT_S)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("", port))
        except OSError as error:
            sock.close()
            last = error
            continue
        try:
            sock.connect(place)
        except OSError as error:
            sock.close()
            raise ClusterError(
                f"nothing answers at the shard-aware port {node.address}:{node.shard_aware_port} ({error}): "
                "open it, or expect connections through the ordinary port"
            ) from error
        return sock
    raise ClusterError(f"no free source port for shard {shard}: {last}")

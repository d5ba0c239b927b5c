"""Whether our servers answer in the form of a real one: what a live Cassandra sends for each kind of result, captured.

How: the same requests, with and without LZ4, to the embedded Cassandra, the simulator and the null server. Of each
answer the form is kept (header, flags, kinds, metadata, numbers of rows, lengths of cells), which must be the same.
Ids, paging states and texts of errors are each server's own.
"""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from cqlsurge.load.cql.compression import Compressor
from cqlsurge.load.cql.envelope import open_frame, seal_frame
from cqlsurge.load.cql.frames import CLIENT, FLAG_COMPRESSED, OP_RESULT, Frame, FrameDecoder
from cqlsurge.load.cql.primitives import Consistency
from cqlsurge.load.cql.requests import Batch, BatchStatement, Execute, Prepare, Query, QueryParameters, Request, Startup
from cqlsurge.load.cql.responses import decode_response
from cqlsurge.load.cql.results import Prepared, Rows
from cqlsurge.load.cql.server_errors import ErrorResponse
from tests.integration.wire_support import simulator

if TYPE_CHECKING:
    from pathlib import Path

    from cqlsurge.database.embedded import EmbeddedCluster

pytestmark = pytest.mark.cassandra
VALUE = bytes(range(250)) * 4
KEY, ELSE = UUID(int=5).bytes, UUID(int=6).bytes
WRITE = "INSERT INTO forms.kv (key, value) VALUES (?, ?)"
READ = "SELECT key, value FROM forms.kv WHERE key = ?"
READ_ONE = "SELECT value FROM forms.kv WHERE key = ?"


class Client:
    """One connection, one request at a time."""

    def __init__(self, host: str, port: int, compression: bool) -> None:
        self.socket = socket.create_connection((host, port), timeout=30)
        self.decoder = FrameDecoder(CLIENT)
        self.compressor: Compressor | None = None
        self.ask(Startup({"CQL_VERSION": "3.0.0", **({"COMPRESSION": "lz4"} if compression else {})}))
        self.compressor = Compressor() if compression else None

    def ask(self, request: Request) -> Frame:
        self.socket.sendall(seal_frame(request.opcode, request.encode_body(), 3))
        while True:
            for frame in self.decoder.feed(self.socket.recv(65536)):
                return frame

    def form(self, request: Request) -> Any:
        """Everything about the answer that is not this server's own."""
        frame = self.ask(request)
        plain = open_frame(frame, self.compressor).frame
        message = decode_response(plain)
        head = (frame.version, frame.flags, frame.stream, frame.opcode)
        if isinstance(message, ErrorResponse):
            return head, message.code
        if isinstance(message, Rows):
            cells = [[None if cell is None else len(cell) for cell in row] for row in message.rows]
            metadata = struct.unpack_from(">iii", plain.body)
            return head, metadata, message.columns, message.paging_state is not None, cells
        if isinstance(message, Prepared):
            return head, message.columns, message.pk_indexes, message.result_columns, message.flags
        return head, message, plain.body

    def prepared(self, text: str) -> bytes:
        message = decode_response(open_frame(self.ask(Prepare(text)), self.compressor).frame)
        assert isinstance(message, Prepared)
        return message.statement_id


def set_up(client: Client) -> None:
    client.ask(Query("DROP KEYSPACE IF EXISTS forms"))
    client.ask(Query("CREATE KEYSPACE forms WITH replication = {'class': 'NetworkTopologyStrategy', 'datacenter1': 1}"))
    client.ask(Query("CREATE TABLE forms.kv (key uuid PRIMARY KEY, value blob)"))


def plain_forms(client: Client) -> dict[str, Any]:
    """What load is made of: these the null server knows too."""
    write, read, one = (client.prepared(text) for text in (WRITE, READ, READ_ONE))
    row = (KEY, VALUE)
    return {
        "prepare a write": client.form(Prepare(WRITE)),
        "prepare a read": client.form(Prepare(READ)),
        "write": client.form(Execute(write, QueryParameters(values=row, skip_metadata=True, timestamp_us=5))),
        "write again": client.form(Execute(write, QueryParameters(values=row, skip_metadata=True, timestamp_us=6))),
        "read": client.form(Execute(read, QueryParameters(values=(KEY,), skip_metadata=True))),
        "read again": client.form(Execute(read, QueryParameters(values=(KEY,), skip_metadata=True))),
        "read with names": client.form(Execute(read, QueryParameters(values=(KEY,)))),
        "read one column": client.form(Execute(one, QueryParameters(values=(KEY,), skip_metadata=True))),
        "batch": client.form(Batch((BatchStatement(write, row), BatchStatement(write, row)))),
        "not prepared": client.form(Execute(b"0123456789abcdef", QueryParameters(values=(KEY,)))),
    }


def other_forms(client: Client) -> dict[str, Any]:
    """What only a server with a memory can answer."""
    read, scan = client.prepared(READ), client.prepared("SELECT key FROM forms.kv")
    once = client.prepared("INSERT INTO forms.kv (key, value) VALUES (?, ?) IF NOT EXISTS")
    client.ask(Query("INSERT INTO forms.kv (key, value) VALUES (00000000-0000-0000-0000-000000000006, 0x00)"))
    serial = QueryParameters(values=(KEY, VALUE), skip_metadata=True, serial_consistency=Consistency.LOCAL_SERIAL)
    return {
        "no row": client.form(Execute(read, QueryParameters(values=(UUID(int=9).bytes,), skip_metadata=True))),
        "first page": client.form(Execute(scan, QueryParameters(values=(), skip_metadata=True, page_size=1))),
        "all pages": client.form(Execute(scan, QueryParameters(values=(), skip_metadata=True))),
        "not applied": client.form(Execute(once, serial)),
        "use": client.form(Query("USE forms")),
        "syntax": client.form(Query("SELEKT")),
        "no table": client.form(Query("SELECT * FROM forms.nothing")),
        "create": client.form(Query("CREATE TABLE forms.other (a int PRIMARY KEY)")),
        "alter": client.form(Query("ALTER TABLE forms.other ADD b int")),
        "drop": client.form(Query("DROP TABLE forms.other")),
    }


@pytest.mark.parametrize("compression", [False, True])
def test_our_servers_answer_as_a_real_one(cassandra: EmbeddedCluster, tmp_path: Path, compression: bool) -> None:
    real = Client(cassandra.host, cassandra.port, compression)
    set_up(real)
    wanted = plain_forms(real)
    assert wanted["read"][1][1] == 5  # the bit of one table, though names are left out
    assert (wanted["write"][0][1] == FLAG_COMPRESSED) is compression
    assert wanted["write"][0][3] == OP_RESULT
    others = other_forms(real)
    for folder, options, all_of_them in (("full", (), True), ("null", ("--null",), False)):
        (tmp_path / folder).mkdir()
        with simulator(tmp_path / folder, "--like", "cassandra", *options) as started:
            ours = Client(started.host, started.port, compression)
            set_up(ours)
            assert plain_forms(ours) == wanted
            if all_of_them:
                assert other_forms(ours) == others

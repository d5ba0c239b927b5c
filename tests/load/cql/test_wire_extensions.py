"""ScyllaDB's extensions: options of SUPPORTED there and back, contradictions, the tablet payload byte by byte."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire_examples import A_UUID

from cqlsurge.load.cql import extensions as ext
from cqlsurge.load.cql.errors import ProtocolError
from cqlsurge.load.cql.extensions import Extensions, Replica, Sharding, TabletRange

SCYLLA = {
    "SCYLLA_SHARD": ["3"],
    "SCYLLA_NR_SHARDS": ["8"],
    "SCYLLA_SHARDING_IGNORE_MSB": ["12"],
    "SCYLLA_SHARDING_ALGORITHM": ["biased-token-round-robin"],
    "SCYLLA_PARTITIONER": ["org.apache.cassandra.dht.Murmur3Partitioner"],
    "SCYLLA_SHARD_AWARE_PORT": ["19042"],
    "SCYLLA_RATE_LIMIT_ERROR": ["ERROR_CODE=61440"],
    "SCYLLA_LWT_ADD_METADATA_MARK": ["LWT_OPTIMIZATION_META_BIT_MASK=2147483648"],
    "TABLETS_ROUTING_V1": [""],
    "SCYLLA_HOST_ID": [str(A_UUID)],
}
EXTENSIONS = Extensions(Sharding(3, 8), 19042, None, 0xF000, 0x80000000, True, str(A_UUID))


def test_what_scylladb_says():
    assert Extensions.from_supported({"CQL_VERSION": ["3.0.0"], **SCYLLA}) == EXTENSIONS
    assert EXTENSIONS.to_supported() == SCYLLA
    assert EXTENSIONS.sharding.known


def test_cassandra_says_nothing_of_it():
    assert Extensions.from_supported({"CQL_VERSION": ["3.4.6"], "COMPRESSION": ["lz4"]}) == Extensions()
    assert Extensions().to_supported() == {}


@given(
    st.builds(
        Extensions,
        st.none() | st.integers(1, 300).flatmap(lambda n: st.builds(Sharding, st.integers(0, n - 1), st.just(n))),
        st.none() | st.integers(1, 65535),
        st.none() | st.integers(1, 65535),
        st.none() | st.integers(-(1 << 31), (1 << 31) - 1),
        st.none() | st.integers(0, (1 << 32) - 1),
        st.booleans(),
        st.none() | st.uuids().map(str),
    )
)
def test_any_extensions_there_and_back(extensions):
    assert Extensions.from_supported(extensions.to_supported()) == extensions


@given(st.dictionaries(st.sampled_from(sorted(SCYLLA)), st.lists(st.text(max_size=12) | st.just("5"), max_size=3)))
def test_any_options_give_extensions_or_the_one_error(options):
    try:
        Extensions.from_supported(options)
    except ProtocolError:
        return


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"SCYLLA_SHARD": []}, "only some of"),
        ({"SCYLLA_NR_SHARDS": ["2"]}, "shard 3 of 2"),
        ({"SCYLLA_NR_SHARDS": ["0"]}, "SCYLLA_NR_SHARDS = '0'"),
        ({"SCYLLA_SHARD": ["-1"]}, "SCYLLA_SHARD = '-1'"),
        ({"SCYLLA_SHARD": ["x"]}, "SCYLLA_SHARD = 'x'"),
        ({"SCYLLA_SHARD": ["9" * 9999]}, "a number from 0"),
        ({"SCYLLA_SHARDING_IGNORE_MSB": ["64"]}, "IGNORE_MSB = '64'"),
        ({"SCYLLA_SHARD_AWARE_PORT": ["65536"]}, "PORT = '65536'"),
        ({"SCYLLA_RATE_LIMIT_ERROR": ["ERROR_CODE=0x1"]}, "'0x1'"),
    ],
)
def test_contradictions(change, says):
    with pytest.raises(ProtocolError, match=says):
        Extensions.from_supported({**SCYLLA, **change})


def test_an_unknown_algorithm_or_partitioner_cannot_be_computed():
    assert not dataclasses.replace(EXTENSIONS.sharding, algorithm="other").known
    assert not dataclasses.replace(EXTENSIONS.sharding, partitioner="org.apache.cassandra.dht.RandomPartitioner").known
    assert dataclasses.replace(EXTENSIONS.sharding, partitioner="x.partitioners.Murmur3Partitioner").known


def test_what_startup_asks_for():
    asked = {"SCYLLA_RATE_LIMIT_ERROR": "", "SCYLLA_LWT_ADD_METADATA_MARK": "2147483648"}
    assert EXTENSIONS.startup_options(tablets_routing=False) == asked
    assert EXTENSIONS.startup_options(tablets_routing=True) == {**asked, "TABLETS_ROUTING_V1": ""}
    assert Extensions().startup_options(tablets_routing=True) == {}


TABLET = TabletRange(-2, 5, (Replica(A_UUID, 1),))
TABLET_BYTES = bytes.fromhex(
    "00000008" "fffffffffffffffe" "00000008" "0000000000000005"
    "00000024" "00000001" "0000001c" "00000010" + A_UUID.hex + "00000004" "00000001"
)  # fmt: skip


def test_the_tablet_payload():
    assert ext.encode_tablet(TABLET).hex() == TABLET_BYTES.hex()
    assert ext.decode_tablet({ext.TABLETS_PAYLOAD: TABLET_BYTES}) == TABLET
    assert ext.decode_tablet({ext.TABLETS_PAYLOAD: ext.encode_tablet(TabletRange(0, 1, ()))}).replicas == ()


@pytest.mark.parametrize("payload", [None, {}, {"other": b""}, {ext.TABLETS_PAYLOAD: None}])
def test_no_tablet_in_the_payload(payload):
    assert ext.decode_tablet(payload) is None


def test_a_tablet_payload_cut_at_every_byte():
    for end in range(len(TABLET_BYTES)):
        with pytest.raises(ProtocolError):
            ext.decode_tablet({ext.TABLETS_PAYLOAD: TABLET_BYTES[:end]})
    with pytest.raises(ProtocolError):
        ext.decode_tablet({ext.TABLETS_PAYLOAD: TABLET_BYTES + b"\0"})

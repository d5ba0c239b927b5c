"""Tokens against scylla-driver's C extension and the published vectors.

How: each implementation that this interpreter can run is compared with `cassandra.cmurmur3` on seeded random keys of
every length from 0 to 255; PyPy's own is run in a PyPy process over the same keys.
"""

from __future__ import annotations

import json
import random
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from cqlsurge.load.routing import murmur3, murmur3_ints

cmurmur3 = pytest.importorskip("cassandra.cmurmur3", reason="scylla-driver has no C extension here")

ROOT = Path(__file__).resolve().parents[3]
VECTORS = [
    (b"", 0),
    (b"123", -7468325962851647638),
    (b"\x00\xff\x10\xfa\x99" * 10, 5837342703291459765),
    (b"\xfe" * 8, -8927430733708461935),
    (b"\x10" * 8, 1446172840243228796),
    (b"9223372036854775807", 7162290910810015547),
    (struct.pack(">q", 1), 6292367497774912474),
    (struct.pack(">q", -1), 7071048584287372947),
    (struct.pack(">i", 1), -4069959284402364209),
]
IMPLEMENTATIONS = {murmur3.IMPLEMENTATION: murmur3, "ints": murmur3_ints}


def random_keys(per_length: int, longest: int = 255, seed: int = 20) -> list[bytes]:
    draw = random.Random(seed)
    return [draw.randbytes(length) for length in range(longest + 1) for _ in range(per_length)]


@pytest.fixture(params=sorted(IMPLEMENTATIONS))
def implementation(request):
    return IMPLEMENTATIONS[request.param]


def test_published_vectors(implementation):
    assert [implementation.token(key) for key, _ in VECTORS] == [token for _, token in VECTORS]


@pytest.mark.skipif(murmur3.IMPLEMENTATION != "c", reason="no C extension here")
def test_a_million_keys_through_the_c_extension():
    token, expected = murmur3.token, cmurmur3.murmur3
    for key in random_keys(per_length=4000):
        assert token(key) == expected(key)


def test_random_keys_of_every_length_in_plain_integers():
    for key in random_keys(per_length=60):
        assert murmur3_ints.token(key) == cmurmur3.murmur3(key), key.hex()


def test_halves_are_the_same_key(implementation):
    draw = random.Random(5)
    for _ in range(2000):
        key = draw.randbytes(16)
        assert implementation.token_of_halves(*struct.unpack("<QQ", key)) == implementation.token(key)
        assert implementation.token_of_halves(*struct.unpack("<qq", key)) == implementation.token(key)


def test_the_smallest_integer_becomes_the_largest(monkeypatch):
    """No key is known that hashes to the smallest integer, so the last step is fed with it directly."""
    monkeypatch.setattr(murmur3_ints, "_avalanche", lambda _: 1 << 62)
    assert murmur3_ints.token(b"any") == (1 << 63) - 1


def test_numpy_forms_agree():
    np = pytest.importorskip("numpy")
    from cqlsurge.load.routing import murmur3_numpy
    from cqlsurge.load.routing.sharding import shard_of_token

    keys = random.Random(6).randbytes(16 * 20000)
    tokens = murmur3_numpy.tokens_of_keys(keys)
    assert tokens.tolist() == [cmurmur3.murmur3(keys[at : at + 16]) for at in range(0, len(keys), 16)]
    matrix = np.frombuffer(keys, dtype=np.uint8).reshape(-1, 16)
    assert (murmur3_numpy.tokens_of_keys(matrix) == tokens).all()
    for shard_count, ignore_msb in ((1, 12), (3, 12), (8, 0), (100, 20)):
        shards = murmur3_numpy.shards_of_tokens(tokens, shard_count, ignore_msb)
        assert shards.tolist() == [shard_of_token(token, shard_count, ignore_msb) for token in tokens.tolist()]


ON_PYPY = """
import json, struct, sys
from cqlsurge.load.routing import murmur3
from cqlsurge.load.routing.sharding import shard_of_token
keys = [bytes.fromhex(key) for key in json.load(sys.stdin)]
halves = [struct.unpack("<qq", key) for key in keys if len(key) == 16]
tokens = [murmur3.token(key) for key in keys]
json.dump({
    "implementation": murmur3.IMPLEMENTATION,
    "tokens": tokens,
    "halves": [murmur3.token_of_halves(*pair) for pair in halves],
    "shards": [shard_of_token(token, 7, 12) for token in tokens],
}, sys.stdout)
"""


@pytest.mark.pypy
@pytest.mark.parametrize("name", ["pypy3.11", "pypy3"])
def test_pypy_agrees(name):
    from cqlsurge.load.routing.sharding import shard_of_token

    pypy = shutil.which(name)
    if pypy is None:
        pytest.skip(f"no {name} on PATH")
    keys = [key for key, _ in VECTORS] + random_keys(per_length=60)
    done = subprocess.run(
        [pypy, "-c", ON_PYPY], input=json.dumps([key.hex() for key in keys]), cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    expected = [cmurmur3.murmur3(key) for key in keys]
    assert said["implementation"] == "intop"
    assert said["tokens"] == expected
    assert said["halves"] == [token for key, token in zip(keys, expected, strict=True) if len(key) == 16]
    assert said["shards"] == [shard_of_token(token, 7, 12) for token in expected]


def test_nothing_but_the_standard_library_is_needed():
    code = "from cqlsurge.load.routing import keys, murmur3, ring, sharding, tablets; print(murmur3.IMPLEMENTATION)"
    bare = f"import sys; sys.path.insert(0, {str(ROOT)!r}); {code}"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", bare], capture_output=True, text=True)
    assert done.stdout.strip() in ("ints", "intop"), done.stderr

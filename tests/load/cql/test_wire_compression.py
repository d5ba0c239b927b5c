"""LZ4: the layout by hand, there and back, lies about lengths, and each way to it that this interpreter has."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cqlsurge.load.cql import compression
from cqlsurge.load.cql.compression import Compressor, lz4_support
from cqlsurge.load.cql.errors import ProtocolError

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.skipif(lz4_support().block is None, reason=lz4_support().reason)

# token: 4 literals, match of 4 + 15 + 26; "abcd"; offset 4; the rest of the match's length; token: 5 literals; "efghi"
BLOCK = bytes.fromhex("4f6162636404001a50") + b"efghi"
PLAIN = b"abcd" + (b"abcd" * 12)[:45] + b"efghi"


def test_the_length_is_big_endian_before_a_raw_block():
    assert Compressor().decompress(len(PLAIN).to_bytes(4, "big") + BLOCK) == PLAIN
    assert Compressor().compress(b"x" * 1000)[:4] == (1000).to_bytes(4, "big")


@given(st.binary(max_size=50), st.integers(1, 100))
def test_there_and_back(part, times):
    plain = part * times
    compressed = Compressor().compress(plain)
    if compressed is not None:
        assert len(compressed) < len(plain)
        assert Compressor().decompress(compressed) == plain


def test_what_would_not_shrink_stays_plain():
    compressor = Compressor()
    assert compressor.compress(b"") is None
    assert compressor.compress(b"\0\0\0\1") is None
    assert compressor.compress(os.urandom(1000)) is None


def test_a_body_that_holds_nothing():
    assert Compressor().decompress(b"\0\0\0\0\0") == b""


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"\0\0\0", "3 bytes"),
        (b"\0\0\0\x36", "is no LZ4 block"),
        (b"\0\0\0\x35" + BLOCK, "is no LZ4 block of 53"),
        (b"\0\0\0\x37" + BLOCK, "is no LZ4 block of 55"),
        (b"\0\0\0\x36" + BLOCK[:-1], "is no LZ4 block"),
        (b"\0\0\0\x36" + b"\xff" * 14, "is no LZ4 block"),
        (b"\0\1\0\1" + BLOCK, "the limit is 65536"),
        (b"\0\0\xff\xff" + BLOCK, "that claims to hold 65535"),
    ],
)
def test_bodies_that_cannot_be(body, says):
    with pytest.raises(ProtocolError, match=says):
        Compressor(max_bytes=65536).decompress(body)


@pytest.mark.parametrize("load", [compression._from_package, compression._from_library])
def test_each_way_to_lz4_that_is_here(load):
    try:
        name, compress, decompress = load()
    except (ImportError, OSError) as error:
        pytest.skip(str(error))
    assert name
    assert decompress(BLOCK, len(PLAIN)) == PLAIN
    assert decompress(compress(PLAIN), len(PLAIN)) == PLAIN
    assert decompress(b"", 5) is None
    assert decompress(BLOCK, 5) is None


def test_an_interpreter_without_lz4_says_why():
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); sys.modules['lz4'] = sys.modules['cffi'] = None\n"
        "from cqlsurge.load.cql.compression import Compressor, lz4_support\n"
        "assert lz4_support().block is None\n"
        "try:\n    Compressor()\nexcept RuntimeError as error:\n    sys.stdout.write(str(error))\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.startswith("no LZ4 here (package lz4: ")
    assert said.endswith("install the package lz4, or liblz4 and cffi")

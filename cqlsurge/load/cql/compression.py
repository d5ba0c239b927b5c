"""LZ4 of frame bodies: 4 bytes big-endian length of the plain body, then a raw LZ4 block.

The specification names "lz4"; the length prefix and its byte order are those of Cassandra's FrameCompressor and of all
drivers. Package `lz4` where it is installed, else liblz4 through cffi (which PyPy ships), else unavailable.
"""

from __future__ import annotations

import ctypes.util
import functools
import struct
from typing import Any, Callable, NamedTuple, Optional

from cqlsurge.load.cql.errors import ProtocolError
from cqlsurge.load.cql.frames import MAX_FRAME_BYTES

_LENGTH = struct.Struct(">I")
# An LZ4 block cannot hold more: each byte of a length adds at most 255.
_MAX_RATIO = 255
_RATIO_SLACK_BYTES = 64
_MAX_INPUT_BYTES = 0x7E000000  # LZ4_MAX_INPUT_SIZE

# a raw block of plain bytes; plain bytes of a raw block and their exact length, or None where it is no such block
_Block = tuple[str, Callable[[bytes], bytes], Callable[[bytes, int], Optional[bytes]]]


def _from_package() -> _Block:
    import lz4.block

    def decompress(block: bytes, length: int) -> bytes | None:
        try:
            plain = lz4.block.decompress(block, uncompressed_size=length)
        except (lz4.block.LZ4BlockError, ValueError):
            return None
        return bytes(plain) if len(plain) == length else None

    def compress(plain: bytes) -> bytes:
        return bytes(lz4.block.compress(plain, store_size=False))

    return f"lz4 {lz4.__version__}", compress, decompress


def _from_library() -> _Block:
    import cffi

    ffi: Any = cffi.FFI()
    ffi.cdef(
        """
        int LZ4_compressBound(int size);
        int LZ4_compress_default(const char *src, char *dst, int size, int capacity);
        int LZ4_decompress_safe(const char *src, char *dst, int size, int capacity);
        const char *LZ4_versionString(void);
        """
    )
    library: Any = ffi.dlopen(ctypes.util.find_library("lz4") or "liblz4.so.1")

    def compress(plain: bytes) -> bytes:
        capacity = library.LZ4_compressBound(len(plain))
        room = ffi.new("char[]", capacity)
        size = library.LZ4_compress_default(ffi.from_buffer(plain), room, len(plain), capacity)
        return bytes(ffi.buffer(room, size))

    def decompress(block: bytes, length: int) -> bytes | None:
        room = ffi.new("char[]", length + 1)
        size = library.LZ4_decompress_safe(ffi.from_buffer(block), room, len(block), length)
        return bytes(ffi.buffer(room, length)) if size == length else None

    version = ffi.string(library.LZ4_versionString()).decode()
    return f"liblz4 {version} through cffi", compress, decompress


class Support(NamedTuple):
    """Whether this interpreter has LZ4: `name` of what does it, or the `reason` why nothing can."""

    name: str
    reason: str
    block: _Block | None = None


@functools.cache
def lz4_support() -> Support:
    """What does LZ4 here; looked for once."""
    failed: dict[str, str] = {}
    for label, load in (("package lz4", _from_package), ("liblz4 through cffi", _from_library)):
        try:
            block = load()
        except (ImportError, OSError) as error:
            failed[label] = str(error).splitlines()[0] if str(error) else type(error).__name__
        else:
            return Support(block[0], "", block)
    reasons = "; ".join(f"{label}: {reason}" for label, reason in failed.items())
    return Support("", f"no LZ4 here ({reasons}); install the package lz4, or liblz4 and cffi")


class Compressor:
    """LZ4 for the bodies of one connection. `max_bytes` bounds what a compressed body may become."""

    name = "lz4"  # as STARTUP's COMPRESSION spells it

    def __init__(self, max_bytes: int = MAX_FRAME_BYTES) -> None:
        """Raises RuntimeError with the reason where this interpreter has no LZ4."""
        support = lz4_support()
        if support.block is None:
            raise RuntimeError(support.reason)
        self.max_bytes = max_bytes
        _, self._compress, self._decompress = support.block

    def compress(self, body: bytes, *, always: bool = False) -> bytes | None:
        """The compressed body, or None where it would not be smaller; `always`: also then, as servers do."""
        if len(body) > _MAX_INPUT_BYTES:
            return None
        block = self._compress(body)
        return _LENGTH.pack(len(body)) + block if always or len(block) + _LENGTH.size < len(body) else None

    def decompress(self, body: bytes) -> bytes:
        """The plain body. Raises ProtocolError; the announced length is judged before any memory is taken for it."""
        if len(body) < _LENGTH.size:
            raise ProtocolError(f"a compressed body of {len(body)} bytes")
        length = _LENGTH.unpack_from(body)[0]
        block = body[_LENGTH.size :]
        if length > self.max_bytes:
            raise ProtocolError(f"a compressed body of {length} plain bytes; the limit is {self.max_bytes}")
        if length > len(block) * _MAX_RATIO + _RATIO_SLACK_BYTES:
            raise ProtocolError(f"a compressed body of {len(block)} bytes that claims to hold {length}")
        if not length:
            return b""
        plain = self._decompress(block, length)
        if plain is None:
            raise ProtocolError(f"a compressed body that is no LZ4 block of {length} bytes")
        return plain

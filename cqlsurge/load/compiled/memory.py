"""Memory of our own through cffi, and the C library's ways to copy and compare it.

Importing it raises ImportError where cffi is not there.
"""

from __future__ import annotations

from typing import Any

import cffi

ffi = cffi.FFI()
ffi.cdef(
    "long send(int, void *, unsigned long, int); long recv(int, void *, unsigned long, int);"
    " void *memcpy(void *, const void *, unsigned long); int memcmp(const void *, const void *, unsigned long);"
)
libc = ffi.dlopen(None)
memmove = ffi.memmove
# Through the C library: half of what ffi.memmove costs, since PyPy makes no pointer objects for the call.
memcpy, memcmp = libc.memcpy, libc.memcmp


def block(data: bytes) -> Any:
    """A copy of some bytes, at an address that stays."""
    return ffi.new("unsigned char[]", data)


def of_bytes(data: bytes) -> Any:
    """Where a bytes object's bytes lie, for as long as the outcome is held."""
    return ffi.from_buffer("unsigned char[]", data)


_POINTERS = {
    "W": "int64_t *",
    "Q": "int64_t *",
    "q": "int64_t *",
    "d": "int64_t *",
    "i": "uint32_t *",
    "I": "uint32_t *",
    "f": "uint32_t *",
    "h": "uint16_t *",
    "b": "int8_t *",
}


def pointer(memory: Any, offset: int, format: str) -> Any:
    """Where a hole of that format is to be filled with a little-endian word (`layout`, `graph.swapped`)."""
    return ffi.cast(_POINTERS[format], memory + offset)


_double, _float = ffi.new("double[1]"), ffi.new("float[1]")
_double_bits, _float_bits = ffi.cast("int64_t *", _double), ffi.cast("uint32_t *", _float)


try:
    from __pypy__ import intop
except ImportError:
    pass
else:
    int_lshift, uint_rshift = intop.int_lshift, intop.uint_rshift

    def swap8(value: int) -> int:
        """The 8 bytes of a machine integer in the other order."""
        value = uint_rshift(value, 8) & 0x00FF00FF00FF00FF | int_lshift(value & 0x00FF00FF00FF00FF, 8)
        value = uint_rshift(value, 16) & 0x0000FFFF0000FFFF | int_lshift(value & 0x0000FFFF0000FFFF, 16)
        swapped: int = uint_rshift(value, 32) | int_lshift(value, 32)
        return swapped

    def swap4(value: int) -> int:
        """The lower 4 bytes in the other order."""
        return value >> 24 & 0xFF | value >> 8 & 0xFF00 | (value & 0xFF00) << 8 | (value & 0xFF) << 24

    def swap2(value: int) -> int:
        """The lower 2 bytes in the other order."""
        return value >> 8 & 0xFF | (value & 0xFF) << 8

    def swap1(value: int) -> int:
        """The lowest byte."""
        return value & 0xFF

    def swap_float8(value: float) -> int:
        """The 8 bytes of a double, big-endian, as a word."""
        _double[0] = value
        bits: int = _double_bits[0]
        return swap8(bits)

    def swap_float4(value: float) -> int:
        """The 4 bytes of a float, big-endian, as a word."""
        _float[0] = value
        bits: int = _float_bits[0]
        return swap4(bits)

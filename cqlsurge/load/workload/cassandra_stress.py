"""Keys and cells of cassandra-stress's table standard1, byte for byte as that Java program makes them of a seed.

A column's generator is seeded with the seed and the column's salt; the key's bytes are folded into the seed of the
cells, so that cells depend on the key alone. This is the 3.11 line and ScyllaDB's version; since Cassandra 4 seeds are
multiplied (CASSANDRA-12744), for which `seed_factor` gives the number.
"""

from __future__ import annotations

import math
import struct

MASK = (1 << 64) - 1
_JAVA_MULTIPLIER, _JAVA_ADDEND, _JAVA_MASK = 0x5DEECE66D, 0xB, (1 << 48) - 1
_XORSHIFT_MULTIPLIER = 2685821657736338717
_WORDS_OF_A_SEED = 32  # FasterRandom begins again after so many words
#: a column's population unless told otherwise: uniform over 1..100 billion
_POPULATION = 100_000_000_000
_WORD = struct.Struct("<Q")


def signed(word: int) -> int:
    """The 64-bit word as Java's long."""
    word &= MASK
    return word - (1 << 64) if word >> 63 else word


def salt(text: str) -> int:
    """The first word of Murmur3 (x64, 128 bits, seed 0) of an ASCII text, as Java's long."""
    key = text.encode("ascii")
    c1, c2, h1, h2 = 0x87C37B91114253D5, 0x4CF5AD432745937F, 0, 0
    blocks = len(key) // 16
    for block in range(blocks):
        k1, k2 = struct.unpack_from("<QQ", key, 16 * block)
        h1 ^= _rotate(k1 * c1 & MASK, 31) * c2 & MASK
        h1 = ((_rotate(h1, 27) + h2) * 5 + 0x52DCE729) & MASK
        h2 ^= _rotate(k2 * c2 & MASK, 33) * c1 & MASK
        h2 = ((_rotate(h2, 31) + h1) * 5 + 0x38495AB5) & MASK
    tail = key[16 * blocks :]
    if len(tail) > 8:
        h2 ^= _rotate(int.from_bytes(tail[8:], "little") * c2 & MASK, 33) * c1 & MASK
    if tail:
        h1 ^= _rotate(int.from_bytes(tail[:8], "little") * c1 & MASK, 31) * c2 & MASK
    h1, h2 = h1 ^ len(key), h2 ^ len(key)
    h1 = (h1 + h2) & MASK
    h2 = (h2 + h1) & MASK
    return signed(_finish(h1) + _finish(h2))


def _rotate(word: int, by: int) -> int:
    return ((word << by) | (word >> (64 - by))) & MASK


def _finish(word: int) -> int:
    for multiplier in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        word = (word ^ word >> 33) * multiplier & MASK
    return word ^ word >> 33


def seed_factor(visited: int) -> int:
    """What Cassandra 4 and newer multiply seeds with, where so many partitions may be visited again."""
    return 1 + round(10 ** (22 - math.log10(max(1, visited))))


class JavaRandom:
    """java.util.Random: 48 bits of state; seeds that agree in their low 48 bits are the same."""

    __slots__ = ("state",)

    def __init__(self, seed: int) -> None:
        self.state = (seed ^ _JAVA_MULTIPLIER) & _JAVA_MASK

    def _bits(self, count: int) -> int:
        self.state = (self.state * _JAVA_MULTIPLIER + _JAVA_ADDEND) & _JAVA_MASK
        return self.state >> (48 - count)

    def next_long(self) -> int:
        """The next 64 bits."""
        high, low = self._bits(32), self._bits(32)
        return signed((high << 32) + (low - (1 << 32) if low >> 31 else low))

    def next_double(self) -> float:
        """The next number from 0 to 1."""
        return float((self._bits(26) << 27) + self._bits(27)) / (1 << 53)

    def population(self) -> int:
        """A number of `uniform(1..100B)`, which is a column's population by default."""
        share = self.next_double()
        return max(1, min(_POPULATION, int(share * (_POPULATION + 1) + (1 - share))))


def random_bytes(seed: int, size: int) -> bytes:
    """`size` bytes of an xorshift* generator that begins, and each 32nd word begins again, from java.util.Random."""
    state = JavaRandom(seed).next_long()
    words = []
    for count in range(1, (size + 7) // 8 + 1):
        if count % _WORDS_OF_A_SEED == 0:
            state = JavaRandom(state).next_long()
        state = signed(state ^ (state >> 12))
        state = signed(state ^ (state << 25))
        state = signed(state ^ (state >> 27))
        words.append(_WORD.pack(state * _XORSHIFT_MULTIPLIER & MASK))
    return b"".join(words)[:size]


def key_bytes(seed: int, size: int = 10, column_salt: int = salt("randomstrkey")) -> bytes:
    """The key that a seed makes: hexadecimal digits, but K to P for 10 to 15."""
    random = JavaRandom(signed(seed ^ column_salt))
    random.population()  # seeds the size, which is fixed
    key = bytearray()
    while len(key) < size:
        word = random.population()
        for shift in range(0, 64, 4):
            digit = word >> shift & 15
            key.append(digit + (48 if digit < 10 else 65))
    return bytes(key[:size])


def cells_seed(key: bytes) -> int:
    """What the cells of a row are seeded with: Java's fold over the key's bytes, which have a sign."""
    seed = 0
    for byte in key:
        seed = (31 * seed + (byte - 256 if byte > 127 else byte)) & MASK
    return signed(seed)


def cell_bytes(row_seed: int, column_salt: int, size: int = 34) -> bytes:
    """The cell of the column with this salt (`salt("randomstr" + name)`)."""
    return random_bytes(~JavaRandom(signed(row_seed ^ column_salt)).population(), size)

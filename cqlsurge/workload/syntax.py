"""The text of an expression to Python's syntax tree: numbers with k, M, G, ranges `a..b`, shares `x%`.

The three are rewritten before Python reads the text (a range becomes `a |b`, an operator that nothing else uses), and
each place in the new text knows its place in the old one, so that errors point where people wrote.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import NoReturn

from cqlsurge.workload.document import Place

_NUMBER = re.compile(
    r"([0-9][0-9_]*(?:\.[0-9][0-9_]*)?(?:[eE][+-]?[0-9]+)?)(%(?=\s*[,)\]}|:]|\s*\Z)|[kMG](?![A-Za-z0-9_])|)"
)
_STRING = re.compile(r"""([fF]?)('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")""")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FACTORS = {"k": "000", "M": "000000", "G": "000000000"}
_EXPONENTS = {"k": 3, "M": 6, "G": 9}
MAX_LENGTH = 4000


@dataclass(frozen=True)
class Source:
    """An expression: its tree, and where its parts stand."""

    text: str
    place: Place
    tree: ast.expr
    origins: tuple[int, ...]

    def at(self, node: ast.AST) -> Place:
        """Where a part of the expression stands."""
        column = getattr(node, "col_offset", 0)
        if getattr(node, "lineno", 1) != 1 or not 0 <= column < len(self.origins):
            return self.place
        return self.place.moved(self.origins[column])

    def fail(self, node: ast.AST, text: str) -> NoReturn:
        """Raises WorkloadError for a part of the expression."""
        self.at(node).fail(text)


class _Rewriter:
    """Builds the new text and the table of origins."""

    def __init__(self, text: str, place: Place) -> None:
        self.text, self.place = text, place
        self.made: list[str] = []
        self.origins: list[int] = []

    def put(self, piece: str, origin: int) -> None:
        # One entry a byte: Python counts columns in bytes of UTF-8.
        self.made.append(piece)
        self.origins += [origin] * len(piece.encode())

    def run(self, start: int, end: int) -> None:
        """Rewrites a stretch of code."""
        at = start
        while at < end:
            string = _STRING.match(self.text, at, end)
            word = _WORD.match(self.text, at, end)
            if string is not None:
                self._string(string)
                at = string.end()
            elif word is not None:
                for offset, letter in enumerate(word[0]):
                    self.put(letter, at + offset)
                at = word.end()
            elif self.text[at].isdigit():
                at = self._number(at)
            elif self.text.startswith("..", at):
                self.put(" |", at)
                at += 2
            elif self.text[at] == "|":
                self.place.moved(at).fail("`|` is no operator here; a range is written a..b")
            else:
                self.put(" " if self.text[at] == "\n" else self.text[at], at)
                at += 1

    def _number(self, at: int) -> int:
        found = _NUMBER.match(self.text, at)
        assert found is not None
        digits, suffix = found.groups()
        if self.text.startswith("..", at + len(digits.split(".")[0])):
            digits, suffix = digits.split(".")[0], ""
        end = at + len(digits) + len(suffix)
        if end < len(self.text) and (self.text[end].isalpha() or self.text[end] == "_"):
            self.place.moved(at).fail(
                f"{_WORD.sub('', digits)}{_WORD.match(self.text, end)[0]!r} is no number: units are k, M, G and %"  # type: ignore[index]
            )
        self.put(_plain(digits, suffix), at)
        return end

    def _string(self, found: re.Match[str]) -> None:
        if not found[1]:
            self.put(found[0], found.start())
            return
        at, depth, opened = found.start(), 0, 0
        end = found.end()
        while at < end:
            letter = self.text[at]
            if letter in "{}" and self.text[at : at + 2] == letter * 2 and depth == 0:
                self.put(letter * 2, at)
                at += 2
                continue
            if depth == 0:
                self.put(letter, at)
                if letter == "{":
                    depth, opened = 1, at + 1
            else:
                depth += (letter in "{[(") - (letter in "}])")
                if letter == ":" and depth == 1:  # a format follows
                    closing = self.text.find("}", at, end)
                    closing = end if closing < 0 else closing
                    self.run(opened, at)
                    self.put(self.text[at:closing], at)
                    opened = at = closing
                    continue
                if depth == 0:
                    self.run(opened, at)
                    self.put(letter, at)
            at += 1


def _plain(digits: str, suffix: str) -> str:
    digits = digits.replace("_", "")
    if suffix == "%":
        return repr(float(digits) / 100)
    if not suffix:
        return digits
    if "." in digits or "e" in digits.lower():
        value = float(digits) * 10 ** _EXPONENTS[suffix]
        return str(int(value)) if value == int(value) else repr(value)
    return digits + _FACTORS[suffix]


def parse(text: str, place: Place) -> Source:
    """The expression in a text. Raises WorkloadError."""
    if len(text) > MAX_LENGTH:
        place.fail(f"an expression of {len(text)} characters; the most is {MAX_LENGTH}")
    stripped = text.strip()
    place = place.moved(len(text) - len(text.lstrip()))
    writer = _Rewriter(stripped, place)
    writer.run(0, len(stripped))
    try:
        tree = ast.parse("".join(writer.made), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        offset = (getattr(error, "offset", None) or 1) - 1
        at = writer.origins[min(max(offset, 0), len(writer.origins) - 1)] if writer.origins else 0
        what = getattr(error, "msg", None) or str(error)
        place.moved(at).fail(f"{stripped[:60]!r} is no expression ({what})")
    return Source(stripped, place, tree, tuple(writer.origins))

"""YAML of other programs with the place of each value, so that an error can say where it is."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

import yaml

from cqlsurge.errors import UsageError


@dataclass(frozen=True)
class Place:
    """A place in a file; lines and columns begin at 1."""

    file: str
    line: int
    column: int

    def error(self, text: str) -> UsageError:
        """An error that says where."""
        return UsageError(f"{self.file}:{self.line}:{self.column}: {text}")


@dataclass(frozen=True)
class Value:
    """A YAML value: `content` is text for a scalar, None for an empty one, a list, or a dict by text."""

    place: Place
    content: str | list[Value] | dict[str, Value] | None

    def text(self, what: str) -> str:
        """The text of a scalar. Raises UsageError."""
        if not isinstance(self.content, str):
            raise self.place.error(f"{what} must be a text")
        return self.content

    def items(self, what: str) -> dict[str, Value]:
        """The entries of a map; none of an empty value. Raises UsageError."""
        if self.content is None:
            return {}
        if not isinstance(self.content, dict):
            raise self.place.error(f"{what} must be a map, key: value")
        return self.content

    def list(self, what: str) -> list[Value]:
        """The elements of a list; none of an empty value. Raises UsageError."""
        if self.content is None:
            return []
        if not isinstance(self.content, list):
            raise self.place.error(f"{what} must be a list, - element")
        return self.content


def read_yaml(text: str, file: str) -> Value:
    """The only document of a YAML text; scalars stay text, a later key of the same name wins. Raises UsageError."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file, 1, 1)
        raise where.error(f"no YAML: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise Place(file, 1, 1).error(f"no YAML: {str(error).splitlines()[0]}") from None
    if node is None:
        return Value(Place(file, 1, 1), None)
    return _value(node, file, 0)


def _value(node: yaml.Node, file: str, depth: int) -> Value:
    place = Place(file, node.start_mark.line + 1, node.start_mark.column + 1)
    if depth > 20:
        raise place.error("nested more than 20 levels deep")
    if isinstance(node, yaml.MappingNode):
        return Value(place, {_key(key, file): _value(value, file, depth + 1) for key, value in node.value})
    if isinstance(node, yaml.SequenceNode):
        return Value(place, [_value(element, file, depth + 1) for element in node.value])
    empty = node.tag == "tag:yaml.org,2002:null"
    return Value(place, None if empty else str(node.value))


def _key(node: yaml.Node, file: str) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise Place(file, node.start_mark.line + 1, node.start_mark.column + 1).error("a key must be a text")
    return str(node.value)


def nearest(word: str, words: Iterable[str]) -> str:
    """`; nearest is X`, where a known word is near, else the known words."""
    known = list(words)
    near = difflib.get_close_matches(word, known, 1, 0.5)
    return f"nearest is {near[0]}" if near else f"there are {', '.join(known)}"

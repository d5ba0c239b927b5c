"""What became of a workload that was imported: what was kept, what was mended, what cannot be and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Report:
    """Lines for people, each once, in the order in which they came up."""

    kept: list[str] = field(default_factory=list)
    mended: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def keep(self, line: str) -> None:
        """Notes something that stays as it is."""
        _add(self.kept, line)

    def mend(self, line: str) -> None:
        """Notes something that is done in another way, and why."""
        _add(self.mended, line)

    def refuse(self, line: str) -> None:
        """Notes something that is not done, and why."""
        _add(self.refused, line)

    def text(self) -> str:
        """All lines under their heads."""
        lines = []
        for head, found in (("kept", self.kept), ("mended", self.mended), ("cannot be", self.refused)):
            lines += [head, *(f"  - {line}" for line in found)] if found else []
        return "\n".join(lines) + "\n" if lines else ""


def _add(lines: list[str], line: str) -> None:
    if line not in lines:
        lines.append(line)


@dataclass
class Imported:
    """An imported workload: the text of our file, what became of it, and settings of ours that it asks for."""

    text: str
    report: Report
    settings: dict[str, Any] = field(default_factory=dict)

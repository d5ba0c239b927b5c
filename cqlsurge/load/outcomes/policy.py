"""What is done about errors, class by class, where the rules of `retry.py` shall not decide; pure."""

from __future__ import annotations

from collections.abc import Mapping

from cqlsurge.load.outcomes.classes import CLASSES

RETRY = "retry"
BACKOFF = "backoff"
IGNORE = "ignore"
COUNT = "count"
STOP = "stop"
POLICIES = (RETRY, BACKOFF, IGNORE, COUNT, STOP)

#: a process that backs off halves what it has in flight, at most once in this time ...
HALVE_EVERY_NS = 100_000_000
#: ... and takes this part of its limit back at each tick (20 ms)
REGAIN = 64


def parse_policies(text: str) -> dict[str, str]:
    """{class: policy} of `overloaded=backoff,invalid=stop`. Raises ValueError with the cure."""
    policies = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        name, _, policy = part.partition("=")
        if name not in CLASSES and not name.startswith("code_0x"):
            raise ValueError(f"there is no error class {name!r}: {', '.join(CLASSES)}, code_0xNNNN")
        if policy not in POLICIES:
            raise ValueError(f"{part!r}: write {name}= and one of {', '.join(POLICIES)}")
        policies[name] = policy
    return policies


class Limit:
    """How much may be in flight: halved by `halve`, regained bit by bit; from 1 to `most`."""

    def __init__(self, most: int) -> None:
        self.most = self.now = most
        self.halvings = 0
        self._halved_ns = -HALVE_EVERY_NS

    def halve(self, now_ns: int) -> None:
        """The server is overloaded; errors of what was sent before the last halving do not count again."""
        if now_ns - self._halved_ns >= HALVE_EVERY_NS:
            self._halved_ns = now_ns
            self.now = max(1, self.now // 2)
            self.halvings += 1

    def regain(self) -> int:
        """One tick has passed; what may be in flight now."""
        self.now = min(self.most, self.now + max(1, self.most // REGAIN))
        return self.now


def budgeted(errors: Mapping[str, int], policies: Mapping[str, str]) -> int:
    """How many of the errors, by class, are not ignored."""
    return sum(count for name, count in errors.items() if policies.get(name) != IGNORE)

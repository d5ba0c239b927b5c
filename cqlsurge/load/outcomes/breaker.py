"""A circuit breaker: sends traffic elsewhere while a target keeps failing, and lets one probe through now and then."""

from __future__ import annotations

CLOSED = "closed"
OPEN = "open"
PROBING = "probing"


class Breaker:
    """Opens after `threshold` failures in a row, for `open_ns`, twice as long after each failed probe up to `cap_ns`.

    Times come in as arguments. A success closes it.
    """

    def __init__(self, threshold: int = 16, open_ns: int = 250_000_000, cap_ns: int = 8_000_000_000) -> None:
        self.state = CLOSED
        self._threshold, self._first_ns, self._cap_ns = threshold, open_ns, cap_ns
        self._failures = 0
        self._open_ns = open_ns
        self._until_ns = 0

    def allows(self, now_ns: int) -> bool:
        """Whether an operation may go to the target now; once in each pause the answer is a probe's yes."""
        if self.state == CLOSED:
            return True
        if now_ns < self._until_ns:
            return False
        # The probe gets as long as a pause to be answered; then the next one may go.
        self.state = PROBING
        self._until_ns = now_ns + self._open_ns
        return True

    def failed(self, now_ns: int) -> bool:
        """The target failed; True when this opened the breaker."""
        self._failures += 1
        if self.state == PROBING:
            self._open_ns = min(2 * self._open_ns, self._cap_ns)
        elif self.state == OPEN or self._failures < self._threshold:
            return False
        self.state = OPEN
        self._until_ns = now_ns + self._open_ns
        return True

    def succeeded(self) -> None:
        """The target answered well."""
        self.state = CLOSED
        self._failures = 0
        self._open_ns = self._first_ns

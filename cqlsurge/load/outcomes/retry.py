"""Whether a failed attempt may be made again, and where.

A rule by what the server said and by what the operation is: never where it could change the result (a write that is not
idempotent and may have happened), never where it cannot help (a wrong statement). A write with a client timestamp that
was fixed at the first attempt can be repeated without reordering anything.
"""

from __future__ import annotations

from dataclasses import dataclass

from cqlsurge.load.outcomes import classes

NO = "no"
SAME = "same"
NEXT = "next"

SERVER_ERROR = 0x0000
TRUNCATE_ERROR = 0x1003
READ_TIMEOUT = 0x1200
WRITE_TIMEOUT = 0x1100
READ_FAILURE = 0x1300
WRITE_FAILURE = 0x1500


@dataclass(frozen=True)
class Failure:
    """One failed attempt. `code` is the server's, -1 where it did not answer; `sent`: it may have reached the server.

    `received`, `required`, `data_present` and `write_type` are what read and write timeouts tell.
    """

    error_class: str
    text: str = ""
    code: int = -1
    sent: bool = True
    received: int = 0
    required: int = 0
    data_present: bool = False
    write_type: str = ""


@dataclass(frozen=True)
class Nature:
    """What matters of an operation's kind; `lightweight`: with a serial consistency (a compare-and-set)."""

    writes: bool
    idempotent: bool
    timestamp: bool
    lightweight: bool = False


def repeatable(failure: Failure, nature: Nature) -> bool:
    """Whether another attempt cannot change what the operation does, however little it may help."""
    if nature.lightweight:
        return False
    refused = classes.outcome_of(failure.error_class, writes=True, sent=failure.sent) == classes.FAILED
    return refused or (nature.idempotent and (nature.timestamp or not nature.writes))


def decide(failure: Failure, nature: Nature, attempt: int) -> str:
    """NO, SAME or NEXT (target) after failed attempt number `attempt`, from 1."""
    if not failure.sent or failure.error_class == classes.BOOTSTRAPPING:
        return NEXT
    if nature.lightweight:
        return NO
    if failure.error_class == classes.UNAVAILABLE:
        return NEXT if attempt == 1 else NO
    if failure.error_class == classes.UNPREPARED:
        return SAME
    if not nature.idempotent:
        return NO
    if failure.error_class in (classes.OVERLOADED, classes.CONNECTION):
        return NEXT
    if failure.code in (SERVER_ERROR, TRUNCATE_ERROR):
        return NEXT
    if failure.code == READ_TIMEOUT:
        enough = failure.received >= failure.required and not failure.data_present
        return SAME if enough and attempt == 1 else NEXT
    if failure.code == READ_FAILURE:
        return NEXT
    if failure.code == WRITE_TIMEOUT and failure.write_type == "BATCH_LOG" and attempt == 1:
        return SAME
    if failure.code in (WRITE_TIMEOUT, WRITE_FAILURE):
        return NEXT if nature.timestamp else NO
    return NO

"""Imports from what is on disk: profiles by path, beside the words that a command line has for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from cqlsurge.errors import UsageError
from cqlsurge.workload.imports.cassandra_stress.command import Command
from cqlsurge.workload.imports.cassandra_stress.command_line import read_command
from cqlsurge.workload.imports.cassandra_stress.command_options import operations
from cqlsurge.workload.imports.cassandra_stress.convert import convert
from cqlsurge.workload.imports.cassandra_stress.profile import Profile, read_profile
from cqlsurge.workload.imports.report import Imported
from cqlsurge.workload.schema import FindTable, MissingTable
from cqlsurge.workload.tables import Table

#: how a profile is named that is given beside the command line
GIVEN = ""


def read_text(path: str) -> str:
    """A file's text. Raises UsageError."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise UsageError(f"{path} cannot be read: {reason}") from None


def import_stress(
    line: str,
    profile: str = "",
    mix: str = "",
    params: Mapping[str, str] | None = None,
    find_table: FindTable | None = None,
    mend: bool = False,
    exact: bool = False,
) -> Imported:
    """What a command line of cassandra-stress says, and a profile given by path, as our file.

    line: as after `cassandra-stress`; "" for the profile with all of its operations, or those of `mix`
    (`insert=3,read1=1`). params: for `${name}` in profiles. find_table: asks the database for tables that profiles do
    not define. Raises UsageError.
    """
    if line:
        command = read_command(line)
    elif profile:
        command = Command("user")
    else:
        raise UsageError("nothing to import: give a profile, --stress, --scylla-bench or --ycsb")
    if mix:
        command = replace(command, ops=operations(mix))
    if command.command != "user":
        if profile:
            raise UsageError(f"--stress {command.command} has no profile: leave {profile} away, or say user")
        return convert(command, {}, mend=mend, exact=exact)
    if profile:
        if command.profiles:
            raise UsageError(f"the profile is given twice: as {profile} and as profile={','.join(command.profiles)}")
        command = replace(command, profiles=(profile,))
    if not command.profiles:
        raise UsageError("--stress user: which profile? Say profile=FILE.yaml")
    profiles = {path: read_profile(read_text(path), path, params) for path in command.profiles}
    if not command.ops:
        command = replace(command, ops=_all_operations(profiles[command.profiles[0]]))
    return convert(command, profiles, _tables(profiles, find_table), mend, exact)


def _all_operations(profile: Profile) -> tuple[tuple[str, float], ...]:
    names = ["insert", *profile.queries, *profile.token_ranges]
    return tuple((name, 1.0) for name in dict.fromkeys(names))


def _tables(profiles: Mapping[str, Profile], find_table: FindTable | None) -> dict[str, Table]:
    """The tables that profiles do not define, as the database has them. Raises MissingTable where none was asked."""
    found: dict[str, Table] = {}
    for profile in profiles.values():
        if profile.table_definition is not None:
            continue
        name = f"{profile.keyspace}.{profile.table}"
        told = find_table(profile.keyspace, profile.table) if find_table is not None else None
        if told is None:
            cure = (
                "give an ADDRESS, of a database that has it" if find_table is None else "the database has no such table"
            )
            error = UsageError if find_table is not None else MissingTable
            raise error(f"{profile.file}: there is no table_definition for {name}: {cure}")
        found[name] = told[0]
    return found

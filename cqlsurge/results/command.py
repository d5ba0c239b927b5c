"""The command line that repeats a run, from the settings in its document."""

from __future__ import annotations

import shlex
from typing import Any

from cqlsurge.options import Option
from cqlsurge.settings import options

#: what is said of files and screens, not of the load
OUTPUTS = {"json", "hdr_log", "metrics", "force", "quiet"}


def command_of(settings: dict[str, Any], *, program: str = "cqlsurge run") -> str:
    """`cqlsurge run ADDRESS --option value ...`: every setting that is not the default, and the seed."""
    words = [settings["address"]] if settings.get("address") else []
    for name, default, option in options():
        value = settings.get(name, default)
        if name not in OUTPUTS and (value != default or name == "seed"):
            words += _words(name, option, value)
    return " ".join([program, *map(shlex.quote, words)])


def _words(name: str, option: Option, value: Any) -> list[str]:
    flag = option.flag or "--" + name.replace("_", "-")
    if option.repeated:
        return [word for one in value for word in (flag, str(one))]
    if option.on_off:
        return [flag if value else f"--no-{flag[2:]}"]
    if option.switch or (option.optional_value is not None and value == option.optional_value):
        return [flag]
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return [flag, str(value)]

"""The runs of a file as Markdown: a table for each kind of work, then what each tool could not do."""

from __future__ import annotations

from statistics import median

MODES = ("write", "read")


def markdown(document):
    """The whole text."""
    settings, machine = document["settings"], document["machine"]
    lines = [
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_mb'] // 1024} GB, {document['database']}; "
        f"{document['date']}. Rows of 1000 B, {settings['keys']} keys, {settings['concurrency']} in flight, "
        f"{settings['duration_s']} s a run, LOCAL_QUORUM, each tool on one core; medians of interleaved rounds "
        "(min-max).",
    ]
    for mode in MODES:
        rows = [row for name in document["tools"] if (row := _row(document, name, mode))]
        lines += ["", f"{mode.capitalize()}s:", "", *_head(), *rows]
    lines += ["", "Not the same work, or not run:", ""]
    for name, tool in document["tools"].items():
        if tool["limits"] and _runs(document, name):
            lines.append(f"- {name}: {tool['limits']}")
        if "not_run" in tool:
            lines.append(f"- {name}: not run: {tool['not_run']}")
    return "\n".join(lines) + "\n"


def _head():
    columns = [
        "tool",
        "ops/s",
        "CPU us/op",
        "p99 ms, as it says",
        "start-up s",
        "start-up CPU s",
        "memory MB",
        "rounds",
    ]
    return [f"| {' | '.join(columns)} |", "|" + " --- |" * len(columns)]


def _runs(document, name, mode=None):
    return [run for run in document["runs"] if run["tool"] == name and mode in (None, run["mode"])]


def _row(document, name, mode):
    runs = _runs(document, name, mode)
    if not runs:
        return None
    cells = [
        _range([run["ops_s"] for run in runs], "{:,.0f}"),
        _range([run["cpu_us_per_op"] for run in runs], "{:.1f}"),
        f"{median(run['says']['p99_ms'] for run in runs):.1f}",
        f"{median(run['startup_s'] for run in runs):.1f}",
        f"{median(run['startup_cpu_s'] for run in runs):.1f}",
        f"{median(run['memory_mb'] for run in runs):.0f}",
        str(len(runs)),
    ]
    return f"| {name} | {' | '.join(cells)} |"


def _range(values, form):
    least, middle, most = (form.format(value) for value in (min(values), median(values), max(values)))
    return middle if least == most else f"{middle} ({least}-{most})"

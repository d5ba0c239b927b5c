"""Where the time of one execute_async goes: a flame graph and the shares of its parts, on CPython and on PyPy.

    uv run --with py-spy python benchmarks/driver_profile.py            measures both, writes docs/driver-profile-*.svg

The work is lessons_client.py's callback window: writes of 1000 bytes, 100 in flight, null server (3 nodes x 2 shards).
Stacks of the driver's event loop thread are sampled: it receives, calls back, and sends, so it does all the work. On
CPython py-spy samples from outside, C frames too (most of the driver is compiled); on PyPy its own _vmprof does. Every
sample counts for the part that the innermost frame with a known name belongs to; the table is printed as Markdown and
put into docs/driver-profile.md.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from flame import flame_graph
from lessons import python_for, say, server
from lessons_client import TEN

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "driver-profile.md"
CLIENT = ROOT / "benchmarks" / "lessons_client.py"
LOOP = "_run_loop"
RUN_S = 180
RATE_HZ = 400

# part -> names of functions (or files) whose own time belongs to it
PARTS = {
    "garbage collection": "gc_collect_main",
    "sending: one send() a request": "send push handle_write handle_write_event",
    "making the message": "bind query.__init__ protocol.__init__ encode_message send_body _write_query_params "
    "write_value write_byte write_short write_int write_uint write_long write_string write_consistency_level "
    "write_header serialize _compute_tablet_version_block s_pack _next_timestamp timestamps.__call__ "
    "MonotonicTimestampGenerator.__call__",
    "token, replicas and plan": "make_query_plan routing_key metadata.__init__ from_key hash_fn murmur3 _murmur3 "
    "get_replicas get_tablet_for_key yield_in_order distance shuffle is_lwt shard_id_from_token "
    "_get_connection_for_routing_key internal_bisect_left bisect_left datacenter get_host_by_host_id",
    "pool, connection and stream ids": "borrow_connection return_connection get_request_id send_msg _query __hash__",
    "timer": "_start_timer start_timer create_timer add_timer cancel _cancel_timer service_timeouts _time_remaining "
    "__lt__ heappush heappop _siftup _siftdown connection.__init__",
    "future, its locks and events": "execute_async _create_response_future cluster.__init__ Event.__init__ "
    "Condition.__init__ _set_result _set_final_result add_callbacks add_callback add_errback send_request set notify "
    "notify_all __enter__ __exit__ _is_owned functools.__call__",
    "receiving and decoding": "handle_read handle_read_event recv process_io_buffer process_msg decode_message "
    "_read_frame_header wrapper read_int read_short recv_body reset_io_buffer reset_cql_frame_buffer",
    "the caller's own code": "send_next on_answer execute values UUID.__init__ uuid.__init__",
    "waiting for sockets, the loop": "select poll poll2 loop readwrite ev_run ev_invoke_pending _run_loop",
}
PART_OF = {name: part for part, names in PARTS.items() for name in names.split()}
OTHER = "the rest"
COMMON = ("__init__", "__call__")


def py_spy(address, settings, count):
    """Sampled stacks on CPython, outermost function first, with how often each was seen."""
    tool = shutil.which("py-spy")
    if tool is None:
        raise SystemExit("py-spy is missing: uv run --with py-spy python benchmarks/driver_profile.py")
    job = json.dumps({"address": address, "settings": settings, "count": count})
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "stacks")
        command = [tool, "record", "--native", "-r", str(RATE_HZ), "-f", "raw", "-o", str(out), "--"]
        subprocess.run([*command, sys.executable, str(CLIENT), job], check=True, timeout=RUN_S, capture_output=True)
        stacks = Counter()
        for line in out.read_text().splitlines():
            frames, times = line.rsplit(" ", 1)
            stacks[tuple(short(frame) for frame in frames.split(";"))] += int(times)
    return stacks


def short(frame):
    """The function's name alone; one that every class may have goes with its class or its module."""
    name, _, where = frame.partition(" (")
    *owners, name = re.sub(r"\.(isra|constprop|part|cold)\.\d+", "", name).split(".")
    if name in COMMON:
        return f"{owners[-1] if owners else module(where)}.{name}"
    return "?" if name.startswith("0x") else name


def module(path):
    """cluster for /.../cassandra/cluster.py and for cluster.cpython-311-x86_64-linux-gnu.so."""
    return path.rpartition("/")[2].partition(".")[0]


VMPROF = """
import json, sys, _vmprof
sys.path.insert(0, sys.argv[1])
import lessons_client
with open(sys.argv[2], "w+b") as out:
    _vmprof.enable(out.fileno(), float(sys.argv[3]), 0, 0, 0, 0)
    lessons_client.run(json.loads(sys.argv[4]))
    _vmprof.disable()
"""


def vmprof(address, settings, count, pypy):
    """The same on PyPy."""
    job = json.dumps({"address": address, "settings": settings, "count": count})
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "stacks")
        command = [pypy, "-c", VMPROF, str(CLIENT.parent), str(out), str(1 / RATE_HZ), job]
        subprocess.run(command, check=True, timeout=RUN_S)
        return read_vmprof(out.read_bytes())


def read_vmprof(data):
    """Stacks in a file of PyPy's _vmprof, version 6: a tag byte, then what belongs to it."""
    names, found, at = {}, Counter(), 40
    while at < len(data):
        tag = data[at]
        at += 1
        if tag == 1:  # a stack: how often, depth; then that many words, a kind before each address; then the thread
            times, depth = struct.unpack_from("<qq", data, at)
            found[struct.unpack_from(f"<{depth}q", data, at + 16)] += times
            at += 16 + 8 * depth + 8
        elif tag == 2:  # an address and its name, py:FUNCTION:LINE:FILE
            address, length = struct.unpack_from("<qq", data, at)
            _, name, _, path = data[at + 16 : at + 16 + length].decode(errors="replace").split(":", 3)
            names[address] = f"{module(path)}.{name}" if name in COMMON else name
            at += 16 + length
        elif tag == 5:  # version, what is in it, the interpreter
            at += 4 + data[at + 3]
        elif tag == 6:  # the time
            at += 24
        elif tag == 7:  # a key and a value
            for _ in range(2):
                at += 8 + struct.unpack_from("<q", data, at)[0]
        else:
            break
    stacks = Counter()
    for words, times in found.items():
        stacks[tuple(names[word] for word in reversed(words) if word in names)] += times
    return stacks


def of_the_loop(stacks):
    """What the event loop's thread did, from the loop on; waiting for sockets is not work."""
    kept = Counter()
    for frames, times in stacks.items():
        if LOOP in frames:
            kept[frames[frames.index(LOOP) :]] += times
    return kept


def part(frames):
    """The part that a sample belongs to."""
    if "gc_collect_main" in frames:
        return "garbage collection"
    return next((PART_OF[name] for name in reversed(frames) if name in PART_OF), OTHER)


def shares(stacks):
    """part -> share of the samples."""
    total = sum(stacks.values())
    counts = Counter()
    for frames, times in stacks.items():
        counts[part(frames)] += times
    return {name: counts[name] / total for name in (*PARTS, OTHER)}


def table(columns):
    """The shares side by side. `columns`: (title, shares, samples)."""
    rows = [["part", *(title for title, _, _ in columns)], ["---"] * (len(columns) + 1)]
    rows += [[name, *(f"{100 * found[name]:.0f}%" for _, found, _ in columns)] for name in (*PARTS, OTHER)]
    rows.append(["samples", *(f"{samples:,}" for _, _, samples in columns)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def main():
    """Reads the command line, samples, writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--operations", type=int, default=60_000, help="on CPython; PyPy does ten times as many")
    args = parser.parse_args()
    columns = []
    pypy = python_for("pypy")
    with server("null") as address:
        first = address.split(",")[0]
        for title, settings in (("defaults", []), ("tuned", TEN)):
            runs = [("CPython", lambda settings=settings: py_spy(first, settings, args.operations))]
            if pypy:
                runs.append(("PyPy", lambda settings=settings: vmprof(first, settings, 10 * args.operations, pypy)))
            for runtime, sample in runs:
                stacks = of_the_loop(sample())
                name = f"driver-profile-{runtime.lower()}-{title}.svg"
                heading = f"scylla-driver's event loop thread, {runtime}, {title}"
                (ROOT / "docs" / name).write_text(flame_graph(stacks, part, [*PARTS, OTHER], heading))
                columns.append((f"{runtime}, {title}", shares(stacks), sum(stacks.values())))
                say(f"docs/{name}: {sum(stacks.values())} samples")
    text = table(columns)
    print(text)
    if PAGE.exists():
        marked = re.compile(r"<!-- table: shares -->\n.*?<!-- end -->", re.DOTALL)
        PAGE.write_text(marked.sub(f"<!-- table: shares -->\n{text}\n<!-- end -->", PAGE.read_text()))


if __name__ == "__main__":
    main()

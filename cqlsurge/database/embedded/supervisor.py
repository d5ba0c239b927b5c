"""The program between us and one JVM: run by path, standard library only, in a session of its own.

    supervisor.py LINGER_S PID_FILE OUTPUT_FILE JAVA ARGUMENT...

It starts the JVM, writes "SUPERVISOR_PID JVM_PID" to PID_FILE and the JVM's output to OUTPUT_FILE, and obeys its
standard input: `stop` is SIGTERM, and SIGKILL when that does not help; `kill` is SIGKILL. The end of its input, which
comes however its parent ends, is SIGTERM, and SIGKILL after LINGER_S seconds; with 0 it is SIGKILL at once. It exits
with the JVM: with its exit code, or with 128 + the signal that ended it. On Linux the kernel kills the JVM should the
supervisor itself be killed.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
import time

PR_SET_PDEATHSIG = 1  # linux/prctl.h
STOP_GRACE_S = 20.0


def start_jvm(command: list[str], output_file: str) -> subprocess.Popen[bytes]:
    supervisor = os.getpid()
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

    def prepare() -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)  # where our starter ignores SIGTERM, Java would ignore it too
        if libc:
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != supervisor:  # it died before the line above
                os._exit(1)

    with open(output_file, "ab") as output:
        # preexec_fn is safe here: the supervisor has one thread.
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, preexec_fn=prepare)


def keep(jvm: subprocess.Popen[bytes], linger_s: float, wakeup: int) -> int:
    """Wait for the JVM's end or for orders; the JVM's exit code, 128 + signal where one ended it."""
    kill_at = float("inf")
    inputs = [0, wakeup]
    while jvm.poll() is None:
        if time.monotonic() >= kill_at:
            jvm.kill()
            kill_at = float("inf")
        ready = select.select(inputs, [], [], min(60.0, max(0.0, kill_at - time.monotonic())))[0]
        if wakeup in ready:
            os.read(wakeup, 1024)
        if 0 not in ready:
            continue
        order = os.read(0, 1024)
        if not order:
            inputs = [wakeup]
        grace_s = 0.0 if b"kill" in order else STOP_GRACE_S if order else linger_s
        kill_at = min(kill_at, time.monotonic() + grace_s)
        if grace_s:
            jvm.terminate()
    return jvm.returncode if jvm.returncode >= 0 else 128 - jvm.returncode


def main(linger_s: str, pid_file: str, output_file: str, *command: str) -> int:
    woken, waker = os.pipe()
    for end in (woken, waker):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waker)
    jvm = start_jvm(list(command), output_file)
    with open(pid_file, "w", encoding="ascii") as file:
        file.write(f"{os.getpid()} {jvm.pid}\n")
    return keep(jvm, float(linger_s), woken)


if __name__ == "__main__":
    os._exit(main(*sys.argv[1:]))

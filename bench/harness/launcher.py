"""Start one program, wait for it, and print what the kernel counted for it; run as ``python -I -S launcher.py``.

A process of its own, because a child inherits the memory peak of the process that starts it: started from here, the
peak of a small program is not hidden behind the size of the bench.

Reads one JSON object from stdin: argv, cwd, env, stdout, stderr (paths), whole_tree. Writes one JSON object: code,
seconds, peak (bytes). With ``whole_tree`` the peak is the largest sum over the program and all its descendants, sampled
every few milliseconds (shared pages counted once, Linux only); otherwise it is the largest single process.
"""

import json
import os
import sys
import time

SAMPLE_SECONDS = 0.004


def list_tree(pid: int) -> list[int]:
    """Return a process and all its descendants."""
    found = [pid]
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as children:
                for child in children.read().split():
                    found += list_tree(int(child))
    except OSError:  # the process has ended, or this is not Linux
        pass
    return found


def read_memory(pid: int) -> int:
    """Return the bytes of one process in memory, shared pages divided among those that share; 0 when it has ended."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
            return next((int(line.split()[1]) * 1024 for line in rollup if line.startswith("Pss:")), 0)
    except OSError:
        return 0


def main() -> None:
    """Run the program that stdin describes."""
    order = json.load(sys.stdin)
    os.chdir(order["cwd"])
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, order["stdout"], flags, 0o644),
        (os.POSIX_SPAWN_OPEN, 2, order["stderr"], flags, 0o644),
    ]
    sampled = 0
    start = time.perf_counter()
    pid = os.posix_spawnp(order["argv"][0], order["argv"], order["env"], file_actions=actions)
    ended = 0
    while order["whole_tree"] and not ended:
        sampled = max(sampled, sum(map(read_memory, list_tree(pid))))
        ended, status, usage = os.wait4(pid, os.WNOHANG)
        time.sleep(SAMPLE_SECONDS)
    if not ended:
        _, status, usage = os.wait4(pid, 0)
    seconds = time.perf_counter() - start
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    code = os.waitstatus_to_exitcode(status)
    json.dump({"code": code, "seconds": seconds, "peak": max(peak, sampled)}, sys.stdout)


if __name__ == "__main__":
    main()

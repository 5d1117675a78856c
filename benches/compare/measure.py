"""A whole process, measured from outside: wall time, processor time, peak memory."""
import os
import statistics
import subprocess
import time
from dataclasses import dataclass


class Failed(Exception):
    """A program that was to be measured did not do its work."""


@dataclass
class Measured:
    """One run. `cpu` is user and system time of the process and all it waited for; `peak` its resident bytes at most."""
    wall: float
    cpu: float
    peak: int
    status: int
    said: str

    def as_dict(self):
        return dict(wall_seconds=round(self.wall, 3), cpu_seconds=round(self.cpu, 3), peak_bytes=self.peak, status=self.status)


def run(command, seconds=3_600):
    """Runs a command and measures it; of what it said to stderr the last 4,000 characters are kept."""
    log = os.memfd_create("said")
    started = time.monotonic()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log)
    deadline = started + seconds
    while True:
        # Popen.wait would reap the child without its usage. Most of these run for seconds: a poll costs nothing.
        pid, status, usage = os.wait4(child.pid, os.WNOHANG)
        if pid:
            break
        if time.monotonic() > deadline:
            child.kill()
            deadline = float("inf")
        time.sleep(0.002)
    wall = time.monotonic() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    size = os.fstat(log).st_size
    said = os.pread(log, 4_000, max(0, size - 4_000)).decode(errors="replace")
    os.close(log)
    return Measured(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, child.returncode, said)


def summary(runs):
    """Of several runs of one command: medians, best and worst; the memory is that of the hungriest."""
    walls, cpus = [run.wall for run in runs], [run.cpu for run in runs]
    return dict(wall_median=round(statistics.median(walls), 3), wall_best=round(min(walls), 3), wall_worst=round(max(walls), 3),
                cpu_median=round(statistics.median(cpus), 3), cpu_best=round(min(cpus), 3), peak_bytes=max(run.peak for run in runs))

"""Queries on a Ballista cluster against the same in one process: a scheduler and three executors on this machine.

Usage: run.py LIGHTSOUT BALLISTA_SCHEDULER BALLISTA_EXECUTOR [FOLDER_WITH_LOGS]

Without a folder, the sample data. They are ingested file by file, so that every table has at least three files.
"""

import filecmp
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

LIGHTSOUT, SCHEDULER, EXECUTOR = (os.path.abspath(path) for path in sys.argv[1:4])
HERE = pathlib.Path(__file__).resolve().parents[2]
LOGS = pathlib.Path(sys.argv[4]) if len(sys.argv) > 4 else HERE / "sample-data/logs"
ROSTER = HERE / "sample-data/roster.csv"
PLACE = pathlib.Path(tempfile.mkdtemp(prefix="lightsout-cluster-"))
LAKE = PLACE / "lake"
STARTED = time.monotonic()
EXECUTORS = 3
AS_OF = "2026-11-02"

processes = []


def say(text):
    print(f"cluster: {time.monotonic() - STARTED:6.1f} s  {text}", flush=True)


def fail(text):
    sys.exit(f"cluster: {text}")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(port, process):
    for _ in range(1200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            fail(f"{process.args[0]} ended with {process.returncode}; see {PLACE}")
        time.sleep(0.05)
    fail(f"{process.args[0]} does not listen on port {port}")


def start(name, command, port):
    log = open(PLACE / f"{name}.log", "w")
    process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=PLACE)
    processes.append(process)
    wait_for(port, process)
    return process


def start_executor(number):
    port, grpc, health = free_port(), free_port(), free_port()
    work = PLACE / f"work-{number}"
    work.mkdir(exist_ok=True)
    command = [EXECUTOR, "--scheduler-host", "127.0.0.1", "--scheduler-port", str(SCHEDULER_PORT)]
    command += ["--bind-host", "127.0.0.1", "--external-host", "127.0.0.1", "--bind-port", str(port)]
    command += ["--bind-grpc-port", str(grpc), "--bind-health-port", str(health), "--work-dir", str(work)]
    command += ["--vcores", "1", "--executor-heartbeat-interval-seconds", "5", "--log-level-setting", "WARN"]
    return start(f"executor-{number}", command, port)


def lightsout(*arguments, code=0, timeout=1800):
    run = subprocess.run(
        [LIGHTSOUT, *map(str, arguments)], capture_output=True, text=True, timeout=timeout, cwd=PLACE
    )
    if run.returncode != code:
        fail(f"{arguments}: expected exit code {code}, got {run.returncode}\n{run.stdout[-2000:]}\n{run.stderr[-4000:]}")
    return run


def timed(*arguments, **more):
    begun = time.monotonic()
    return lightsout(*arguments, **more), time.monotonic() - begun


def lines(text, is_ordered):
    head, *rest = text.splitlines() or [""]
    return [head, *(rest if is_ordered else sorted(rest))]


def compare_folders(one, other):
    names = [{str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()} for root in (one, other)]
    if names[0] != names[1]:
        fail(f"other files: {names[0] ^ names[1]}")
    different = [name for name in sorted(names[0]) if not filecmp.cmp(one / name, other / name, shallow=False)]
    if different:
        fail(f"different: {different}; see {PLACE}")
    return len(names[0])


def compare_reports():
    listed = lightsout("report", "--format", "csv").stdout.splitlines()
    column = listed[0].split(",").index("name") if "name" in listed[0].split(",") else 0
    names = [line.split(",")[column] for line in listed[1:]]
    if len(names) < 30:
        fail(f"expected at least 30 reports, found {names}")
    seconds = [0.0, 0.0]
    for name in names:
        common = ["report", name, "--lake", LAKE, "--format", "csv"]
        here, took_here = timed(*common)
        there, took_there = timed(*common, "--cluster", CLUSTER)
        seconds = [seconds[0] + took_here, seconds[1] + took_there]
        if here.stdout != there.stdout:
            (PLACE / "here.csv").write_text(here.stdout)
            (PLACE / "there.csv").write_text(there.stdout)
            fail(f"report {name} differs; see {PLACE}/here.csv and there.csv")
    say(f"{len(names)} reports are equal: {seconds[0]:.1f} s here, {seconds[1]:.1f} s on the cluster")


def compare_assessments():
    out = {}
    for name, flags in (("here", []), ("there", ["--cluster", CLUSTER])):
        _, out[name] = timed(
            "assess", "--lake", LAKE, "--as-of", AS_OF, "--roster", ROSTER, "--out", PLACE / f"out-{name}", *flags
        )
    count = compare_folders(PLACE / "out-here", PLACE / "out-there")
    say(f"{count} files of assess are equal: {out['here']:.1f} s here, {out['there']:.1f} s on the cluster")


SLOW = (
    "SELECT a.tenant_id, count(*) AS n, sum(a.source_offset * b.source_offset % 7) AS s FROM sign_in_records a "
    "JOIN sign_in_records b ON a.tenant_id = b.tenant_id AND a.event_date >= b.event_date "
    "JOIN sign_in_records c ON c.tenant_id = b.tenant_id AND c.event_date = b.event_date GROUP BY 1 ORDER BY 1"
)


def kill_an_executor(executors):
    here = lightsout("sql", SLOW, "--lake", LAKE, "--format", "csv")
    query = subprocess.Popen(
        [LIGHTSOUT, "sql", SLOW, "--lake", str(LAKE), "--format", "csv", "--cluster", CLUSTER],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )
    begun = time.monotonic()
    time.sleep(1.0)
    if query.poll() is not None:
        fail("the query was done before an executor could be killed")
    victim = executors.pop()
    victim.kill()
    victim.wait()
    out, told = query.communicate(timeout=600)
    took = time.monotonic() - begun
    if query.returncode == 0:
        if lines(out, True) != lines(here.stdout, True):
            fail("after an executor died the rows are others")
        say(f"an executor was killed: the same rows after {took:.1f} s")
    elif query.returncode == 1 and "the cluster at" in told and not out:
        say(f"an executor was killed: no rows, and after {took:.1f} s: {told.strip()[:200]}")
    else:
        fail(f"an executor was killed: exit code {query.returncode}, {told}")
    executors.append(start_executor(9))


def interrupt(*arguments):
    log = PLACE / "scheduler.log"
    before = len(log.read_text())
    query = subprocess.Popen(
        [LIGHTSOUT, *map(str, arguments), "--lake", str(LAKE), "--cluster", CLUSTER],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=PLACE,
    )
    time.sleep(2.5)
    begun = time.monotonic()
    query.send_signal(signal.SIGINT)
    query.communicate(timeout=30)
    took = time.monotonic() - begun
    if query.returncode != 130 or took > 1.5:
        fail(f"Ctrl-C: exit code {query.returncode} after {took:.1f} s")
    for _ in range(100):
        if "Received cancellation request for job" in log.read_text()[before:]:
            break
        time.sleep(0.1)
    else:
        fail("the scheduler was not told that nobody waits for the job")
    say(f"{arguments[0]}, Ctrl-C: exit code 130 after {took:.2f} s, and the job was cancelled")


def no_scheduler(executors):
    before = {str(path): path.stat().st_mtime_ns for path in LAKE.rglob("*") if path.is_file()}
    run, took = timed("report", "who", "--lake", LAKE, "--cluster", f"df://127.0.0.1:{free_port()}", code=1)
    if "no Ballista scheduler answers" not in run.stderr:
        fail(f"no scheduler: {run.stderr}")
    for executor in executors:
        executor.kill()
        executor.wait()
    scheduler.kill()
    scheduler.wait()
    lightsout("report", "who", "--lake", LAKE, "--cluster", CLUSTER, code=1)
    after = {str(path): path.stat().st_mtime_ns for path in LAKE.rglob("*") if path.is_file()}
    if before != after:
        fail("a query that failed changed the lake")
    # It takes the lock first.
    lightsout("assess", "--as-of", AS_OF, "--out", PLACE / "out-none", "--lake", LAKE, "--cluster", CLUSTER, code=1)
    say(f"no scheduler: {run.stderr.strip()[:160]} ({took:.1f} s)")


try:
    for log in sorted(path for path in LOGS.rglob("*") if path.is_file()) if len(sys.argv) <= 4 else [LOGS]:
        lightsout("ingest", log, "--lake", LAKE, "--quiet", "--max-rejects", "100%")
    lightsout("lake", "verify", "--lake", LAKE)
    SCHEDULER_PORT = free_port()
    CLUSTER = f"df://127.0.0.1:{SCHEDULER_PORT}"
    command = [SCHEDULER, "--bind-host", "127.0.0.1", "--external-host", "127.0.0.1"]
    command += ["--bind-port", str(SCHEDULER_PORT), "--executor-timeout-seconds", "20", "--expire-dead-executor-interval-seconds", "5"]
    command += ["--log-level-setting", "INFO"]
    scheduler = start("scheduler", command, SCHEDULER_PORT)
    executors = [start_executor(number) for number in range(EXECUTORS)]
    say(f"a scheduler and {EXECUTORS} executors; the lake has {len(list((LAKE / 'sign_in_records').rglob('*.parquet')))} "
        "files of records")
    compare_assessments()
    compare_reports()
    interrupt("sql", SLOW)
    interrupt("assess", "--as-of", AS_OF, "--out", PLACE / "out-interrupted")
    kill_an_executor(executors)
    no_scheduler(executors)
    say("done")
finally:
    for process in processes:
        if process.poll() is None:
            process.kill()
            process.wait()
shutil.rmtree(PLACE)

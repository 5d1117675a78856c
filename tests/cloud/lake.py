"""The lake itself in an object store: the same commands and results as with a lake in a folder, on two machines."""

import concurrent.futures
import json
import random
import signal
import subprocess
import sys
import time


def check(run, url, env, proxy, logs, local, expected):
    """`run` is the module of that name; `logs` is the URL of the inputs in the same store."""

    def machine(name):
        return env | {"LIGHTSOUT_CACHE": str(run.PLACE / f"cache-{name}"), "LIGHTSOUT_LEASE_SECONDS": "3"}

    one, two = machine("one"), machine("two")

    proxy.reset(throttle_every=9, break_every=13)
    report = run.ingest([str(run.LOGS)], url, one)
    run.equal(report["rows"], local["rows"], f"{url}: rows")
    run.equal(run.assess(url, two), expected, f"{url}: the assessment on another machine")
    run.equal(run.ingest([str(run.LOGS)], url, two)["rows"], 0, f"{url}: rows of the second run")
    if not (proxy.throttled and proxy.broken):
        sys.exit("cloud: the proxy made no trouble")
    run.say(f"{url}: equal on two machines; {proxy.throttled} requests throttled, {proxy.broken} answers broken off")
    proxy.reset()

    shards = f"{url}-shards"
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        parts = [(f"{number}/4", machine("one" if number < 3 else "two")) for number in range(1, 5)]
        reports = list(pool.map(lambda part: run.ingest([logs, "--shard", part[0], "--jobs", "1"], shards, part[1]), parts))
    run.equal(sum(report["rows"] for report in reports), local["rows"], f"{shards}: rows of four processes")
    compacted = json.loads(run.command(["lake", "compact", "--json"], shards, one).stdout)
    later = two | {"LIGHTSOUT_CLOCK": "2036-01-01T00:00:00Z"}
    vacuumed = json.loads(run.command(["lake", "vacuum", "--older-than", "1d", "--json"], shards, later).stdout)
    deleted = vacuumed.get("result", vacuumed)["deleted"]
    if not deleted:
        sys.exit(f"cloud: {shards}: vacuum deleted nothing after {compacted}")
    run.equal(run.assess(shards, one), expected, f"{shards}: the assessment after compact and vacuum")
    run.equal(run.assess(shards, machine("three")), expected, f"{shards}: the assessment on a new machine")
    run.say(f"{shards}: four processes at once, compact, vacuum of {len(deleted)} files from another machine: equal")

    killed, kills = f"{url}-killed", 0
    choice = random.Random(17)
    for _ in range(12):
        where = machine(choice.choice(["one", "two"]))
        process = start(run, killed, where)
        time.sleep(choice.uniform(0.05, 2.0))
        if process.poll() is None:
            process.kill()
            kills += 1
        process.wait()
    run.ingest([str(run.LOGS)], killed, two)
    run.equal(run.assess(killed, one), expected, f"{killed}: the assessment after kills")
    run.say(f"{killed}: killed {kills} times at random moments on two machines and run again: equal")

    stopped, ends = f"{url}-stopped", []
    for number, pause in enumerate((0.3, 0.6, 1.0, 1.5)):
        process = start(run, f"{stopped}-{number}", one)
        time.sleep(pause)
        process.send_signal(signal.SIGSTOP)
        run.ingest([str(run.LOGS)], f"{stopped}-{number}", two)
        process.send_signal(signal.SIGCONT)
        said = process.communicate()[1]
        if process.returncode and "while this one held its lease" not in said:
            sys.exit(f"cloud: a stopped writer ended with {process.returncode}: {said}")
        ends.append(process.returncode)
        run.equal(run.assess(f"{stopped}-{number}", two), expected, f"{stopped}: the assessment after a stolen lease")
    run.say(f"{stopped}: writers were stopped while another went on; they ended with {ends}: equal")


def start(run, lake, env):
    command = [run.LIGHTSOUT, "ingest", str(run.LOGS), "--lake", lake, "--quiet"]
    return subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

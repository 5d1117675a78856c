"""Inputs and lakes in object stores: Azurite for Azure, moto's server for S3, and a proxy that makes trouble before both.

Usage: run.py LIGHTSOUT AZURITE_BLOB MOTO_SERVER
"""

import concurrent.futures
import csv
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import boto3
from azure.core.exceptions import AzureError
from azure.storage.blob import BlobServiceClient

import lake as lakes
from proxy import Proxy

LIGHTSOUT, AZURITE, MOTO = (os.path.abspath(path) for path in sys.argv[1:4])
HERE = pathlib.Path(__file__).resolve().parents[2]
LOGS = HERE / "sample-data/logs"
ROSTER = HERE / "sample-data/roster.csv"
PLACE = pathlib.Path(tempfile.mkdtemp(prefix="lightsout-cloud-"))
# Published: every Azurite has this account.
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
STARTED = time.monotonic()


def say(text):
    print(f"cloud: {time.monotonic() - STARTED:5.1f} s  {text}", flush=True)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def serve(command, port):
    log = open(PLACE / f"{port}.log", "w")
    process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process
        time.sleep(0.05)
    sys.exit(f"cloud: {command[0]} does not listen on port {port}")


def environment(azure=None, s3=None, **more):
    """The variables that reach the stores, and none of the caller's own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AZURE_", "AZURITE_", "AWS_", "GOOGLE_"))}
    if azure:
        kept |= {"AZURE_STORAGE_USE_EMULATOR": "true", "AZURITE_BLOB_STORAGE_URL": f"http://127.0.0.1:{azure}"}
    if s3:
        kept |= {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT": f"http://127.0.0.1:{s3}",
            "AWS_ALLOW_HTTP": "true",
        }
    return kept | more


def command(arguments, lake, env, codes=(0, 3)):
    done = subprocess.run(
        [LIGHTSOUT, *arguments, "--lake", lake if "://" in lake else str(PLACE / lake), "--quiet"], env=env, capture_output=True, text=True
    )
    if done.returncode not in codes:
        sys.exit(f"cloud: lightsout {' '.join(arguments)} ended with {done.returncode}:\n{done.stderr}")
    return done


def ingest(arguments, lake, env):
    return json.loads(command(["ingest", *arguments, "--json"], lake, env).stdout)


def assess(lake, env):
    out = PLACE / (re.sub("[^a-z0-9]+", "-", lake) + "-out")
    command(["assess", "--as-of", "2026-10-31", "--roster", str(ROSTER), "--out", str(out)], lake, env)
    tables = {}
    for name in ("assessment", "protocol_usage", "coverage_gaps"):
        with open(out / f"{name}.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        # Names the evidence, which names the lake's own sources.
        tables[name] = [{k: v for k, v in row.items() if k != "decision_id"} for row in rows]
    count = "SELECT count(*), count(DISTINCT sign_in_id), min(signed_in_at), max(signed_in_at) FROM sign_in_records"
    tables["records"] = command(["sql", count, "--format", "csv"], lake, env).stdout
    command(["lake", "verify", "--deep"], lake, env, codes=(0,))
    return tables


def equal(found, expected, what):
    if found != expected:
        sys.exit(f"cloud: {what}: expected {expected}, found {found}")


def blobs():
    return {str(path.relative_to(LOGS)): path.read_bytes() for path in sorted(LOGS.rglob("*")) if path.is_file()}


def is_get(line):
    """Whether a request is for the bytes of a blob."""
    return line.startswith("GET") and "comp=list" not in line and "list-type" not in line


def gets(proxy):
    return [line for line in proxy.requests if is_get(line)]


def main():
    azurite_port, moto_port = free_port(), free_port()
    servers = [
        serve(
            [AZURITE, "--blobHost", "127.0.0.1", "--blobPort", str(azurite_port), "--inMemoryPersistence"]
            + ["--silent", "--skipApiVersionCheck", "--disableTelemetry"],
            azurite_port,
        ),
        serve([MOTO, "-H", "127.0.0.1", "-p", str(moto_port)], moto_port),
    ]
    try:
        check(azurite_port, moto_port)
    finally:
        for server in servers:
            server.terminate()
        shutil.rmtree(PLACE, ignore_errors=True)


def check(azurite_port, moto_port):
    service = BlobServiceClient(f"http://127.0.0.1:{azurite_port}/{ACCOUNT}", credential=KEY)
    s3 = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{moto_port}",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    files = blobs()
    container = service.create_container("logs")
    s3.create_bucket(Bucket="logs")
    for name, content in files.items():
        container.upload_blob(f"x/{name}", content)
        s3.put_object(Bucket="logs", Key=f"x/{name}", Body=content)
    say(f"{len(files)} files of sample data are in Azurite and in moto's server")

    here = environment()
    local = ingest([str(LOGS)], "local", here)
    expected = assess("local", here)
    say(f"local: {local['files']} files, {local['rows']} rows, {len(expected['assessment'])} tenants")

    azure_proxy, s3_proxy = Proxy(("127.0.0.1", azurite_port)), Proxy(("127.0.0.1", moto_port))
    azure, aws = environment(azure=azure_proxy.port), environment(s3=s3_proxy.port)
    for url, lake, env, proxy in [
        ("az://logs/x", "azure", azure, azure_proxy),
        ("s3://logs/x", "s3", aws, s3_proxy),
    ]:
        proxy.reset(throttle_every=9, break_every=13)
        report = ingest([url], lake, env)
        for count in ("files", "rows", "rejected", "records", "files_refused"):
            equal(report[count], local[count], f"{url}: {count}")
        equal(assess(lake, env), expected, f"{url}: the assessment")
        if not (proxy.throttled and proxy.broken):
            sys.exit("cloud: the proxy made no trouble")
        say(f"{url}: equal; {proxy.throttled} requests throttled, {proxy.broken} answers broken off")
        proxy.reset()
        report = ingest([url], lake, env)
        refused = local["files_refused"]
        equal((report["rows"], report["files_unread"]), (0, report["files"] - refused), f"{url}: second run")
        equal(len(gets(proxy)), refused, f"{url}: blobs that the second run reads")
        say(f"{url}: the second run reads none of {report['files']} blobs with {len(proxy.requests)} requests")
        again = ingest([url, "--again"], lake, env)
        equal((again["rows"], again.get("files_unread", 0)), (0, 0), f"{url}: --again")

    service.create_container("lakes")
    s3.create_bucket(Bucket="lakes")
    lakes.check(sys.modules[__name__], "az://lakes/a/lake", azure, azure_proxy, "az://logs/x", local, expected)
    lakes.check(sys.modules[__name__], "s3://lakes/lake", aws, s3_proxy, "s3://logs/x", local, expected)
    append(service, azure, azure_proxy)
    since(azure, azure_proxy)
    shards(azure, expected, local)
    wrong_settings(azure)
    latency(container, azure, azure_proxy)
    say("all holds")


def append(service, env, proxy):
    """A blob that is appended to, as diagnostic settings do within the hour."""
    tenant = "tenantId=f7fd8b2d-fc26-45b7-a0fb-8b8d91076163"
    lines = [line for path in sorted(LOGS.glob(f"insights-logs-signinlogs/{tenant}/**/PT1H.json"))
             for line in path.read_bytes().splitlines(keepends=True)][:30]
    lines = [line if line.endswith(b"\n") else line + b"\n" for line in lines]
    container = service.create_container("insights-logs-signinlogs")
    blob = container.get_blob_client(f"{tenant}/y=2026/m=10/d=05/h=08/m=00/PT1H.json")
    blob.create_append_blob()
    proxy.reset()
    rows = 0
    for part in (lines[:10], lines[10:25], lines[25:]):
        blob.append_block(b"".join(part))
        report = ingest(["az://insights-logs-signinlogs/", "--dry-run"], "append", env)
        prefix = report["each"][0].get("prefix_bytes", 0)
        equal(report["each"][0]["records"], len(part), "records behind what the lake has")
        if (prefix > 0) != (rows > 0):
            sys.exit(f"cloud: a blob that has grown was read from byte {prefix}")
        report = ingest(["az://insights-logs-signinlogs/"], "append", env)
        rows += report["rows"]
    equal(rows, len(lines), "rows of a blob that has grown twice")
    equal(ingest(["az://insights-logs-signinlogs/"], "append", env)["files_unread"], 1, "once it grows no more")
    found = command(["sql", "SELECT DISTINCT channel FROM sources", "--format", "csv"], "append", env).stdout
    equal(found.split(), ["channel", "az://"], "the channel of a container that is named by its category")
    say(f"an append blob that grows twice: {rows} rows, each read once")


def since(env, proxy):
    proxy.reset()
    report = ingest(["az://logs/x", "--since", "2026-10-20", "--dry-run"], "since", env)
    names = [file["path"] for file in report["each"]]
    day = re.compile(r"/y=(\d+)/m=(\d+)/d=(\d+)/")
    is_earlier = lambda name: bool(day.search(name)) and day.search(name).groups() < ("2026", "10", "20")
    equal(sorted(names), sorted(f"az://logs/x/{name}" for name in blobs() if not is_earlier(name)), "--since")
    equal(any("d%3D05%2F" in line for line in proxy.requests), False, "older days are not listed")
    say(f"--since passes {len(blobs()) - len(names)} of {len(blobs())} blobs")


def shards(env, expected, local):
    def run(shard):
        return ingest(["az://logs/x", "--shard", shard, "--jobs", "1"], "shards", env)

    # One of them is given twice by mistake.
    with concurrent.futures.ThreadPoolExecutor(5) as pool:
        reports = list(pool.map(run, ["1/4", "2/4", "3/4", "4/4", "2/4"]))
    equal(sum(report["files"] for report in reports[:4]), local["files"], "files of four shards")
    equal(sum(report["rows"] for report in reports), local["rows"], "rows of four shards, one of them twice")
    equal(assess("shards", env), expected, "the assessment of four shards")
    say("four shards, one of them twice: equal")
    kills = 0
    for pause in (0.05, 0.15, 0.3, 0.5, 0.8, 1.2):
        process = subprocess.Popen(
            [LIGHTSOUT, "ingest", "az://logs/x", "--lake", str(PLACE / "killed"), "--quiet"], env=env,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        time.sleep(pause)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            kills += 1
        process.wait()
    ingest(["az://logs/x"], "killed", env)
    equal(assess("killed", env), expected, "the assessment after kills")
    say(f"killed {kills} times and run again: equal")


def wrong_settings(azure):
    no_account = command(["ingest", "az://logs/x"], "none", environment(), codes=(1, 2)).stderr
    no_container = command(["ingest", "abfss://logs@example.dfs.core.windows.net/x", "--dry-run"], "none",
                           environment(AZURE_STORAGE_ENDPOINT="http://127.0.0.1:9", AZURE_ALLOW_HTTP="true"),
                           codes=(1, 2)).stderr
    for name, text in [("AZURE_STORAGE_ACCOUNT_NAME", no_account), ("AZURE_STORAGE_SAS_TOKEN", no_container)]:
        if name not in text:
            sys.exit(f"cloud: expected {name} in: {text}")
    cache = {"LIGHTSOUT_CACHE": str(PLACE / "cache-wrong")}
    no_lake = command(["lake", "status"], "az://lakes/none", azure | cache, codes=(1,)).stderr
    no_container = command(["lake", "status"], "az://none/lake", azure | cache, codes=(1,)).stderr
    no_account = command(["lake", "status"], "az://lakes/lake", environment() | cache, codes=(1,)).stderr
    no_scheme = command(["lake", "status"], "ftp://lakes/lake", environment() | cache, codes=(2,)).stderr
    no_repair = command(["lake", "repair"], "az://lakes/lake", azure | cache, codes=(2,)).stderr
    for said, text in [
        ("there is no lake at az://lakes/none", no_lake),
        ("az://none/lake", no_container),
        ("AZURE_STORAGE_ACCOUNT_NAME", no_account),
        ("an unknown scheme", no_scheme),
        ("works on folders only", no_repair),
    ]:
        if said not in text:
            sys.exit(f"cloud: expected {said} in: {text}")
    say("what is missing is named")


def latency(container, env, proxy, count=100):
    line = next(iter(sorted(LOGS.glob("insights-logs-signinlogs/**/PT1H.json")))).read_bytes().splitlines()[0]
    for number in range(count):
        record = json.loads(line)
        record["properties"]["id"] = f"00000000-0000-4000-8000-{number:012d}"
        container.upload_blob(f"small/{number:05d}.json", json.dumps(record))
    taken = {}
    for connections in (1, 64):
        proxy.reset(latency=0.1)
        report = ingest(["az://logs/small", "--connections", str(connections)], f"small-{connections}", env)
        times = [at for line, at in zip(proxy.requests, proxy.times) if is_get(line)]
        equal(len(times), count, "blobs that were read")
        taken[connections] = times[-1] - times[0]
        equal(report["rows"], count, "rows of small blobs")
        equal(proxy.in_flight_max <= connections + 3, True, f"requests in flight ({proxy.in_flight_max})")
    say(
        f"{count} small blobs, 100 ms a request: {taken[1]:.1f} s with 1 connection, {taken[64]:.1f} s with 64 "
        f"({taken[1] / taken[64]:.1f} x), from the first blob to the last"
    )
    if taken[1] < 4 * taken[64]:
        sys.exit("cloud: more connections are hardly faster")


if __name__ == "__main__":
    try:
        main()
    except AzureError as error:
        sys.exit(f"cloud: {error}")

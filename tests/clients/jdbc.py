"""pgjdbc as Debian has it, run from a single source file. Needs a JDK and libpostgresql-jdbc-java."""
import json
import os
import pathlib
import shutil
import subprocess

from common import holds
from worker import Skipped

JAR = pathlib.Path(os.environ.get("CLIENT_JDBC_JAR", "/usr/share/java/postgresql.jar"))


def cases(at):
    if not shutil.which("javac"):
        raise Skipped("there is no JDK")
    if not JAR.exists():
        raise Skipped(f"there is no {JAR} (libpostgresql-jdbc-java)")
    source = pathlib.Path(__file__).with_name("Jdbc.java")
    environment = {**os.environ, "TZ": "Europe/Berlin"}
    first, count = at.by_protocol[0]
    command = ["java", "-XX:TieredStopAtLevel=1", "-cp", str(JAR), str(source), str(at.port), str(at.sign_ins), str(len(at.columns)), first, str(count)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, env=environment)
    holds(done.returncode == 0, done.stdout + done.stderr)

    def case(ok, said):
        holds(ok, said)

    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return {one["case"]: (lambda one=one: case(one["ok"], one["said"])) for one in found}

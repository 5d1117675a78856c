"""node-postgres. Its package is put into CLIENT_NODE_MODULES by .ci/clients."""
import json
import os
import pathlib
import shutil
import subprocess

from common import holds
from worker import Skipped


def cases(at):
    modules = os.environ.get("CLIENT_NODE_MODULES")
    if not shutil.which("node") or not modules:
        raise Skipped("there is no node, or no CLIENT_NODE_MODULES with pg")
    script = pathlib.Path(__file__).with_name("client.cjs")
    first, count = at.by_protocol[0]
    environment = {**os.environ, "NODE_PATH": modules}
    command = ["node", str(script), str(at.port), str(at.sign_ins), first, str(count)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, env=environment)
    holds(done.returncode == 0, done.stdout + done.stderr)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return {one["case"]: (lambda one=one: holds(one["ok"], one["said"])) for one in found}

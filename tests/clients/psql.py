"""psql as Debian has it: its backslash commands."""
import os
import pathlib
import shutil
import subprocess
import tempfile

from common import BY_PROTOCOL, equal, holds
from worker import Skipped

# A command, and what its answer must hold.
COMMANDS = {
    "\\d": "sign_ins", "\\d+": "sign_ins", "\\d sign_ins": "signed_in_at", "\\d+ sign_ins": "signed_in_at",
    "\\d sources": "Table \"public.sources\"", "\\d+ sources": "Table \"public.sources\"", "\\d public.*": "sign_ins",
    "\\d pg_catalog.pg_class": "relname", "\\dt": "sources", "\\dt+": "sources", "\\dv": "sign_ins", "\\dv+": "sign_ins",
    "\\dt public.s*": "sources", "\\dn": "public", "\\dn+": "public", "\\l": "lightsout", "\\l+": "lightsout", "\\df": "",
    "\\dfS upper": "upper", "\\du": "", "\\du+": "", "\\dg": "", "\\di": "", "\\ds": "", "\\dm": "", "\\dT": "",
    "\\dTS timestamptz": "timestamp with time zone", "\\dp": "sign_ins", "\\z": "sign_ins", "\\db": "", "\\dx": "",
    "\\dD": "", "\\dC int4": "", "\\dd": "", "\\da": "", "\\do =": "", "\\dO": "", "\\dc": "", "\\dF": "", "\\dE": "",
    "\\dL": "", "\\dRp": "", "\\dX": "", "\\dy": "", "\\det": "", "\\drds": "", "\\ddp": "", "\\dconfig": "",
    "\\conninfo": "lightsout", "\\sv usage_by_protocol": "SELECT", "\\encoding": "UTF8",
}


def cases(at):
    if not shutil.which("psql"):
        raise Skipped("there is no psql")
    base = ["psql", "-X", "-h", at.host, "-p", str(at.port), "-U", at.user, "-d", at.database]
    environment = {**os.environ, "PAGER": ""}

    def run(*arguments, text=None, **more):
        done = subprocess.run([*base, *arguments], input=text, capture_output=True, text=True, timeout=60, env=environment, **more)
        problem = [line for line in done.stderr.splitlines() if "ERROR" in line or "FATAL" in line or "unexpected" in line]
        holds(done.returncode == 0 and not problem, done.stdout + done.stderr)
        return done.stdout

    def command(text, part):
        found = run("-c", text)
        holds(part in found, found)

    def no_warning():
        done = subprocess.run([*base], input="SELECT 1;\n\\q\n", capture_output=True, text=True, env=environment)
        holds("WARNING" not in done.stdout + done.stderr, done.stdout + done.stderr)

    def copied():
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, "out.csv")
            run("-c", f"\\copy ({BY_PROTOCOL}) TO '{file}' WITH (FORMAT csv, HEADER)")
            equal(file.read_text().splitlines(), ["protocol,n"] + [f"{protocol},{count}" for protocol, count in at.by_protocol])
            run("-c", f"\\copy sources TO '{file}' BINARY")
            holds(file.read_bytes().startswith(b"PGCOPY"), file.read_bytes()[:20])

    def refused():
        done = subprocess.run([*base, "-v", "VERBOSITY=verbose", "-c", "COPY sources TO '/tmp/x'"], capture_output=True, text=True)
        holds("25006" in done.stderr, done.stderr)

    def watched():
        watch = subprocess.Popen([*base, "-At"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**environment, "PSQL_WATCH_PAGER": ""})
        try:
            watch.stdin.write("SELECT 'seen' \\watch 0.2\n")
            watch.stdin.flush()
            seen = 0
            while seen < 2:
                line = watch.stdout.readline()
                holds(line, "it ended")
                seen += "seen" in line
        finally:
            watch.kill()
            watch.wait()

    def in_parts():
        equal(run("-At", "-v", "FETCH_COUNT=10", "-c", "SELECT x FROM generate_series(1, 25) AS t(x)").split(), [str(n) for n in range(1, 26)])

    def several():
        equal(run("-At", "-c", "BEGIN; SAVEPOINT a; SELECT 1; ROLLBACK TO a; RELEASE a; COMMIT").split("\n"), ["BEGIN", "SAVEPOINT", "1", "ROLLBACK", "RELEASE", "COMMIT", ""])

    found = {text: (lambda text=text, part=part: command(text, part)) for text, part in COMMANDS.items()}
    found |= {
        "no warning about versions": no_warning, "\\copy": copied, "COPY to a file is refused": refused, "\\watch": watched,
        "FETCH_COUNT": in_parts, "several statements": several,
        "\\gdesc": lambda: holds("timestamp with time zone" in run(text="SELECT signed_in_at FROM sign_ins \\gdesc\n"), "gdesc"),
        "\\timing": lambda: holds("Time:" in run(text="\\timing on\nSELECT 1;\n"), "timing"),
        "\\gx": lambda: holds("RECORD" in run(text="SELECT 1 AS one \\gx\n"), "gx"),
        "\\crosstabview": lambda: run(text="SELECT 1 AS a, 'x' AS b, 2 AS c \\crosstabview\n"),
    }
    return found

"""Watches the system calls of each command that writes a lake, and works out what a power cut would take.

A disk may lose whatever was not synced: the content of a file until fsync, and a name until its folder is synced.
Three laws are checked:

1. When a command has ended with 0, nothing of the lake or of the lists and notices can be lost.
2. When an entry of a table's log gets its name, every data file that it adds and the manifest of its batch are
   safe: an entry that outlives its files would be a lake that cannot be read.
3. When an entry of the lake's log gets its name, everything else of the lake is safe: it names what readers see.

Needs strace. `power_cut.py BINARY`; exits with 1 and names the files if a law is broken.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

CALLS = ("open,openat,creat,write,pwrite64,writev,pwritev,pwritev2,sendfile,copy_file_range,ftruncate,fallocate,"
         "fsync,fdatasync,syncfs,rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat")
# Hold locks, not data.
EPHEMERAL = {"_lock", "_in_use"}
WRITES = {"write", "pwrite64", "writev", "pwritev", "pwritev2", "ftruncate", "fallocate"}
CALL = re.compile(r"^(\w+)\((.*)\)\s+= (-?\d+)")
FD = re.compile(r"^(?:AT_FDCWD|\d+)<([^>]*)>")
TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')


OPERATOR = """
[operator]
name = "Example Cloud Services"
contact = "the service desk, +1 555 0100"
reply_to = "basic-auth@example.com"
"""
ONE_RECORD = (
    '{"time":"2026-10-05T08:00:00Z","category":"SignInLogs","tenantId":"0fda5d4e-7cf5-4b52-9c0a-0a35f1ad2f55",'
    '"properties":{"id":"5b0a4c1e-0000-4000-8000-0000000000%02d","createdDateTime":"2026-10-05T08:00:00Z",'
    '"userPrincipalName":"kim@example.com","clientAppUsed":"Browser","status":{"errorCode":0}}}\n'
)


class Disk:
    """What would be left of the files below a folder, of which one is the lake."""

    def __init__(self, root, lake):
        self.root = str(root)
        self.lake = str(lake)
        self.unsynced_content = set()
        self.unsynced_names = set()
        self.entries = []  # (path, what was not safe when it got its name)
        self.checkpoints = 0

    def below(self, path):
        return path == self.root or path.startswith(self.root + "/")

    def named(self, path):
        self.unsynced_names.add(path)
        self.checkpoints += path.endswith(".checkpoint.parquet")
        if re.search(r"/(_delta_log|_commits)/\d{20}\.json$", path):
            of_lake = {other for other in self.unsafe() if other.startswith(self.lake)}
            self.entries.append((path, of_lake - {path}))

    def synced(self, path):
        self.unsynced_content.discard(path)
        self.unsynced_names = {name for name in self.unsynced_names if os.path.dirname(name) != path}

    def all_synced(self):
        self.unsynced_content.clear()
        self.unsynced_names.clear()

    def gone(self, path):
        self.unsynced_content.discard(path)
        self.unsynced_names.discard(path)

    def moved(self, old, new, stays):
        if old in self.unsynced_content:
            self.unsynced_content.add(new)
        if not stays:
            self.gone(old)
        self.named(new)

    def unsafe(self):
        return {path for path in self.unsynced_content | self.unsynced_names
                if os.path.basename(path) not in EPHEMERAL}


def joined(trace):
    """Lines of one call each; a call that another thread interrupted stands where it ended."""
    waiting = {}
    for line in trace:
        pid, _, rest = line.rstrip("\n").partition(" ")
        rest = rest.strip()
        if rest.endswith("<unfinished ...>"):
            waiting[pid] = rest.removesuffix("<unfinished ...>").rstrip()
        elif rest.startswith("<... "):
            yield waiting.pop(pid, "") + rest.partition("resumed>")[2]
        else:
            yield rest


def paths_of(arguments, cwd):
    """Absolute paths that a call names. Relative ones are below the folder that stands before them."""
    paths = []
    for text in TEXT.finditer(arguments):
        path = text.group(1)
        before = FD.search(arguments[: text.start()].split(", ")[-2] if ", " in arguments[: text.start()] else "")
        base = before.group(1) if before else cwd
        paths.append(os.path.normpath(os.path.join(base, path)))
    return paths


def replay(trace, disk, cwd, existed):
    """`existed`: what was there before the command."""
    for line in joined(trace):
        call = CALL.match(line)
        if not call or int(call.group(3)) < 0:
            continue
        name, arguments = call.group(1), call.group(2)
        if name in WRITES | {"fsync", "fdatasync", "syncfs"}:
            file = FD.match(arguments)
            if not file:
                continue
            if name == "syncfs":
                disk.all_synced()
            elif name not in WRITES:
                disk.synced(file.group(1))
            elif disk.below(file.group(1)):
                disk.unsynced_content.add(file.group(1))
            continue
        paths = [path for path in paths_of(arguments, cwd) if disk.below(path)]
        if not paths:
            continue
        if name in {"open", "openat", "creat"}:
            if ("O_CREAT" in arguments or name == "creat") and paths[0] not in existed:
                existed.add(paths[0])
                disk.named(paths[0])
                disk.unsynced_content.add(paths[0])
            elif "O_TRUNC" in arguments:
                disk.unsynced_content.add(paths[0])
        elif name.startswith("mkdir"):
            existed.add(paths[0])
            disk.named(paths[0])
        elif name.startswith("unlink"):
            existed.discard(paths[0])
            disk.gone(paths[0])
        elif len(paths) == 2:
            existed.add(paths[1])
            if name.startswith("rename"):
                existed.discard(paths[0])
            disk.moved(paths[0], paths[1], stays=name.startswith("link"))


def broken(disk):
    for path in sorted(disk.unsafe()):
        yield f"could be lost after exit 0: {path}"
    for entry, unsafe in disk.entries:
        if Path(entry).parent.name == "_commits":
            # The name of the entry under which it was written goes with the folder's.
            for path in sorted(path for path in unsafe if not path.startswith(entry)):
                yield f"was not safe when {entry} named it: {path}"
            continue
        table = Path(entry).parent.parent
        actions = [json.loads(line) for line in Path(entry).read_text().splitlines()]
        adds = {str(table / action["add"]["path"]) for action in actions if "add" in action}
        manifests = {path for path in unsafe if "/_batches/" in path}
        for path in sorted((adds & unsafe) | manifests):
            yield f"was not safe when {entry} was committed: {path}"


def main():
    binary = Path(sys.argv[1]).resolve()
    project = Path(__file__).resolve().parent.parent.parent
    sample = project / "sample-data"
    failures = checkpoints = 0
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder).resolve()
        lake, out = folder / "deep" / "lake", folder / "out"
        trace = folder / "trace"
        logs = sorted((sample / "logs").iterdir())
        operated = folder / "operated.toml"
        shown = subprocess.run([binary, "campaign", "show"], check=True, capture_output=True, text=True).stdout
        operated.write_text(shown + OPERATOR)
        commands = [
            ("ingest, which creates the lake", ["ingest", logs[0]]),
            ("ingest into it", ["ingest", *logs[1:]]),
            ("assess", ["assess", "--roster", sample / "roster.csv", "--out", out]),
            ("campaign announce", ["campaign", "announce", "--roster", sample / "roster.csv", "--now", "2026-11-02",
                                   "--campaign", operated, "--out", out]),
            ("campaign recheck", ["campaign", "recheck", "--roster", sample / "roster.csv", "--now", "2026-11-03",
                                  "--out", out]),
            ("lake compact", ["lake", "compact"]),
            ("ingest again", ["ingest", *logs]),
        ]
        # The log of a table gets a checkpoint with every twentieth commit.
        for number in range(20):
            record = folder / f"one_more_{number}.json"
            record.write_text(ONE_RECORD % number)
            commands.append((f"one more record ({number})", ["ingest", record]))
        for what, arguments in commands:
            line = ["strace", "-f", "-y", "-s", "4096", "-e", f"trace={CALLS}", "-o", trace, binary, *arguments,
                    "--lake", lake, "--quiet"]
            disk = Disk(folder, lake)
            before = {str(path) for path in folder.rglob("*")}
            done = subprocess.run([str(part) for part in line], cwd=folder, capture_output=True, text=True)
            if done.returncode not in (0, 3, 4):
                sys.exit(f"{what}: exit {done.returncode}: {done.stderr}")
            with open(trace, encoding="utf-8", errors="replace") as lines:
                replay(lines, disk, str(folder), before)
            found = list(broken(disk))
            failures += len(found)
            checkpoints += disk.checkpoints
            print(f"{what}: {len(disk.entries)} commits, {len(found)} violations")
            for text in found[:10]:
                print(f"  {text}")
        if not checkpoints:
            failures += 1
            print("no checkpoint was written, so none was looked at")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()

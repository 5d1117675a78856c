"""Kills the program, or fails a system call of it, at every file operation of the commands that change a lake.

`fault.c` is compiled and loaded before the program. For each operation that a command makes below its folder, and each
way to disturb it, the command is run on a fresh copy of the lake. Then:

1. If it ended with an error, that names the file and says what the system said. If it ended with success all the
   same, the lake and the lists hold everything.
2. Else the same command once more, undisturbed, ends as it does on a lake that nothing happened to, and the lake verifies.

`failing_calls.py BINARY [--every K] [--only NAME] [--modes kill,EIO,...]`; without `--every` all operations are tried
in all ways.
Needs a C compiler, and strace to know that no call is overlooked. Exits with 1 if something was wrong.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from recording import joined
from story import Digests, Program, measure, prepare, write_logs

KILLS = ["kill", "tear"]
ERRORS = {"EIO": "Input/output error", "ENOSPC": "No space left on device", "full": "No space left on device"}
MODES = [*KILLS, *ERRORS, "short"]
CALL = re.compile(r"^(\w+)\((.*)\)\s+= ")
NAMES = {"openat": "open", "creat": "open", "writev": "write", "pwrite64": "write"}
WATCHED = ("open,openat,creat,write,writev,pwrite64,fsync,fdatasync,syncfs,ftruncate,rename,renameat,renameat2,link,"
           "linkat,unlink,unlinkat,rmdir,mkdir,mkdirat,pwritev,sendfile,copy_file_range,fallocate,truncate,symlink")
# Made without the C library, so strace fails it.
DIRECT = "syncfs"


class Bench:
    def __init__(self, program, digests, root, library):
        self.program = program
        self.digests = digests
        self.root = root
        self.library = library
        self.number = 0
        self.lock = threading.Lock()

    def place(self, command=None):
        with self.lock:
            self.number += 1
            place = self.root / f"place_{self.number}"
        if command:
            shutil.copytree(command.before, place)
        else:
            place.mkdir()
        return place

    def run(self, place, command, mode=None, at=0):
        """Runs the command with the library; what came of it, and the calls that were counted."""
        log = place.with_suffix(".log")
        env = {"LD_PRELOAD": str(self.library), "FAULT_ROOT": str(place), "FAULT_LOG": str(log)}
        if mode:
            env |= {"FAULT_MODE": mode, "FAULT_AT": str(at)}
        done = self.program.run(place, command.arguments, env)
        calls = [line.split(" ", 2)[1:] for line in log.read_text().splitlines()] if log.exists() else []
        calls = [(name.removesuffix("64"), path) for name, path in calls]
        log.unlink(missing_ok=True)
        return done, calls

    def calls(self, command):
        """The calls of an undisturbed run, and those that only strace sees."""
        place = self.place(command)
        _, calls = self.run(place, command)
        shutil.rmtree(place)
        place = self.place(command)
        trace = place.with_suffix(".trace")
        self.program.run(place, command.arguments,
                         before=["strace", "-f", "-y", "-e", f"trace={WATCHED}", "-o", str(trace)])
        seen = Counter()
        with open(trace, encoding="utf-8", errors="replace") as lines:
            for line in joined(lines):
                call = CALL.match(line)
                if call and is_change(call.group(1), call.group(2), str(place)):
                    seen[NAMES.get(call.group(1), call.group(1))] += 1
        trace.unlink()
        shutil.rmtree(place)
        return calls, seen - Counter(name for name, _ in calls)

    def try_one(self, command, mode, at):
        """What is wrong after one disturbance, and whether the command took it for success."""
        place = self.place(command)
        try:
            done, calls = self.run(place, command, mode, at)
            if len(calls) < at:
                return [], "not reached"
            name, path = calls[at - 1]
            # A disk that stays full fails more than one call, and the error can be of any of them.
            paths = {called for _, called in calls[at - 1:]} if mode == "full" else {path}
            what = f"{command.name}: {mode} at {at}, {name} {os.path.relpath(path, place)}"
            wrong = [f"{what}: {text}" for text in self.judge(command, place, done, mode, paths)]
            for text in wrong:
                print(f"  {text}", flush=True)
            return wrong, done.returncode
        finally:
            shutil.rmtree(place)

    def try_direct(self, command):
        """The same for the call that the library does not see."""
        place = self.place(command)
        before = ["strace", "-f", "-o", "/dev/null", "-e", f"trace={DIRECT}", "-e", f"inject={DIRECT}:error=EIO"]
        done = self.program.run(place, command.arguments, before=before)
        wrong = self.judge(command, place, done, "EIO", {str(place / "out")})
        if done.returncode != 1:
            wrong.append(f"expected an error, but it ends with {done.returncode}")
        shutil.rmtree(place)
        return [f"{command.name}: EIO at {DIRECT}: {text}" for text in wrong]

    def judge(self, command, place, done, mode, paths):
        wrong = []
        # What readers see in between is for power_cuts.py, which has the same moments and more.
        went_on = done.returncode in command.codes
        if went_on:
            texts = command.wrong(self.digests.of(place), place)
            wrong += [f"it ends with {done.returncode}, but {text}" for text in texts]
        if mode in KILLS and done.returncode != -9:
            wrong.append(f"expected it to be killed, but it ends with {done.returncode}")
        if mode in ERRORS and done.returncode not in command.codes:
            said = done.stderr.strip()
            files = {final_name(os.path.relpath(path, place)) for path in paths}
            names = files | {os.path.dirname(file) or file for file in files}
            if done.returncode != 1:
                wrong.append(f"expected exit 1, found {done.returncode}: {said}")
            elif ERRORS[mode] not in said:
                wrong.append(f"the message lacks '{ERRORS[mode]}': {said}")
            elif not any(name in said for name in names):
                wrong.append(f"the message does not name the file: {said}")
        if mode == "short" and done.returncode not in command.codes:
            wrong.append(f"a short write is none of its problems, but it ends with {done.returncode}: {done.stderr}")
        if not went_on:
            again = self.program.run(place, command.arguments)
            if again.returncode not in command.codes:
                wrong.append(f"once more ends with {again.returncode}: {again.stderr.strip()}")
            wrong += [f"once more: {text}" for text in command.wrong(self.digests.of(place), place)]
        verified = self.program.run(place, ["lake", "verify"])
        if verified.returncode != 0:
            wrong.append(f"verify ends with {verified.returncode}: {verified.stderr.strip()}")
        return wrong


def final_name(path):
    """The name that a file gets when all of it is there."""
    folder, name = os.path.split(re.sub(r"(#\d+)?( \(deleted\))?$", "", path))
    part = re.fullmatch(r"\.(.+)\.\d+\.part", name)
    return os.path.join(folder, part.group(1) if part else name)


def is_change(name, arguments, root):
    if root not in arguments:
        return False
    if name in {"open", "openat", "creat"}:
        return any(flag in arguments for flag in ("O_CREAT", "O_TRUNC", "O_WRONLY", "O_RDWR")) or name == "creat"
    return True


def compiled(folder):
    library = folder / "fault.so"
    source = Path(__file__).resolve().parent / "fault.c"
    subprocess.run(["cc", "-O1", "-Wall", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("binary")
    arguments.add_argument("--every", type=int, metavar="K", help="only each Kth operation, in one way, each in turn")
    arguments.add_argument("--only", action="append", help="the name of a command")
    arguments.add_argument("--modes", default=",".join(MODES))
    arguments.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = arguments.parse_args()
    modes = arguments.modes.split(",")
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        logs = root / "logs"
        logs.mkdir()
        write_logs(logs)
        program = Program(arguments.binary, logs)
        commands = prepare(program, root)
        digests = Digests(program)
        bench = Bench(program, digests, root, compiled(root))
        print(f"{'command':24}{'operations':>11}{'kills':>7}{'errors':>8}{'short':>7}{'went on':>9}{'failed':>8}", flush=True)
        with ThreadPoolExecutor(arguments.jobs) as pool:
            for command in commands:
                if arguments.only and command.name not in arguments.only:
                    continue
                measure(program, digests, command, bench.place())
                calls, direct = bench.calls(command)
                wrong = [f"{command.name}: not counted: {name}" for name in direct if name != DIRECT]
                points = []
                for number, at in enumerate(range(1, len(calls) + 1, arguments.every or 1)):
                    ways = [mode for mode in modes if is_new(mode, calls[at - 1][0])]
                    # Of a sample, each operation is disturbed in another way than the one before.
                    points += [(at, mode) for mode in ([ways[number % len(ways)]] if arguments.every else ways)]
                found = list(pool.map(lambda point: bench.try_one(command, point[1], point[0]), points))
                errors = sum(mode in ERRORS for _, mode in points)
                if DIRECT in direct:
                    errors += 1
                    wrong += bench.try_direct(command)
                went_on = sum(mode in ERRORS and code in command.codes for (_, mode), (_, code) in zip(points, found))
                failed = len(wrong) + sum(len(texts) for texts, _ in found)
                print(f"{command.name:24}{len(calls):11}{sum(mode in KILLS for _, mode in points):7}{errors:8}"
                      f"{sum(mode == 'short' for _, mode in points):7}{went_on:9}{failed:8}", flush=True)
                for text in wrong:
                    print(f"  {text}", flush=True)
                failures += failed
    sys.exit(1 if failures else 0)


def is_new(mode, call):
    """Whether a mode does something else than another one to this call."""
    return call == "write" if mode in {"tear", "short"} else True


if __name__ == "__main__":
    main()

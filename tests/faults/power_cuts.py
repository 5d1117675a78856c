"""Cuts the power at every file operation of the commands that change a lake, and opens what the disk may hold then.

Each command is recorded once. After each of its operations the trees that a cut may leave (`disk.py`) are built, and
the real program is run on them:

1. After the command has ended, whatever was lost, the lake and the lists hold everything it did.
2. At any earlier cut the lake holds what it held before the command or after it, verifies, and the same command once
   more ends as an undisturbed one: the same rows in every table, the same lists and notices.
3. The same as 1 for a command that finishes what a killed one began: what that one did not sync is lost as well.

`power_cuts.py BINARY [--most N] [--only NAME]`; without `--most` every tree is tried. Needs strace. Exits with 1 and
says what was lost if something was.
"""

import argparse
import copy
import hashlib
import os
import shutil
import sys
import tempfile
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from disk import Disk, build
from recording import Recording, strace
from story import Digests, Program, differences, measure, prepare, write_logs


class Case:
    """A tree that a cut may leave, and how it came about."""

    def __init__(self, what, tree, ended):
        self.what = what
        self.tree = tree
        self.ended = ended  # whether the command had ended with success

    def key(self):
        key = hashlib.sha256(str(self.ended).encode())
        for path, content in sorted(self.tree.items()):
            key.update(f"{path}\0{content is None}\0".encode())
            key.update(hashlib.sha256(content or b"").digest())
        return key.digest()


class Bench:
    """Places to work in, and the recordings of one command."""

    def __init__(self, program, digests, root):
        self.program = program
        self.digests = digests
        self.root = root
        self.number = 0
        self.lock = threading.Lock()

    def place(self):
        with self.lock:
            self.number += 1
            place = self.root / f"place_{self.number}"
        place.mkdir()
        return place

    def record(self, command, disk, place):
        """Runs the command in a place that is as `disk` says, and yields each operation."""
        trace = place.with_suffix(".trace")
        done = self.program.run(place, command.arguments, before=strace(trace))
        if done.returncode not in command.codes:
            raise SystemExit(f"{command.name}: exit {done.returncode} while it was recorded: {done.stderr}")
        yield from Recording(disk, place).play(trace)
        trace.unlink()

    def cases(self, command):
        """Every tree that a cut may leave, each once, and the disk as each kill leaves it."""
        place = self.place()
        shutil.copytree(command.before, place, dirs_exist_ok=True)
        disk = Disk(place)
        cases, kills = {}, []
        for number, name in enumerate(self.record(command, disk, place), 1):
            kills.append((f"{command.name}, {name} ({number})", copy.deepcopy(disk)))
            for lost, tree in disk.trees():
                case = Case(f"{command.name}, {name} ({number}): {lost}", tree, ended=False)
                cases.setdefault(case.key(), case)
        ends = {}
        for lost, tree in disk.trees():
            case = Case(f"{command.name}, ended: {lost}", tree, ended=True)
            ends.setdefault(case.key(), case)
        shutil.rmtree(place)
        return list(cases.values()), list(ends.values()), kills

    def check(self, command, case):
        """What is wrong with the lake after a cut."""
        place = self.place()
        build(case.tree, place)
        try:
            if case.ended:
                return self.check_end(command, case, place)
            held = self.digests.of(place)
            if held != command.start and held not in command.ends and not (command.start is None and held == Counter()):
                return [f"{case.what}: neither what was there before nor after: {differences(held, command)}"]
            if held is not None:
                verified = self.program.run(place, ["lake", "verify"])
                if verified.returncode != 0:
                    return [f"{case.what}: verify ends with {verified.returncode}: {verified.stderr.strip()}"]
            again = self.program.run(place, command.arguments)
            if again.returncode not in command.codes:
                return [f"{case.what}: once more ends with {again.returncode}: {again.stderr.strip()}"]
            return self.check_end(command, case, place)
        finally:
            shutil.rmtree(place)

    def check_end(self, command, case, place):
        wrong = [f"{case.what}: {text}" for text in command.wrong(self.digests.of(place), place)]
        verified = self.program.run(place, ["lake", "verify"])
        if verified.returncode != 0:
            wrong.append(f"{case.what}: verify ends with {verified.returncode}: {verified.stderr.strip()}")
        return wrong

    def check_kill(self, command, kill):
        """A killed command is run again, and then the power is cut. The number of trees, and what is wrong."""
        what, disk = kill
        place = self.place()
        build(disk.tree(lambda node: node.unsynced if hasattr(node, "names") else node.content), place)
        disk.path = str(place)
        for _ in self.record(command, disk, place):
            pass
        shutil.rmtree(place)
        ends = {}
        for lost, tree in disk.trees():
            if lost in {"all lost", "a name lost"}:
                case = Case(f"killed at {what}, run again, ended: {lost}", tree, ended=True)
                ends.setdefault(case.key(), case)
        wrong = [text for case in ends.values() for text in self.check(command, case)]
        return len(ends), wrong


def sample(cases, most):
    """Some of them, evenly spread, always the same."""
    if most is None or len(cases) <= most:
        return cases
    return [cases[number * len(cases) // most] for number in range(most)]


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("binary")
    arguments.add_argument("--most", type=int, help="trees and kills of each command at most")
    arguments.add_argument("--only", action="append", help="the name of a command")
    arguments.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = arguments.parse_args()
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        logs = root / "logs"
        logs.mkdir()
        write_logs(logs)
        program = Program(arguments.binary, logs)
        commands = prepare(program, root)
        digests = Digests(program)
        bench = Bench(program, digests, root)
        with ThreadPoolExecutor(arguments.jobs) as pool:
            print(f"{'command':24}{'operations':>11}{'trees':>8}{'tried':>8}{'at the end':>11}{'kills':>7}{'failed':>8}",
                  flush=True)
            for command in commands:
                if arguments.only and command.name not in arguments.only:
                    continue
                measure(program, digests, command, bench.place())
                cases, ends, kills = bench.cases(command)
                tried, ends = sample(cases, arguments.most), sample(ends, arguments.most)
                # Between giving a name and syncing its folder, a kill leaves what the next process sees and a cut takes.
                named = [kill for kill in kills if ", link" in kill[0]] if arguments.most else []
                killed = sample(named or kills, arguments.most and max(arguments.most // 4, 1))
                wrong = [text for found in pool.map(lambda case: bench.check(command, case), tried + ends)
                         for text in found]
                after_kills = list(pool.map(lambda kill: bench.check_kill(command, kill), killed))
                wrong += [text for _, found in after_kills for text in found]
                at_end = len(ends) + sum(count for count, _ in after_kills)
                print(f"{command.name:24}{len(kills):11}{len(cases):8}{len(tried):8}{at_end:11}{len(killed):7}"
                      f"{len(wrong):8}", flush=True)
                for text in wrong[:20]:
                    print(f"  {text}", flush=True)
                failures += wrong
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()

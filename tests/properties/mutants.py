#!/usr/bin/env python3
"""Shows that properties.py notices when a line of the rules is wrong: builds each mutant of mutants.txt and runs it.

    mutants.py [--tenants N] [--seed N] [--target DIR] [--only WORD] [--dry-run]

The commit that is checked out is built in a git worktree of its own, first as it is: a mutant is killed if a tenant
breaks a law that did not do so before, or if too few tenants are `no_impact` before the change. Exit codes: 0 every mutant is killed; 1 one survives, does not build, or its
text is not in its file exactly once. --dry-run checks that alone, and builds nothing.
"""
import argparse
import os
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent


@dataclass(frozen=True)
class Mutant:
    file: str
    text: str
    replacement: str
    word: str

    def apply(self, root: Path) -> None:
        path = root / self.file
        source = path.read_text(encoding="utf-8")
        path.write_text(source.replace(self.text, self.replacement), encoding="utf-8")

    def count(self, root: Path) -> int:
        path = root / self.file
        return path.read_text(encoding="utf-8").count(self.text) if path.is_file() else 0


def main() -> int:
    arguments = parse_arguments()
    mutants = [mutant for mutant in read_mutants() if not arguments.only or mutant.word in arguments.only]
    if not mutants:
        print(f"no mutant is called {' or '.join(arguments.only or ())}")
        return 1
    unsound = [mutant for mutant in mutants if mutant.count(REPOSITORY) != 1]
    for mutant in unsound:
        print(f"{mutant.word}: {mutant.file} has this text {mutant.count(REPOSITORY)} times, not once: {mutant.text}")
    if unsound or arguments.dry_run:
        print(f"{len(mutants)} mutants, {len(unsound)} of them not as in the sources")
        return 1 if unsound else 0
    with tempfile.TemporaryDirectory(prefix="mutants-") as place:
        tree = Path(place) / "tree"
        git("worktree", "add", "--detach", str(tree), "HEAD")
        try:
            return test(mutants, tree, arguments)
        finally:
            git("worktree", "remove", "--force", str(tree))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Check that properties.py notices wrong rules.")
    parser.add_argument("--tenants", type=int, default=2000, help="(default: 2000)")
    parser.add_argument("--seed", type=int, default=1, help="(default: 1)")
    parser.add_argument("--target", type=Path, default=os.environ.get("CARGO_TARGET_DIR"),
                        help="where cargo builds (default: CARGO_TARGET_DIR)")
    parser.add_argument("--only", action="append", metavar="WORD", help="the mutant with this word alone; may be repeated")
    parser.add_argument("--dry-run", action="store_true", help="only check that each text is in its file once")
    arguments = parser.parse_args()
    if not arguments.dry_run and not arguments.target:
        parser.error("say where cargo builds: --target DIR, or CARGO_TARGET_DIR")
    return arguments


def read_mutants() -> list[Mutant]:
    lines = (HERE / "mutants.txt").read_text(encoding="utf-8").splitlines()
    return [Mutant(*line.split("\t")) for line in lines if line and not line.startswith("#")]


def test(mutants: list[Mutant], tree: Path, arguments: argparse.Namespace) -> int:
    known = violations(tree, arguments)
    if known is None:
        print("the commit itself does not build or run")
        return 1
    print(f"unchanged: {len(known)} laws are broken, each for one tenant", flush=True)
    survivors = 0
    for mutant in mutants:
        mutant.apply(tree)
        found = violations(tree, arguments)
        git("-C", str(tree), "checkout", "--quiet", "--", mutant.file)
        new = None if found is None else found - known
        survivors += not new
        fate = "does not build or run" if new is None else f"killed, {examples(new)}" if new else "SURVIVED"
        print(f"{mutant.word:14} {mutant.file}: {fate}", flush=True)
    print(f"{len(mutants) - survivors} of {len(mutants)} mutants killed")
    return 1 if survivors else 0


def examples(found: set[str]) -> str:
    laws = Counter(line.split("\t")[1] for line in found)
    return ", ".join(f"{count} x {law}" for law, count in laws.most_common(2))


def violations(tree: Path, arguments: argparse.Namespace) -> set[str] | None:
    """Tenants and the laws that they break, a line each; None if there is no program to ask."""
    environment = os.environ | {"CARGO_TARGET_DIR": str(arguments.target)}
    build = subprocess.run(["cargo", "build", "--locked", "--quiet"], cwd=tree, env=environment)
    if build.returncode != 0:
        return None
    found = tree.parent / "violations"
    found.unlink(missing_ok=True)
    command = [sys.executable, str(HERE / "properties.py"), str(Path(arguments.target) / "debug/lightsout"), "--check",
               "--list", str(found), "--tenants", str(arguments.tenants), "--seed", str(arguments.seed)]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
    return set(found.read_text(encoding="utf-8").splitlines()) if found.exists() else None


def git(*arguments: str) -> None:
    subprocess.run(["git", "-C", str(REPOSITORY), *arguments], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main())

"""Runs `lightsout` on a folder of logs and reads what it decided."""
import csv
import shutil
import subprocess
import sys
from pathlib import Path

from delivery import COMPLETE_FOLDER, LOGS_FOLDER
from records import AS_OF, WINDOW_START

# 3: done, but there were rejects or refused files, and there always are.
DONE = (0, 3)


def decide(binary: Path, folder: Path, roster: Path) -> dict[str, dict[str, str]]:
    """The rows of assessment.csv by tenant. The logs are in `folder`, the lake goes there too."""
    lake, out = folder / "lake", folder / "out"
    shutil.rmtree(lake, ignore_errors=True)
    for command in commands(binary, folder, roster):
        run(command)
    with (out / "assessment.csv").open(newline="", encoding="utf-8") as file:
        return {row["tenant_id"]: row for row in csv.DictReader(file)}


def commands(binary: Path, folder: Path, roster: Path) -> list[list[str]]:
    end = ["--lake", str(folder / "lake"), "--quiet"]
    found = []
    if (folder / LOGS_FOLDER).exists():
        found.append([str(binary), "ingest", str(folder / LOGS_FOLDER), *end])
    if (folder / COMPLETE_FOLDER).exists():
        found.append([str(binary), "ingest", str(folder / COMPLETE_FOLDER), "--covers", f"{WINDOW_START}..{AS_OF}", *end])
    found.append([str(binary), "assess", "--as-of", str(AS_OF), "--roster", str(roster), "--out", str(folder / "out"), *end])
    return found


def run(command: list[str]) -> None:
    finished = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if finished.returncode not in DONE:
        sys.exit(f"{' '.join(command)}\nexited with {finished.returncode}:\n{finished.stderr}")

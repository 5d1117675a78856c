"""Where things are and what the machine is: the engines' Python, lightsout's binary, generated inputs."""
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys

import generate

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "lightsout"


def engines_python(given):
    """A Python that has the engines: the given one, or that of a venv which is made once for these versions."""
    if given:
        return given
    requirements = HERE / "requirements.txt"
    folder = CACHE / f"compare-{hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]}"
    python = folder / "bin" / "python"
    done = folder / "complete"
    if not done.exists():
        print(f"making {folder} with the engines of requirements.txt", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--requirement", requirements], check=True)
        done.touch()
    return str(python)


def binary(given):
    """lightsout as it was built for release."""
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
    path = pathlib.Path(given) if given else target / "release" / "lightsout"
    if not path.exists():
        sys.exit(f"no lightsout at {path}; build it with `cargo build --release --locked`, or name it with --binary")
    return str(path.resolve())


def generated(path, **options):
    """The file or folder that generate.py makes with these options; made if it is not there yet. Returns its truth."""
    words = ["--out", str(path)]
    for name, value in options.items():
        flag = "--" + name.replace("_", "-")
        words += [flag] if value is True else [] if value is False else [flag, str(value)]
    settings = generate.arguments(words)
    wanted = {k: v for k, v in vars(settings).items() if k not in ("jobs", "out")}
    told = pathlib.Path(f"{path}.truth.json")
    if told.exists() and pathlib.Path(path).exists():
        truth = json.loads(told.read_text())
        if truth["arguments"] == wanted:
            return truth
    print(f"generating {path}", file=sys.stderr)
    pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
    # In a process of its own: the worlds that it makes would be counted as the memory of what is measured.
    subprocess.run([sys.executable, HERE / "generate.py", *words], check=True, stdout=subprocess.DEVNULL)
    return json.loads(told.read_text())


def into_page_cache(path):
    """Reads a file, or all files of a folder, once."""
    path = pathlib.Path(path)
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file():
            with open(file, "rb", buffering=0) as source:
                while source.read(1 << 20):
                    pass


def bytes_under(path):
    """Bytes of a file, or of all files under a folder."""
    path = pathlib.Path(path)
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def remove(*paths):
    """Files and folders, if they are there."""
    for path in map(pathlib.Path, paths):
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def _first_line(command):
    try:
        return subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY).stdout.strip().split("\n")[0]
    except OSError:
        return ""


def machine():
    """What the figures were measured on, for the record."""
    model = next((line.partition(":")[2].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "unknown")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return dict(processor=model, cores=len(os.sched_getaffinity(0)), memory_gib=round(memory / 2**30, 1), kernel=os.uname().release,
                commit=_first_line(["git", "rev-parse", "HEAD"]), rustc=_first_line(["rustc", "--version"]),
                python=sys.version.split()[0], load_before=round(os.getloadavg()[0], 1))

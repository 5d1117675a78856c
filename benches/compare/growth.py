#!/usr/bin/env python3
"""How the cost of lightsout grows: ingest and assess, one thing at a time made larger.

    growth.py [--quick] [--curves NAME,...] [--rounds N] [--binary PATH] [--write-lake PATH] [--data DIR] [--out DIR] [--large] [--keep]

A curve's inputs are made, measured in turn so many rounds, and removed. DIR gets growth.json, growth.md (tables) and
an SVG for each curve. Lakes are written by `cargo bench --bench write_lake`, or by that program if it is named.
"""
import argparse
import datetime
import json
import pathlib
import shutil
import subprocess
import sys

import chart
import measure
import place
import verdicts

# Records of the ingest curves where not records are the thing that grows.
INGESTED, INGESTED_QUICK = 100_000, 4_000
ASSESSED, ASSESSED_QUICK = 3_000_000, 100_000


class Curve:
    """One thing that grows. `points` are its values, the quick ones first; `large` only if asked for."""

    def __init__(self, name, title, axis, points, quick, work, percent=False, large=()):
        self.name, self.title, self.axis, self.points, self.quick = name, title, axis, points, quick
        self.work, self.percent, self.large = work, percent, large


class Work:
    """What is measured at each point: made ready once, made fresh before each round, run, removed."""

    def __init__(self, bench, x):
        self.bench, self.x = bench, x

    def prepare(self):
        pass

    def fresh(self):
        pass

    def command(self):
        raise NotImplementedError

    def remove(self):
        pass


class Ingesting(Work):
    """Raw logs into a lake that is not there yet; options are those of generate.py."""

    option = "records"

    def __init__(self, bench, x):
        super().__init__(bench, x)
        options = self.options = dict(records=bench.ingested, broken=0) | {self.option: x}
        self.lake = bench.data / "growth-lake"
        self.source = bench.data / f"growth-{self.option}-{x}{'' if options.get('files', 1) > 1 else '.ndjson'}"

    def prepare(self):
        place.generated(self.source, **self.options)

    def fresh(self):
        shutil.rmtree(self.lake, ignore_errors=True)
        place.into_page_cache(self.source)

    def command(self):
        return [self.bench.binary, "ingest", str(self.source), "--lake", str(self.lake), "--quiet"]

    def remove(self):
        shutil.rmtree(self.lake, ignore_errors=True)
        place.remove(self.source, f"{self.source}.truth.json")


class IngestingTenants(Ingesting):
    option = "tenants"


class IngestingLegacy(Ingesting):
    option = "legacy_share"


class IngestingFiles(Ingesting):
    option = "files"


class IngestingAfterCommits(Work):
    """A small file into a lake that has had so many commits."""

    def __init__(self, bench, x):
        super().__init__(bench, x)
        self.copy, self.source = bench.data / "growth-copy", bench.data / "growth-small.ndjson"
        self.lake = None

    def prepare(self):
        place.generated(self.source, records=1_000, broken=0)
        self.lake = self.bench.lake(100_000, commits=self.x)

    def fresh(self):
        shutil.rmtree(self.copy, ignore_errors=True)
        shutil.copytree(self.lake, self.copy)
        place.into_page_cache(self.copy)

    def command(self):
        return [self.bench.binary, "ingest", str(self.source), "--lake", str(self.copy), "--quiet"]

    def remove(self):
        place.remove(self.copy, self.source, f"{self.source}.truth.json")
        if self.lake:
            verdicts.remove_lake(self.lake)


class Assessing(Work):
    """A decision over a lake; made once before, so that what is measured keeps nothing new."""

    option = "records"

    def __init__(self, bench, x):
        super().__init__(bench, x)
        self.lake, self.out = None, bench.data / "growth-out"

    def prepare(self):
        options = dict(records=self.bench.assessed) | {self.option: self.x}
        self.lake = self.bench.lake(options.pop("records"), **options)
        self.as_of = verdicts.facts(self.bench.binary, self.lake)["day"][:10]
        made = measure.run(self.command(), seconds=self.bench.settings.seconds)
        if made.status:
            raise measure.Failed(f"status {made.status} after {made.wall:.0f} s: {made.said.strip()[-200:]}")
        place.into_page_cache(self.lake)

    def command(self):
        return [self.bench.binary, "assess", "--lake", str(self.lake), "--out", str(self.out), "--as-of", self.as_of, "--quiet"]

    def fresh(self):
        shutil.rmtree(self.out, ignore_errors=True)

    def remove(self):
        if self.lake:
            verdicts.remove_lake(self.lake)
        place.remove(self.out)


class AssessingTenants(Assessing):
    option = "tenants"


class AssessingLegacy(Assessing):
    option = "legacy_share"


class AssessingCommits(Assessing):
    option = "commits"


CURVES = [
    Curve("ingest-records", "Ingest: records", "records of 4.6 kB, one file", [10_000, 30_000, 100_000, 300_000, 1_000_000],
          [1_000, 10_000], Ingesting),
    Curve("ingest-tenants", "Ingest: tenants", "tenants that {ingested:,} records are of", [100, 1_000, 10_000, 100_000], [10, 100],
          IngestingTenants),
    Curve("ingest-legacy", "Ingest: legacy share", "share of {ingested:,} records by legacy clients", [0.001, 0.01, 0.03, 0.1, 0.5],
          [0.01, 0.5], IngestingLegacy, percent=True),
    Curve("ingest-files", "Ingest: files", "files that {ingested:,} records are in", [1, 10, 100, 1_000, 10_000, 50_000], [1, 100],
          IngestingFiles),
    Curve("ingest-commits", "Ingest: commits before it", "commits that the lake has had; 1,000 records more", [1, 10, 100, 1_000, 10_000],
          [1, 10], IngestingAfterCommits),
    Curve("assess-records", "Assess: sign-ins", "sign-ins in the lake, 1,000 tenants, 3 % legacy", [100_000, 1_000_000, 10_000_000],
          [10_000, 100_000], Assessing, large=[100_000_000]),
    Curve("assess-tenants", "Assess: tenants", "tenants that {assessed:,} sign-ins are of", [100, 1_000, 10_000, 100_000], [10, 100],
          AssessingTenants),
    Curve("assess-legacy", "Assess: legacy share", "share of {assessed:,} sign-ins by legacy clients", [0.001, 0.01, 0.03, 0.1, 0.5],
          [0.01, 0.5], AssessingLegacy, percent=True),
    Curve("assess-commits", "Assess: commits", "commits that {assessed:,} sign-ins came in", [1, 10, 100, 1_000, 10_000], [1, 10],
          AssessingCommits),
]


class Bench:
    def __init__(self, settings):
        self.settings, self.quick, self.binary = settings, settings.quick, place.binary(settings.binary)
        self.ingested, self.assessed = (INGESTED_QUICK, ASSESSED_QUICK) if self.quick else (INGESTED, ASSESSED)
        self.data = pathlib.Path(settings.data)
        self.data.mkdir(parents=True, exist_ok=True)

    def lake(self, sign_ins, **options):
        return verdicts.write_lake(self.settings.write_lake, self.data, sign_ins, seconds=self.settings.seconds, **options)

    def curve(self, curve):
        """All rounds of a curve. A point that cannot be made ready or measured in its time is left out, and why is told."""
        values = curve.quick if self.quick else [*curve.points, *(curve.large if self.settings.large else ())]
        values = [value for value in values if self.settings.at_most is None or value <= self.settings.at_most]
        works, left_out, runs = [curve.work(self, value) for value in values], {}, {}
        try:
            for work in works:
                try:
                    work.prepare()
                    runs[work] = []
                except subprocess.TimeoutExpired as why:
                    left_out[work.x] = f"its lake was not written in {why.timeout:.0f} s"
                except (subprocess.SubprocessError, measure.Failed) as why:
                    left_out[work.x] = str(why)[:300]
            for number in range(self.settings.rounds):
                for work, done in list(runs.items()):
                    work.fresh()
                    run = measure.run(work.command(), seconds=self.settings.seconds)
                    if run.status:
                        left_out[work.x] = f"status {run.status} after {run.wall:.0f} s: {run.said.strip()[-200:]}"
                        del runs[work]
                        continue
                    done.append(run)
                    print(f"{curve.name:16} {work.x:>12,} round {number + 1} {run.wall:8.3f} s {run.cpu:8.3f} s cpu "
                          f"{run.peak / 1e6:6.0f} MB", file=sys.stderr)
        finally:
            if not self.settings.keep:
                for work in works:
                    work.remove()
        return dict(name=curve.name, title=curve.title, axis=curve.axis.format(ingested=self.ingested, assessed=self.assessed), percent=curve.percent,
                    left_out=left_out, points=[dict(x=work.x, runs=[run.as_dict() for run in done], **measure.summary(done))
                                               for work, done in runs.items()])


def table(curve):
    picture = [f"![{curve['title']}]({curve['name']}.svg)", ""] if curve["points"] else []
    lines = [f"### {curve['title']}", "", *picture,
             f"| {curve['axis']} | wall s (best to worst) | CPU s | peak MB | CPU over the point before |", "|---|---|---|---|---|"]
    before = None
    for point in curve["points"]:
        x = f"{point['x'] * 100:g} %" if curve["percent"] else f"{point['x']:,}"
        times = "" if before is None else f"{point['cpu_median'] / before['cpu_median']:.1f} x for {point['x'] / before['x']:.3g} x"
        lines.append(f"| {x} | {point['wall_median']:.2f} ({point['wall_best']:.2f} to {point['wall_worst']:.2f}) | {point['cpu_median']:.2f} "
                     f"| {point['peak_bytes'] / 1e6:.0f} | {times} |")
        before = point
    for x, why in curve["left_out"].items():
        lines += ["", f"Left out: {x:,}, {why}."]
    return lines + [""]


def write(out, results):
    (out / "growth.json").write_text(json.dumps(results, indent=1) + "\n")
    machine = results["machine"]
    lines = [f"# How cost grows, {results['date']}", "",
             f"Commit {machine['commit'][:7]}; {machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB. "
             f"`{results['command']}`: medians of {results['rounds']} rounds, points in turn, inputs in the page cache.", ""]
    for curve in results["curves"]:
        lines += table(curve)
        if curve["points"]:
            (out / f"{curve['name']}.svg").write_text(chart.svg(curve["title"], curve["axis"], curve["points"], curve["percent"]))
    (out / "growth.md").write_text("\n".join(lines))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    names = [curve.name for curve in CURVES]
    parser.add_argument("--quick", action="store_true", help="two small points a curve: does it work?")
    parser.add_argument("--curves", default=",".join(names), help="some of " + ", ".join(names))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--binary", help="lightsout; else that of the target folder")
    parser.add_argument("--write-lake", help="the built bench program write_lake; else cargo bench builds and runs it")
    parser.add_argument("--data", default=str(place.CACHE / "growth"), help="room for 15 GB, 25 with --large")
    parser.add_argument("--out", help="where the results go; else DIR of --data, results/")
    parser.add_argument("--large", action="store_true", help="also a lake of 100 million sign-ins")
    parser.add_argument("--seconds", type=int, default=1_800, help="for one run or one lake to be written; a point that needs more is left out")
    parser.add_argument("--at-most", type=float, metavar="X", help="leave out the points of a curve beyond X")
    parser.add_argument("--keep", action="store_true", help="keep inputs and lakes")
    settings = parser.parse_args()
    settings.curves = settings.curves.split(",")
    unknown = set(settings.curves) - set(names)
    if unknown:
        parser.error(f"no curve {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    return settings


def main():
    settings = arguments()
    bench = Bench(settings)
    out = pathlib.Path(settings.out or bench.data / "results")
    out.mkdir(parents=True, exist_ok=True)
    results = dict(date=datetime.date.today().isoformat(), command=" ".join(sys.argv), rounds=settings.rounds, machine=place.machine(), curves=[])
    for curve in CURVES:
        if curve.name in settings.curves:
            results["curves"].append(bench.curve(curve))
            write(out, results)
    print((out / "growth.md").read_text())


if __name__ == "__main__":
    main()

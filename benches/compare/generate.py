#!/usr/bin/env python3
"""Writes varied sign-in logs for measuring.

    generate.py --records N --out PATH [--tenants T] [--legacy-share S] [--seed N] [--files N] [--gzip]
                [--orders one|blocks|records] [--format ndjson|log_analytics] [--broken N]

PATH is the file, or with --files above 1 a folder of part-*.json. PATH.truth.json says what is in it: records,
bytes, how many are legacy, how many lines are broken and how. The same arguments give the same bytes, on any number
of processes.

Records are in the order of their emission, with a little disorder, over --days days before --end. With
--orders blocks (the default) each ten thousand records come from one version of the exporter, but for one record
in a hundred; with --orders records each comes from any.
"""
import argparse
import bisect
import collections
import datetime
import json
import multiprocessing
import os
import random
import struct
import zlib

import log_analytics
from records import EXPORTERS, TICKS_A_DAY, World, diagnostic_line, draw_record, exporter_at

BLOCK = 1_000            # records drawn from one generator of random numbers
SOURCE = 10_000          # records that come from one exporter
GOLDEN = 0.6180339887498949
BREAKS = {"ndjson": ["cut", "cut", "quote_lost", "not_utf8"], "log_analytics": ["cut_between_cells", "cut_in_cell"]}
GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"

_settings = _world = None


def start_worker(settings):
    global _settings, _world
    _settings, _world = settings, World(settings.seed, settings.tenants, settings.legacy_share)


def break_line(line, how, index):
    """A line as it is found after a disk was full or an export was killed."""
    rng = random.Random(f"{_settings.seed}/break/{index}")   # its own, so that all else is as if nothing broke
    if how == "cut_between_cells":      # before the first cell that is quoted
        return line[:line.index(b',"')]
    if how == "cut_in_cell":            # within the first text that is quoted in a JSON cell
        return line[:line.index(b'""') + 12]
    middle = len(line) // 4 + int(rng.random() * len(line) / 2)
    if how == "cut":
        return line[:middle]
    quote = line.index(b'":"', middle)
    if how == "quote_lost":
        return line[:quote] + line[quote + 1:]
    return line[:quote + 3] + b"\xff" + line[quote + 3:]


def write_block(task):
    """The lines of one block: (bytes, deflated bytes or None, records, legacy, interactive)."""
    first, count, broken = task
    settings = _settings
    rng = random.Random(f"{settings.seed}/block/{first}")
    span = settings.days * TICKS_A_DAY
    start = settings.end * TICKS_A_DAY - span
    csv = settings.format == "log_analytics"
    own = 0 if settings.orders == "one" else exporter_at(first // SOURCE * GOLDEN % 1)
    lines, legacy, interactive = [], 0, 0
    for index in range(first, first + count):
        # Up to a minute before its place in the order.
        ticks = start + span * index // settings.records - int(rng.random() * 600_000_000)
        exporter = EXPORTERS[own]
        if settings.orders == "records" or settings.orders == "blocks" and rng.random() < 0.01:
            exporter = EXPORTERS[exporter_at(rng.random())]
        record = draw_record(_world, rng, ticks, log_analytics.SPELLING if csv else exporter.spelling)
        line = (log_analytics.csv_line(record) if csv else diagnostic_line(record, exporter)).encode()
        if index in broken:
            line = break_line(line, broken[index], index)
        lines.append(line)
        legacy += record.habit.is_legacy
        interactive += record.interactive
    lines.append(b"")
    data = b"\n".join(lines)
    packed = None
    if settings.gzip:
        packer = zlib.compressobj(6, zlib.DEFLATED, -15)
        packed = packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH)
    return data, packed, count, legacy, interactive


class Output:
    """One file; a gzip file is one member, put together from blocks that were deflated apart."""

    def __init__(self, path, packed, header):
        self.file, self.packed, self.size, self.checksum = open(path, "wb"), packed, 0, 0
        if packed:
            self.file.write(GZIP_HEADER)
        if header:
            packer = zlib.compressobj(6, zlib.DEFLATED, -15)
            self.put(header, packer.compress(header) + packer.flush(zlib.Z_SYNC_FLUSH))

    def put(self, data, deflated):
        if self.packed:
            self.checksum = zlib.crc32(data, self.checksum)
        self.size += len(data)
        self.file.write(deflated if self.packed else data)

    def close(self):
        """Ends the file; returns its size before and after packing."""
        if self.packed:
            self.file.write(b"\x03\x00" + struct.pack("<II", self.checksum, self.size & 0xffffffff))
        written = self.file.tell()
        self.file.close()
        return self.size, written


def plan(settings):
    """For each file its blocks: (first record, count, {record: how it is broken})."""
    broken = {}
    if settings.broken:
        rng = random.Random(f"{settings.seed}/broken")
        number = max(1, round(settings.records / settings.broken))
        kinds = BREAKS[settings.format]
        for place, index in enumerate(sorted(rng.sample(range(settings.records), number))):
            broken[index] = kinds[place % len(kinds)]
    blocks_of_broken = collections.defaultdict(dict)
    files = []
    for number in range(settings.files):
        first, end = (settings.records * n // settings.files for n in (number, number + 1))
        files.append([(at, min(BLOCK, end - at)) for at in range(first, end, BLOCK)])
    starts = sorted(at for blocks in files for at, _ in blocks)
    for index, how in broken.items():
        blocks_of_broken[starts[bisect.bisect(starts, index) - 1]][index] = how
    return [[(at, count, blocks_of_broken.get(at, {})) for at, count in blocks] for blocks in files], broken


def generate(settings):
    """Writes the files and the truth beside them; returns the truth."""
    files, broken = plan(settings)
    csv = settings.format == "log_analytics"
    suffix = (".csv" if csv else ".json") + (".gz" if settings.gzip else "")
    many = settings.files > 1
    os.makedirs(settings.out if many else os.path.dirname(os.path.abspath(settings.out)), exist_ok=True)
    total = collections.Counter()
    with multiprocessing.get_context("fork").Pool(settings.jobs, start_worker, (settings,)) as pool:
        tasks = [task for blocks in files for task in blocks]
        results = pool.imap(write_block, tasks, chunksize=max(1, min(64, len(tasks) // 200)))
        for number, blocks in enumerate(files):
            path = os.path.join(settings.out, f"part-{number:05d}{suffix}") if many else settings.out
            output = Output(path, settings.gzip, log_analytics.HEADER if csv else None)
            for _ in blocks:
                data, packed, records, legacy, interactive = next(results)
                output.put(data, packed)
                total.update(records=records, legacy=legacy, interactive=interactive)
            size, written = output.close()
            total.update(bytes=size, bytes_on_disk=written)
    truth = dict(arguments={k: v for k, v in vars(settings).items() if k not in ("jobs", "out")}, **total,
                 broken=len(broken), broken_by_kind=collections.Counter(broken.values()), broken_records=sorted(broken),
                 whole_records=total["records"] - len(broken))
    with open(settings.out.rstrip("/") + ".truth.json", "w") as file:
        json.dump(truth, file, indent=1)
        file.write("\n")
    return truth


def arguments(words=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--records", type=int, required=True)
    parser.add_argument("--out", required=True, help="the file, or the folder of --files files")
    parser.add_argument("--tenants", type=int, default=1_000)
    parser.add_argument("--legacy-share", type=float, default=0.03)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--files", type=int, default=1)
    parser.add_argument("--gzip", action="store_true")
    parser.add_argument("--orders", choices=["one", "blocks", "records"], default="blocks", help="whose key order each record has")
    parser.add_argument("--format", choices=["ndjson", "log_analytics"], default="ndjson")
    parser.add_argument("--broken", type=int, default=100_000, help="one line in so many is broken; 0: none")
    parser.add_argument("--days", type=int, default=40)
    parser.add_argument("--end", default="2026-11-01", help="the day before which the logs end")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    settings = parser.parse_args(words)
    if not 1 <= settings.files <= settings.records:
        parser.error(f"--files {settings.files}: between 1 and the {settings.records} records")
    settings.end = (datetime.date.fromisoformat(settings.end) - datetime.date(1970, 1, 1)).days
    return settings


if __name__ == "__main__":
    print(json.dumps(generate(arguments()), indent=1))

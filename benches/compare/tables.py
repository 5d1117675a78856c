"""Results as Markdown: a table a workload, and what each engine made of the lines that break off."""

NAMES = {"lightsout": "lightsout", "duckdb": "DuckDB", "chdb": "chDB", "datafusion": "DataFusion", "polars": "Polars"}
# Differs by design: lightsout takes the envelope's country where the record has no location.
NOT_COMPARED = {"country"}


def seconds(value):
    return f"{value:.2f}"


def megabytes(value):
    return f"{value / 1e6:,.0f}" if value >= 10_000_000 else f"{value / 1e6:.1f}"


def fate_of_broken(engine, result, truth):
    """What became of the lines that break off, in words."""
    written, broken, whole = result["written"], truth["broken"], truth["whole_records"]
    if result["failed_on_broken"]:
        return "the whole job fails; measured with them whole"
    if engine == "lightsout":
        lost = whole - written["rows"]
        return f"{written['rejects']} rejected and kept, with place and reason" + (f"; {lost:,} whole records lost" if lost > 0 else "")
    empty = written["rows"] - written["rows_with_id"]
    lost = whole - written["distinct_ids"]
    told = []
    if empty:
        told.append(f"{empty} rows of nulls")
    if broken - empty > 0:
        told.append(f"{broken - empty} left out")
    if lost > 0:
        told.append(f"and {lost:,} whole records lost")
    return ", ".join(told) + ", without a word" if told else "none"


def unequal_columns(engines):
    """For each engine the columns whose values differ from DuckDB's. One that lacks records differs in all."""
    reference = engines["duckdb"]["written"]["columns"]
    found = {}
    for engine, result in engines.items():
        different = [column for column, value in result["written"]["columns"].items()
                     if column not in NOT_COMPARED and value != reference[column]]
        if different:
            found[engine] = ["all"] if len(different) == len(reference) - len(NOT_COMPARED) else different
    return found


def fastest(engines, key):
    return min((engine for engine in engines if engine != "lightsout"), key=lambda engine: engines[engine][key])


def ingest_table(result):
    truth, engines = result["truth"], result["engines"]
    stored = "" if result["stored_bytes"] == result["input_bytes"] else f" ({result['stored_bytes'] / 1e6:,.0f} MB packed)"
    lines = [f"### {result['workload']}: {result['told']}", "",
             f"{truth['records']:,} records, {result['input_bytes'] / 1e6:,.0f} MB{stored}, {truth['broken']} lines broken.", "",
             "| | wall s (best to worst) | CPU s | MB/s | peak MB | wrote MB | rows | broken lines |", "|---|---|---|---|---|---|---|---|"]
    for engine, run in engines.items():
        written = run["written"]
        lines.append(f"| {NAMES[engine]} | {seconds(run['wall_median'])} ({seconds(run['wall_best'])} to {seconds(run['wall_worst'])}) "
                     f"| {seconds(run['cpu_median'])} | {result['input_bytes'] / run['wall_median'] / 1e6:,.0f} "
                     f"| {megabytes(run['peak_bytes'])} | {megabytes(written['shared_bytes'])} | {written['rows']:,} "
                     f"| {fate_of_broken(engine, run, truth)} |")
    own = engines["lightsout"]
    wall, cpu, lean = fastest(engines, "wall_median"), fastest(engines, "cpu_median"), fastest(engines, "peak_bytes")
    small = min((engine for engine in engines if engine != "lightsout"), key=lambda engine: engines[engine]["written"]["shared_bytes"])
    lines += ["", f"Fastest of the others / lightsout: wall {engines[wall]['wall_median'] / own['wall_median']:.2f} ({NAMES[wall]}), "
              f"CPU {engines[cpu]['cpu_median'] / own['cpu_median']:.2f} ({NAMES[cpu]}); leanest / lightsout "
              f"{engines[lean]['peak_bytes'] / own['peak_bytes']:.2f} ({NAMES[lean]}); smallest / lightsout "
              f"{engines[small]['written']['shared_bytes'] / own['written']['shared_bytes']:.2f} ({NAMES[small]}). "
              f"lightsout's whole lake: {megabytes(own['written']['lake_bytes'])} MB."]
    if result.get("inflating"):
        lines.append(f"Inflating alone, by `gzip -dc`: {seconds(result['inflating']['wall_median'])} s.")
    unequal = unequal_columns(engines)
    if not unequal:
        lines.append("All wrote the same values.")
    else:
        lines.append("Values that differ from DuckDB's: " + "; ".join(f"{NAMES[engine]}: {', '.join(columns)}"
                                                                    for engine, columns in unequal.items()) + ".")
    failures = [f"{NAMES[engine]}: `{run['failed_on_broken']}`" for engine, run in engines.items() if run["failed_on_broken"]]
    if failures:
        lines.append("Failed on the broken lines: " + "; ".join(failures) + ".")
    return lines + [""]


def verdicts_table(result):
    lines = ["### verdicts: usage and coverage from what each wrote itself", "",
             f"{result['sign_ins']:,} sign-ins, {result['tenants']:,} tenants, {result['not_provably_modern']:.1%} not provably modern; "
             f"as of {result['as_of']}.", "",
             "| | wall s (best to worst) | CPU s | peak MB | bytes it reads from |", "|---|---|---|---|---|"]
    for engine, run in result["engines"].items():
        lines.append(f"| {run['told']} | {seconds(run['wall_median'])} ({seconds(run['wall_best'])} to {seconds(run['wall_worst'])}) "
                     f"| {seconds(run['cpu_median'])} | {megabytes(run['peak_bytes'])} | {megabytes(run['bytes'])} MB |")
    own, other = result["engines"]["lightsout"], result["engines"]["duckdb"]
    lines += ["", f"DuckDB / lightsout: wall {other['wall_median'] / own['wall_median']:.2f}, CPU {other['cpu_median'] / own['cpu_median']:.2f}. "
              f"{result['agreement']}", ""]
    return lines


def markdown(results):
    machine = results["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in sorted(results["versions"].items()))
    lines = [f"# Results of {results['date']}", "",
             f"Commit {machine['commit'][:7]}; {machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB, "
             f"Linux {machine['kernel']}, {machine['rustc']}; {versions}. Load before the run: {machine['load_before']}. "
             f"`{results['command']}`: medians of {results['rounds']} rounds, engines in turn, inputs in the page cache. "
             "MB are 10^6 bytes; MB/s counts the input as it is when unpacked. \"Wrote\" is the shared columns as they are packed.", ""]
    for result in results["workloads"]:
        lines += ingest_table(result)
    if "verdicts" in results:
        lines += verdicts_table(results["verdicts"])
    return "\n".join(lines)

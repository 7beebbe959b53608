"""Series that are streamed from Parquet: memory, and time beside the pipeline on arrays.

    python -m benchmarks.streaming --series 10000 1000000

Walks are written to a Parquet file, and a process of its own streams them into a folder. Before
and after this, `ForecastPipeline.predict` forecasts the first and the last of the same walks as
arrays, at most `--arrays` in all, so that a slow phase of the machine meets both. CPU seconds are
taken, without the start of the process and the loading of the weights. Then the command streams the
largest number of walks, is killed by SIGKILL when half of its partitions are finished, and is run
again; its files must be those of the first run.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring import forget_peak, measure_cpu, memory
from benchmarks.pages import markdown
from benchmarks.processes import IMPORTABLE, ONE_THREAD, Process, answer_for

_AT_ONCE = 1000  # series that are written at once

Array = NDArray[np.float64]


def main(given: Sequence[str] | None = None) -> None:
    """Print a row for each number of series, and what became of the run that was killed."""
    arguments = parse_arguments(given)
    if arguments.answer_for:
        answer_for(arguments.answer_for, {"measure": measured})
        return
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        rows = []
        for n_series in arguments.series:
            rows.append(row(arguments, n_series, Path(folder)))
            print(f"{n_series:,} series: {rows[-1]}", file=sys.stderr, flush=True)
        print(markdown(rows), flush=True)
        if arguments.kill:
            print(killed(arguments, Path(folder)))


def row(arguments: argparse.Namespace, n_series: int, folder: Path) -> dict[str, Any]:
    """Return the figures of a number of series."""
    data = folder / f"{n_series}.parquet"
    write_walks(data, n_series, arguments.steps)
    process = Process(sys.executable, "benchmarks.streaming", "one")
    asked = [str(data), str(folder / f"whole{n_series}"), arguments.checkpoint, arguments.horizon]
    found = process.ask("measure", *asked, arguments.partition_rows, arguments.arrays)
    process.close()
    each = {name: found[name] for name in ("streamed", "arrays")}
    return {
        "series": f"{n_series:,}",
        "rows": f"{n_series * arguments.steps:,}",
        "peak memory, GB": f"{found['peak']:.2f}",
        "weights loaded, GB": f"{found['loaded']:.2f}",
        "streamed, CPU ms a series": f"{each['streamed']:.3f}",
        "arrays, CPU ms a series": f"{each['arrays']:.3f}",
        "ratio": f"{each['streamed'] / each['arrays']:.2f}",
    }


def measured(
    side: str,
    data: str,
    output: str,
    checkpoint: str,
    horizon: int,
    partition_rows: int,
    most_arrays: int,
) -> Mapping[str, float]:
    """Return the CPU milliseconds a series of both ways, and the peak of memory of the stream."""
    import torch

    from timer_forecaster import ForecastPipeline
    from timer_forecaster.scale import ForecastTask, Names, SeriesSource, stream

    torch.set_num_threads(1)
    pipe = ForecastPipeline.from_pretrained(checkpoint, device="cpu")
    source = SeriesSource(data, Names("id"))
    task = ForecastTask(source.columns, horizon)
    pipe.predict(np.random.default_rng(0).normal(size=(500, 100)).cumsum(axis=1), horizon)
    first, last = arrays_of(data, most_arrays)
    cpu = measure_cpu(partial(pipe.predict, first, horizon))
    loaded = memory()["now"]
    forget_peak()
    streamed = measure_cpu(
        lambda: stream(pipe, source, task, output, partition_rows=partition_rows)
    )
    peak = memory()["peak"]
    cpu += measure_cpu(partial(pipe.predict, last, horizon))
    n_series = source.rows.total / first.shape[1]
    arrays = cpu / (len(first) + len(last))
    each = {"streamed": 1000 * streamed / n_series, "arrays": 1000 * arrays}
    return {**each, "peak": peak, "loaded": loaded}


def arrays_of(data: str, most: int) -> tuple[Array, Array]:
    """Return the first and the last series of a file as arrays; all of them, if there are few."""
    from pyarrow import parquet

    with parquet.ParquetFile(data) as file:
        steps = int(file.schema_arrow.metadata[b"steps"])
        n_series = file.metadata.num_rows // steps
        half = min(most, n_series) // 2
        groups = range(file.num_row_groups)
        before, after = groups[: 1 + half // _AT_ONCE], groups[-2 - half // _AT_ONCE :]
        first, last = (
            file.read_row_groups(list(some), columns=["y"])["y"].to_numpy().reshape(-1, steps)
            for some in (before, after)
        )
    return first[:half], last[-(min(most, n_series) - half) :]


def write_walks(path: Path, n_series: int, steps: int) -> None:
    """Write random walks, a row for each day, the rows of an id one after the other."""
    import pyarrow as pa
    from pyarrow import parquet

    random = np.random.default_rng(0)
    days = np.datetime64("2024-01-01", "us") + np.arange(steps) * np.timedelta64(1, "D")
    schema = pa.schema([("id", pa.string()), ("day", pa.timestamp("us")), ("y", pa.float64())])
    schema = schema.with_metadata({"steps": str(steps)})
    with parquet.ParquetWriter(path, schema) as writer:
        for start in range(0, n_series, _AT_ONCE):
            numbers = range(start, min(start + _AT_ONCE, n_series))
            ids = pa.array(np.repeat([f"s{number:08}" for number in numbers], steps))
            walks = random.normal(size=(len(numbers), steps)).cumsum(axis=1).ravel()
            columns = [ids, pa.array(np.tile(days, len(numbers))), pa.array(walks)]
            writer.write_table(pa.table(columns, schema=schema))


def killed(arguments: argparse.Namespace, folder: Path) -> str:
    """Kill the command when half of its partitions are finished, run it again, and compare."""
    n_series = max(arguments.series)
    whole, again = folder / f"whole{n_series}", folder / "again"
    half = len(_finished(whole)) // 2
    if not half:
        raise ValueError("--series: one partition has them all, so no run can stop half way")
    words = ["--horizon", str(arguments.horizon), "--id-column", "id", "--quiet"]
    words += ["--checkpoint", arguments.checkpoint, "--output", again.name]
    words += ["--partition-rows", str(arguments.partition_rows)]
    command = [sys.executable, "-m", "timer_forecaster", "forecast", f"{n_series}.parquet", *words]
    environment = {**os.environ, **ONE_THREAD, **IMPORTABLE, "HF_HUB_OFFLINE": "1"}
    options: dict[str, Any] = {"cwd": folder, "env": environment, "stdout": subprocess.DEVNULL}
    process = subprocess.Popen(command, **options)  # noqa: S603
    while process.poll() is None and len(_finished(again)) < half:
        time.sleep(0.02)
    process.kill()
    status, kept = process.wait(), len(_finished(again))
    subprocess.run(command, check=True, **options)  # noqa: S603
    same = digests(again) == digests(whole)
    ids = _ids(again)
    return (
        f"{n_series:,} series, killed ({signal.Signals(-status).name}) with {kept} partitions of "
        f"{len(_finished(whole))} finished and run again: {'the same' if same else 'OTHER'} files, "
        f"{len(set(ids)):,} ids, {len(ids) - len(set(ids))} of them twice"
    )


def _finished(output: Path) -> list[Path]:
    return list(output.glob("finished/*.json"))


def _ids(folder: Path) -> list[str]:
    """Return the ids of a run, once for each forecast of it."""
    import pandas as pd

    files = sorted((folder / "forecast").iterdir())  # one by one: a run may have 10⁸ rows
    found = (pd.read_parquet(file, columns=["id"])["id"] for file in files)
    return [each for ids in found for each in ids[ids != ids.shift()]]


def digests(folder: Path) -> dict[str, str]:
    """Return the digests of the files of a run."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def parse_arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.streaming", description=__doc__.partition("\n")[0]
    )
    add = parser.add_argument
    add("--series", type=int, nargs="+", default=[10_000, 20_000], help="numbers of series")
    add("--steps", type=int, default=100, help="of each series")
    add("--horizon", type=int, default=24)
    add("--checkpoint", default="ttm-mini")
    add("--partition-rows", type=int, default=1_000_000)
    add("--arrays", type=int, default=20_000, help="series that are forecast as arrays at most")
    add("--folder", type=Path, help="for the files; default: the folder of the system for them")
    add("--no-kill", dest="kill", action="store_false", help="do not kill the command")
    add("--answer-for", metavar="SIDE", help=argparse.SUPPRESS)
    return parser.parse_args(given)


if __name__ == "__main__":
    main()

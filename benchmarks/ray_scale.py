"""Whether a run on Ray equals the pipeline, keeps its memory, gains by workers and survives kills.

    python -m benchmarks.ray_scale equality memory throughput kills --work FOLDER --series 20000

The series are generated: mixed lengths, rows in random order over several Parquet files. The parts:

equality     two workers; the largest difference from `ForecastPipeline.predict_frame`
memory       memory of each worker in quarters of the run, and how often it loaded weights
throughput   series a second of one worker and of two, with the share of a core that each had: if it
             is below 1, the cores were not free
kills        a worker and then the caller are killed in mid-run; a second run completes it

A Ray that runs, by RAY_ADDRESS, is used; else each part starts one.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.measuring import STATUS
from timer_forecaster.checkpoints import cache
from timer_forecaster.ray import running
from timer_forecaster.ray.functions import forecast
from timer_forecaster.ray.worker import Job, PartitionWorker

NAMES = {"id_column": "id", "time_column": "day", "target_columns": "value", "freq": "D"}
FILES = 4
PIECE = 20_000
"""Series that are generated at once."""


class WatchedWorker(PartitionWorker):
    """A worker that notes after each call its time, its memory and its loads of weights."""

    def __init__(self, job: Job) -> None:
        self._loads, load = 0, cache.load_network

        def counted(key: Any) -> Any:
            self._loads += 1
            return load(key)

        cache.load_network = counted
        super().__init__(job)
        self._log = job.output.with_name(f"{job.output.name}.log") / f"{os.getpid()}.jsonl"
        self._log.parent.mkdir(exist_ok=True)

    def __call__(self, table: Any) -> Any:
        """Answer partitions, and note the figures."""
        start, cpu = time.time(), time.process_time()
        report = super().__call__(table)
        figures = {
            "start": start,
            "stop": time.time(),
            "cpu": time.process_time() - cpu,
            "ids": sum(report["ids"].to_pylist()),
            "loads": self._loads,
            "own": memory("RssAnon"),
            "shared": memory("RssShmem"),
            "peak": memory("VmHWM"),
        }
        with self._log.open("a") as file:
            file.write(json.dumps(figures) + "\n")
        return report


def main(given: Sequence[str] | None = None) -> None:
    """Make the series, and print the figures of each part."""
    arguments = parse_arguments(given)
    running.PartitionWorker = WatchedWorker
    os.environ["PYTHONPATH"] = os.pathsep.join([os.getcwd(), os.environ.get("PYTHONPATH", "")])
    os.environ.setdefault("RAY_worker_niceness", "0")
    data = arguments.work / f"series-{arguments.series}"
    if not data.exists():
        generate(data, arguments.series)
    if arguments.drive:
        drive(arguments, data, arguments.work / "kills", arguments.workers)
        return
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"{arguments.series:,} series, {os.cpu_count()} cores, load averages {load}")
    parts: Mapping[str, Callable[..., None]] = {
        "equality": equality,
        "memory": memory_of_workers,
        "throughput": throughput,
        "kills": kills,
    }
    for name in arguments.parts:
        parts[name](arguments, data)


def generate(data: Path, series: int) -> None:
    """Write series of 20 to 180 days; rows of a file are in random order."""
    random, made = np.random.default_rng(0), data.with_name("unfinished")
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True)
    day = np.datetime64("2024-01-01")
    for first in range(0, series, PIECE):
        lengths = random.integers(20, 181, size=min(PIECE, series - first))
        ids = np.repeat(np.arange(first, first + len(lengths)), lengths)
        steps = np.concatenate([np.arange(length) for length in lengths])
        values = np.sin(steps * 2 * np.pi / 7) + random.gamma(2.0, size=len(steps))
        frame = pd.DataFrame({"id": ids, "day": day + steps, "value": values})
        frame = frame.sample(frac=1, random_state=first)
        for number, piece in enumerate(np.array_split(np.arange(len(frame)), FILES)):
            frame.iloc[piece].to_parquet(made / f"{first}-{number}.parquet", index=False)
    made.rename(data)


def drive(arguments: argparse.Namespace, data: Path, output: Path, workers: int) -> Any:
    """Forecast the series on Ray."""
    return forecast(
        data,
        arguments.horizon,
        output=output,
        checkpoint=arguments.checkpoint,
        workers=workers,
        partitions=arguments.partitions,
        progress=False,
        **NAMES,
    )


def fresh(arguments: argparse.Namespace, name: str) -> Path:
    """Return the name of an output that is not there."""
    output = arguments.work / name
    for folder in (output, output.with_name(f"{name}.log")):
        shutil.rmtree(folder, ignore_errors=True)
    return output


def log_of(output: Path) -> dict[str, list[dict[str, float]]]:
    """Return the notes of each worker, by its process."""
    files = output.with_name(f"{output.name}.log").glob("*.jsonl")
    return {file.stem: list(map(json.loads, file.read_text().splitlines())) for file in files}


def equality(arguments: argparse.Namespace, data: Path) -> None:
    """Compare two workers with the pipeline on the whole frame."""
    output = fresh(arguments, "equality")
    totals = drive(arguments, data, output, workers=2)
    print(f"equality: {totals}")
    loads = {process: notes[-1]["loads"] for process, notes in log_of(output).items()}
    print(f"  loads of weights by worker: {sorted(loads.values())}")
    compare(arguments, data, output)


def compare(arguments: argparse.Namespace, data: Path, output: Path) -> None:
    """Print how a run differs from the pipeline, and whether each id is there once."""
    from timer_forecaster import ForecastPipeline

    pipeline = ForecastPipeline.from_pretrained(arguments.checkpoint, device="cpu")
    names = {**NAMES, "target_columns": ["value"]}
    expected = pipeline.predict_frame(pd.read_parquet(data), arguments.horizon, **names)
    found = pd.read_parquet(output / "forecast")
    frames = [one.sort_values(["id", "day"], ignore_index=True) for one in (found, expected)]
    same = all(frames[0][name].equals(frames[1][name]) for name in ("id", "target", "day"))
    levels = [name for name in expected if name.startswith("q0")]
    own, other = (one[levels].to_numpy() for one in frames)
    largest = pd.read_parquet(data, columns=["id", "value"]).groupby("id")["value"].max()
    of_series = np.abs(own - other) / frames[1]["id"].map(largest).to_numpy()[:, None]
    counts = found.groupby("id").size()
    once = len(counts) == arguments.series and set(counts) == {arguments.horizon}
    print(f"  every id exactly once: {once}; ids, targets and times equal: {same}")
    print(f"  within 1e-6 + 1e-6 of each value: {np.allclose(own, other, rtol=1e-6, atol=1e-6)}")
    print(f"  largest difference: {of_series.max():.1e} of the largest value of the series")


def memory_of_workers(arguments: argparse.Namespace, data: Path) -> None:
    """Print the memory of workers over the run."""
    output = fresh(arguments, "memory")
    drive(arguments, data, output, workers=2)
    print("memory of each worker (MB), at the end of each quarter of its partitions:")
    for process, notes in log_of(output).items():
        places = [max(0, len(notes) * quarter // 4 - 1) for quarter in (1, 2, 3, 4)]
        names = ("own", "shared", "peak")
        own, shared, peak = ([round(notes[p][key]) for p in places] for key in names)
        ids = sum(note["ids"] for note in notes)
        print(f"  {process}: {ids:,} series; its own {own}, pages of the object store {shared},")
        print(f"    peak of both and of mapped files {peak}")


def throughput(arguments: argparse.Namespace, data: Path) -> None:
    """Print series a second of one worker and of two, while all of them are at work."""
    rates = {}
    for workers in (1, 2):
        output = fresh(arguments, f"throughput-{workers}")
        drive(arguments, data, output, workers)
        seconds, busy, cpu, ids = at_once(list(log_of(output).values()))
        rates[workers] = ids / seconds, ids / cpu
        shares = f"{ids / cpu:.0f} per CPU second, {cpu / busy:.2f} of a core for each worker"
        print(f"throughput of {workers}: {ids / seconds:.0f} series/s, {shares}")
    (one, one_free), (two, two_free) = rates[1], rates[2]
    print(f"  ratio {two / one:.2f}; {2 * two_free / one_free:.2f} if each worker had a core")


def at_once(workers: list[list[dict[str, float]]]) -> tuple[float, float, float, float]:
    """Return the seconds in which all workers are at work, and what they do in them.

    Workers start one after the other, for seconds, and end with partitions of different sizes.

    Returns
    -------
    tuple of float
        Seconds; seconds of calls, CPU seconds and series of all workers.
    """
    start = max(notes[0]["start"] for notes in workers)
    stop = min(notes[-1]["stop"] for notes in workers)
    busy = cpu = ids = 0.0
    for note in (note for notes in workers for note in notes):
        seconds = max(0.0, min(stop, note["stop"]) - max(start, note["start"]))
        share = seconds / (note["stop"] - note["start"])
        busy, cpu, ids = busy + seconds, cpu + share * note["cpu"], ids + share * note["ids"]
    return stop - start, busy, cpu, ids


def kills(arguments: argparse.Namespace, data: Path) -> None:
    """Kill a worker, then the caller; a second run completes what they left."""
    output = fresh(arguments, "kills")
    words = [f"--series={arguments.series}", f"--partitions={arguments.partitions}", "--drive"]
    words += [f"--work={arguments.work}", f"--checkpoint={arguments.checkpoint}"]
    command = [sys.executable, "-m", "benchmarks.ray_scale", *words]
    caller = subprocess.Popen(command)  # noqa: S603
    (worker, *_) = wait_for(output, caller, arguments.partitions // 8, workers=1)
    os.kill(int(worker), signal.SIGKILL)
    wait_for(output, caller, arguments.partitions // 2, workers=arguments.workers + 1)
    caller.kill()
    caller.wait()
    time.sleep(5)  # Ray ends the workers of a caller that is gone
    done = len(list((output / "finished").glob("*.json")))
    print(f"kills: a worker, which was replaced, and the caller, at {done} partitions of")
    print(f"  {arguments.partitions}; second run: {drive(arguments, data, output, 2)}")
    left = [path for path in output.rglob(".*") if path.is_file()]
    print(f"  files that are not whole: {len(left)}")
    compare(arguments, data, output)


def wait_for(
    output: Path, caller: subprocess.Popen[bytes], partitions: int, workers: int
) -> list[str]:
    """Wait for finished partitions, and for workers; return the processes of all workers so far."""
    while caller.poll() is None:
        found, finished = list(log_of(output)), list((output / "finished").glob("*.json"))
        if len(finished) >= partitions and len(found) >= workers:
            return found
        time.sleep(0.05)
    raise RuntimeError("the run ended before it could be killed: name more --series")


def memory(name: str) -> float:
    """Return a line of the memory of this process in MB."""
    lines = dict(line.split(":", 1) for line in STATUS.read_text().splitlines())
    return int(lines[name].split()[0]) / 1024


def parse_arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.ray_scale",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("parts", nargs="*", metavar="PART", help="equality, memory, throughput, kills")
    add("--work", type=Path, required=True, help="folder for the series and the outputs")
    add("--series", type=int, default=20_000)
    add("--partitions", type=int, default=40)
    add("--horizon", type=int, default=14)
    add("--checkpoint", default="timer-s1-test")
    add("--workers", type=int, default=2)
    add("--drive", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args(given)


if __name__ == "__main__":
    # Workers import this module by its name.
    from benchmarks.ray_scale import main as run

    run()

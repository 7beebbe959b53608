"""The command: arguments and files in, files and messages out."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.fuzz.doors.evaluation import write_set
from benchmarks.fuzz.doors.frame import check_times
from benchmarks.fuzz.doors.reading import KINDS
from benchmarks.fuzz.draw import Draw
from benchmarks.fuzz.inputs.files import Dialect, must_read, some_dialect, writable, write_file
from benchmarks.fuzz.inputs.tables import Truth, some_table
from benchmarks.fuzz.laws import tolerance
from benchmarks.fuzz.oracle import (
    Broken,
    Outcome,
    ask,
    require,
    require_close,
    require_equal,
)
from benchmarks.fuzz.product import NAME, Product

LEFT_OUT = 3
"""Exit status of a forecast without some of the series."""


@dataclass
class Result:
    """What a run of the command returned and printed."""

    code: int
    out: str
    err: str


class Refused(ValueError):
    """The command ended with status 2."""


def run(argv: list[Any], process: bool = False) -> Result:
    """Run the command, in this process or in one of its own."""
    words = [str(word) for word in argv]
    if process:
        command = [sys.executable, "-m", "timer_forecaster", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        return Result(done.returncode, done.stdout, done.stderr)
    from timer_forecaster.cli import main

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(words)
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
    return Result(code, out.getvalue(), err.getvalue())


def asked(argv: list[Any], process: bool = False) -> Outcome:
    """Run the command; status 2 is a refusal with the message on standard error."""

    def call() -> Result:
        result = run(argv, process)
        if "Traceback" in result.err:
            raise Broken("traceback on standard error", result.err[-200:])
        if result.code == 2:
            raise Refused(result.err.strip().rpartition("\n")[2])
        return result

    outcome = ask(call, also=(Refused,))
    if outcome.error is None and outcome.value.code not in (0, LEFT_OUT):
        raise Broken(f"exit status {outcome.value.code}", outcome.value.err[-200:])
    return outcome


def must_work(outcome: Outcome, what: str) -> Result:
    """Return the result; a refusal is a failure."""
    if outcome.error is not None:
        raise Broken(f"refused: {what}", str(outcome.error))
    result: Result = outcome.value
    return result


def must_fail(outcome: Outcome, fault: str, names: list[Any]) -> None:
    """Pass if the command refuses in one line that holds one of the names."""
    if outcome.error is None:
        raise Broken(f"answered: {fault}", outcome.value.out[-150:])
    if not isinstance(outcome.error, Refused):
        raise Broken(f"raises: {fault}", repr(outcome.error))
    text = str(outcome.error)
    if not any(str(name) in text for name in names):
        raise Broken(f"names nothing: {fault}", f"{text} has none of {names}")


def case(draw: Draw, product: Product) -> Outcome:
    """Run a command."""
    weights = {"forecast": 50, "bad forecast": 30, "finetune": 1, "evaluate": 1, "convert": 1}
    kind = draw.weighted({**weights, "bad others": 8, "process": 0.1})
    draw.note(kind=kind)
    return _KINDS[kind](draw, product)


def question(draw: Draw, truth: Truth, path: Path, horizon: int) -> list[Any]:
    """Return the arguments of a forecast."""
    argv: list[Any] = ["forecast", path, "--time-column", truth.time, "--horizon", horizon]
    if truth.id_column is not None:
        argv += ["--id-column", truth.id_column]
    argv += ["--target", *truth.targets, "--checkpoint", NAME, "--dtype", "float64"]
    return [*argv, "--device", "cpu"]


def forecast(draw: Draw, product: Product, process: bool = False) -> Outcome:
    """Forecast a file, and compare with the forecast of the arrays."""
    horizon, levels = draw.integer(1, 5), draw.pick([(0.1, 0.5, 0.9), (0.5,), (0.05, 0.95)])
    truth = some_table(draw, horizon, kind=draw.pick(KINDS), plain=True)
    dialect = some_dialect(draw) if draw.chance(0.5) else Dialect()
    dialect = dialect if writable(truth, dialect) else Dialect()
    path = write_file(truth, dialect, product.folder)
    output = product.folder / draw.pick(["forecast.csv", "f.csv", "f.csv.gz"])
    argv = question(draw, truth, path, horizon)
    argv += ["--levels", ",".join(map(str, levels)), "--output", output]
    if truth.freq is not None and draw.chance(0.3):
        argv += ["--freq", truth.freq]
    draw.note(dialect=dialect.label, argv=argv[2:], head=path.read_bytes()[:60])
    data = path.read_bytes()
    outcome = asked(argv, process)
    what = f"file: {dialect.label}"
    if must_read(truth, dialect):
        must_work(outcome, what)
    if outcome.error is not None:
        must_fail(outcome, what, [path.name, "target", "time column", "--"])
        return outcome
    require(path.read_bytes() == data, "law: the command keeps its input")
    check_output(read_output(output, truth), truth, levels, product, what)
    return outcome


def read_output(path: Path, truth: Truth) -> pd.DataFrame:
    """Read the file that the command wrote."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    clock = next(iter(truth.clocks.values()))
    if isinstance(clock.history, pd.DatetimeIndex):
        table[truth.time] = pd.to_datetime(table[truth.time])
    else:
        table[truth.time] = table[truth.time].astype("int64")
    quantiles = [name for name in table.columns if name.startswith("q0.")]
    return table.astype(dict.fromkeys(quantiles, float))


def check_output(
    table: pd.DataFrame, truth: Truth, levels: Any, product: Product, what: str
) -> None:
    """Check the ids, targets, times and numbers of a written forecast."""
    horizon = len(next(iter(truth.clocks.values())).future)
    series = truth.series()
    require(len(table) == len(series) * horizon, f"rows: {what}", f"{len(table)}")
    if truth.id_column is not None:
        each = len(truth.targets) * horizon
        wanted = [str(key) for key in truth.ids for _ in range(each)]
        require_equal(table[truth.id_column], wanted, f"ids: {what}")
    targets = [str(name) for _ in truth.ids for name in truth.targets for _ in range(horizon)]
    require_equal(table["target"], targets, f"targets: {what}")
    check_times(table, truth, horizon, what)
    found = product.pipe.predict(series, horizon)
    for level in levels:
        got = table[f"q{level:.12g}"].to_numpy().reshape(len(series), horizon)
        wanted_numbers = found.quantile(level)
        limits = np.array([10 * tolerance(values) for values in series])[:, None]
        limits = limits + 1e-9 * np.abs(wanted_numbers)
        require_close(got, wanted_numbers, limits, f"law: command = arrays ({what})")


def process(draw: Draw, product: Product) -> Outcome:
    """Forecast a file in a process of its own."""
    return forecast(draw, product, process=True)


def bad_forecast(draw: Draw, product: Product) -> Outcome:
    """Spoil an argument or the file: one line names it."""
    truth = some_table(draw, 2, kind="fixed", plain=True)
    path = write_file(truth, Dialect(), product.folder)
    argv = question(draw, truth, path, 2)
    kind = draw.pick(["value", "value", "value", "file", "output", "over the input", "contents"])
    names: list[Any] = [path.name]
    fault = kind
    if kind == "value":
        fault, names = _bad_argument(draw, argv)
    elif kind == "file":
        argv[1] = product.folder / draw.pick(["absent.csv", "no/such.csv", "", "absent.parquet"])
        names = [argv[1].name]
    elif kind == "output":
        output = product.folder / draw.pick(["no/such/folder.csv", "", "data.csv/x.csv"])
        argv += ["--output", output]
        names = [output.name, "--output", "write"]
    elif kind == "over the input":
        argv += ["--output", path if draw.chance(0.5) else path.parent / "." / path.name]
    else:
        path.write_bytes(
            draw.pick([b"", b"\n\n", bytes(99), draw.rng.bytes(99), b"time\n", b"a,b\n1,2\n"])
        )
        names += [str(truth.time)]
    draw.note(fault=fault, argv=argv[2:])
    data = path.read_bytes()
    outcome = asked(argv)
    require(path.read_bytes() == data, f"law: the command keeps its input ({fault})")
    must_fail(outcome, fault, names)
    return outcome


VALUES: dict[str, list[str]] = {
    "--horizon": ["0", "-1", "2.5", "x", "", "nan", "1e3"],
    "--levels": ["0", "1", "x", "", "0.5,0.5", "0.1,,0.9", "nan", "50", "-0.1"],
    "--freq": ["nonsense", "-1h", "0", "", "0D"],
    "--checkpoint": ["absent", "../absent", "", "a/b/c"],
    "--adapter": ["absent", "../absent", ""],
    "--device": ["tpu", "cuda:99", "", "cpu:x"],
    "--dtype": ["float", "", "int8"],
    "--context-length": ["0", "-5", "x", "1.5"],
    "--batch-size": ["0", "-5", "x"],
    "--rollout": ["x", ""],
    "--quantization": ["int4", ""],
    "--time-column": ["absent", ""],
    "--id-column": ["absent", ""],
    "--target": ["absent", ""],
    "--plot": ["picture.xyz", "no/such.png"],
    "--no-such-option": ["1"],
}


def _bad_argument(draw: Draw, argv: list[Any]) -> tuple[str, list[Any]]:
    """Give an argument a value that it cannot have."""
    option = draw.pick(list(VALUES))
    value = draw.pick(VALUES[option])
    argv += [f"{option}={value}"]
    words = {"--target": "target", "--freq": "freq", "--levels": "level", "--plot": value}
    named = [option, option.removeprefix("--").replace("-", "_"), words.get(option, option)]
    if option in ("--checkpoint", "--adapter", "--device"):
        named += [repr(value), option.removeprefix("--")]
    return f"{option}", named


def finetune(draw: Draw, product: Product) -> Outcome:
    """Finetune to a file, and forecast with the adapter."""
    frame = pd.DataFrame({"t": range(90), "y": np.round(draw.rng.normal(size=90), 3)})
    path, folder = product.folder / "data.csv", product.folder / "adapter"
    frame.to_csv(path, index=False)
    argv = ["finetune", path, "--time-column", "t", "--checkpoint", NAME, "--output", folder]
    argv += ["--steps", 1, "--horizon", 4, "--context-length", 16, "--batch-size", 2]
    outcome = asked(argv)
    must_work(outcome, "finetune")
    names = sorted(file.name for file in folder.iterdir())
    require(names == ["adapter.json", "adapter.safetensors"], "files of an adapter", names)
    must_fail(asked(argv), "finetune: the folder exists", [folder.name])
    more = ["forecast", path, "--time-column", "t", "--horizon", 2, "--checkpoint", NAME]
    must_work(asked([*more, "--adapter", folder]), "forecast with an adapter")
    return outcome


def evaluate(draw: Draw, product: Product) -> Outcome:
    """Score the checkpoint on a tiny data set."""
    write_set(draw, product, [draw.rng.normal(size=110) + 5])
    argv = ["evaluate", "--data", product.folder, "--checkpoint", NAME, "--baseline", "naive"]
    output = product.folder / "results.csv"
    outcome = asked([*argv, "--output", output])
    result = must_work(outcome, "evaluate")
    require("seasonal_naive" in result.out, "evaluate prints no table", result.out)
    require(output.exists(), "evaluate writes no results")
    must_work(asked([*argv, "--output", output]), "evaluate again")
    return outcome


def convert(draw: Draw, product: Product) -> Outcome:
    """Convert the checkpoint, and forecast with the result."""
    folder = product.folder / "small"
    argv = ["convert", NAME, "--output", folder]
    outcome = asked(argv)
    must_work(outcome, "convert")
    must_fail(asked(argv), "convert: the folder exists", [folder.name])
    path = product.folder / "data.csv"
    path.write_text("t,y\n" + "".join(f"{i},{i % 5}\n" for i in range(30)), encoding="utf-8")
    more = ["forecast", path, "--time-column", "t", "--horizon", 2, "--checkpoint", folder]
    must_work(asked(more), "forecast with a converted checkpoint")
    return outcome


def bad_others(draw: Draw, product: Product) -> Outcome:
    """Spoil arguments of the other commands."""
    path = product.folder / "data.csv"
    path.write_text("t,y\n" + "".join(f"{i},{i % 5}\n" for i in range(90)), encoding="utf-8")
    tune = ["finetune", path, "--time-column", "t", "--checkpoint", NAME]
    folder, absent = product.folder / "new", product.folder / "absent"
    write_set(draw, product, [draw.rng.normal(size=110) + 5])
    score = ["evaluate", "--data", product.folder, "--checkpoint", NAME]
    questions: list[tuple[str, list[Any], list[Any]]] = [
        ("checkpoints", ["checkpoints", "x"], ["x", "unrecognized"]),
        ("unknown command", ["forecasts"], ["forecasts"]),
        ("convert absent", ["convert", "absent", "--output", folder], ["absent"]),
        ("convert into no folder", ["convert", NAME, "--output", absent / "x"], ["absent"]),
        ("convert a file", ["convert", path, "--output", folder], [path.name]),
        ("finetune into no folder", [*tune, "--output", absent / "x"], ["absent"]),
        ("finetune without output", tune, ["--output"]),
        ("finetune steps", [*tune, "--output", folder, "--steps", "0"], ["steps"]),
        ("finetune rate", [*tune, "--output", folder, "--learning-rate", "nan"], ["learning"]),
        ("finetune rank", [*tune, "--output", folder, "--lora-rank", "2"], ["lora-rank"]),
        ("finetune target", [*tune, "--output", folder, "--tune", "x"], ["--tune"]),
        ("finetune adapter", [*tune, "--output", folder, "--adapter", absent], ["absent"]),
        ("evaluate absent", ["evaluate", "--data", absent, "--checkpoint", NAME], ["absent"]),
        ("evaluate terms", [*score, "--terms", "x"], ["x", "terms"]),
        ("evaluate configuration", [*score, "--configurations", "x"], ["'x'"]),
        ("evaluate compare", [*score, "--compare", "x"], ["--compare"]),
        ("evaluate published", [*score, "--published", absent], ["absent"]),
        ("evaluate output", [*score, "--output", absent / "x.csv"], ["absent"]),
    ]
    fault, argv, names = draw.pick(questions)
    draw.note(fault=fault)
    outcome = asked(argv)
    must_fail(outcome, fault, names)
    return outcome


_KINDS: dict[str, Any] = {
    "forecast": forecast,
    "process": process,
    "bad forecast": bad_forecast,
    "finetune": finetune,
    "evaluate": evaluate,
    "convert": convert,
    "bad others": bad_others,
}

"""The command `timer-forecaster`: forecasts from a CSV file, and the list of checkpoints."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from timer_forecaster import __version__

if TYPE_CHECKING:
    import pandas as pd

_TABLE_ROWS = 12


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments without the program's name. Default: those of the process.

    Returns
    -------
    int
        0, or 2 if the input cannot be used; the reason is then one line on stderr.
    """
    arguments = _parser().parse_args(argv)
    try:
        arguments.run(arguments)
    except (ValueError, ImportError, OSError) as error:
        print(f"timer-forecaster: error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="timer-forecaster", description="Probabilistic forecasts with Timer-S1."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_forecast(commands.add_parser("forecast", help="forecast the columns of a CSV file"))
    _add_pretrain(commands.add_parser("pretrain", help="train a checkpoint"))
    checkpoints = commands.add_parser("checkpoints", help="list the checkpoints known by name")
    checkpoints.set_defaults(run=_checkpoints)
    return parser


def _add_forecast(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_forecast)
    parser.description = (
        "Forecast every target column, for every id, of a CSV file. Without --output and --plot "
        "the first rows of the forecast are printed."
    )
    add = parser.add_argument
    add("data", type=Path, metavar="DATA.csv", help="a header line, then one row per time (and id)")
    add(
        "--time-column",
        required=True,
        metavar="NAME",
        help="column of dates (ISO 8601 is read without guessing) or integers",
    )
    add(
        "--target",
        nargs="+",
        action="extend",
        metavar="NAME",
        help="columns to forecast; default: all numeric columns but the time and the id",
    )
    add("--id-column", metavar="NAME", help="column that tells several series apart")
    add("--horizon", type=int, required=True, metavar="STEPS", help="steps to forecast")
    add(
        "--levels",
        type=_levels,
        default=(0.1, 0.5, 0.9),
        metavar="LEVELS",
        help="quantile levels with commas between them; default: 0.1,0.5,0.9",
    )
    add("--freq", help="step of the times, such as h, 15min, B or MS; default: inferred")
    add("--output", type=Path, metavar="FILE.csv", help="write the forecast here")
    add("--plot", type=Path, metavar="FILE.png", help="draw it here (png, pdf or svg)")
    add(
        "--checkpoint",
        default="timer-s1-mini",
        metavar="NAME",
        help="registry name, folder or hub id; default: timer-s1-mini",
    )
    add("--context-length", type=int, metavar="STEPS", help="newest steps to use; default: all")


def _add_pretrain(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_pretrain)
    parser.description = (
        "Train a checkpoint as a YAML file says. Run again, it goes on where it was interrupted; "
        "start it with torchrun or accelerate launch to train in several processes."
    )
    add = parser.add_argument
    add("config", type=Path, metavar="CONFIG.yaml", help="settings of the run")
    add("--output", type=Path, metavar="FOLDER", help="default: runs/ and the name of the file")
    add(
        "--resume",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="go on with the run in the folder; --no-resume refuses a folder that holds one",
    )
    add("--device", default="auto", choices=("auto", "cpu", "cuda"))
    add("--compile", action="store_true", help="compile blocks and loss: slow start, faster steps")


def _levels(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a list of numbers such as 0.1,0.5,0.9"
        ) from None


def _forecast(arguments: argparse.Namespace) -> None:
    _check_writable(arguments.output)
    _check_writable(arguments.plot)
    if arguments.plot is not None:
        from timer_forecaster.plotting import check_format

        check_format(arguments.plot)
    frame = _read(arguments)
    started = time.perf_counter()
    forecast = _run_pipeline(arguments, frame)
    seconds = time.perf_counter() - started
    drawn = forecast
    forecast = forecast.drop(columns=_unasked(arguments))
    if arguments.output is not None:
        forecast.to_csv(arguments.output, index=False, float_format="%.10g")
    if arguments.plot is not None:
        from timer_forecaster.plotting import plot_forecast

        figure = plot_forecast(
            frame, drawn, time_column=arguments.time_column, id_column=arguments.id_column
        )
        figure.savefig(arguments.plot, dpi=150)
    written = [str(path) for path in (arguments.output, arguments.plot) if path is not None]
    if not written:
        _print_table(forecast)
    n_series = len(forecast) // arguments.horizon
    summary = f"Forecast {arguments.horizon} steps of {n_series} series in {seconds:.1f} s"
    print(f"{summary} -> {', '.join(written)}" if written else summary)


def _unasked(arguments: argparse.Namespace) -> list[str]:
    """Name the column that the picture needs, the median, if it was not asked for."""
    return ["q0.5"] if arguments.plot is not None and 0.5 not in arguments.levels else []


def _check_writable(path: Path | None) -> None:
    """Refuse before the work is done what could not be written after it."""
    if path is not None and not path.parent.is_dir():
        raise ValueError(f"cannot write {path}: there is no folder {path.parent}")


def _read(arguments: argparse.Namespace) -> pd.DataFrame:
    """Read the CSV; times and ids as texts, so that 007 does not become 7, nor NA a gap."""
    import pandas as pd

    from timer_forecaster.inference.times import parse_times

    path, time_column, id_column = arguments.data, arguments.time_column, arguments.id_column
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    try:
        _check_columns(arguments, list(pd.read_csv(path, nrows=0).columns))
        texts = [time_column] if id_column is None else [time_column, id_column]
        frame = pd.read_csv(path, converters=dict.fromkeys(texts, str))
        frame[texts] = frame[texts].mask(frame[texts] == "")
        frame[time_column] = parse_times(frame[time_column], time_column)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    return frame


def _check_columns(arguments: argparse.Namespace, header: list[str]) -> None:
    wanted = [("--time-column", arguments.time_column), ("--id-column", arguments.id_column)]
    wanted += [("--target", name) for name in arguments.target or []]
    for option, name in wanted:
        if name is not None and name not in header:
            raise ValueError(
                f"{option}: there is no column {name!r}; there are {', '.join(header)}"
            )


def _run_pipeline(arguments: argparse.Namespace, frame: pd.DataFrame) -> pd.DataFrame:
    from timer_forecaster import ForecastPipeline

    pipeline = ForecastPipeline.from_pretrained(arguments.checkpoint)
    levels = [*arguments.levels, *([0.5] if _unasked(arguments) else [])]
    return pipeline.predict_frame(
        frame,
        arguments.horizon,
        time_column=arguments.time_column,
        id_column=arguments.id_column,
        target_columns=arguments.target,
        levels=levels,
        freq=arguments.freq,
        context_length=arguments.context_length,
        progress=sys.stderr.isatty(),
    )


def _print_table(forecast: pd.DataFrame) -> None:
    head = forecast.head(_TABLE_ROWS)
    print(head.to_string(index=False, float_format="{:.6g}".format))
    if len(forecast) > len(head):
        print(f"... and {len(forecast) - len(head)} more rows: --output FILE.csv writes all")


def _checkpoints(arguments: argparse.Namespace) -> None:
    from timer_forecaster import list_checkpoints

    for checkpoint in list_checkpoints():
        place = "in the package" if checkpoint.embedded else "on the hub"
        print(f"{checkpoint.name:28} {place:16} {checkpoint.description}")


def _pretrain(arguments: argparse.Namespace) -> None:
    import json
    import os

    from tqdm.auto import tqdm

    from timer_forecaster.pretraining import pretrain, read_config

    config = read_config(arguments.config)
    folder, metrics = pretrain(
        config,
        arguments.output or Path("runs") / arguments.config.stem,
        device=arguments.device,
        compile_blocks=arguments.compile,
        resume=arguments.resume,
        progress=sys.stderr.isatty(),
        on_record=lambda record: tqdm.write(json.dumps(record)),
    )
    if os.environ.get("RANK", "0") == "0":
        print(f"Trained {metrics['step']} steps -> {folder}")

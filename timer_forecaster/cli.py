"""The command `timer-forecaster`: forecasts, tuning, GIFT-Eval, training and its data."""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from timer_forecaster import __version__
from timer_forecaster.extras import lacking

if TYPE_CHECKING:
    import pandas as pd

    from timer_forecaster import ForecastPipeline
    from timer_forecaster.corpus.curation import Curation
    from timer_forecaster.evaluation import Forecaster
    from timer_forecaster.finetuning import FinetuneConfig

_TABLE_ROWS = 12
_TARGETS = ("router+head", "head", "router", "norms", "lora", "full")  # without loading torch


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments without the program's name. Default: those of the process.

    Returns
    -------
    int
        0, or 2 if the input cannot be used or a training run failed; the reason is then one line
        on stderr.
    """
    arguments = _parser().parse_args(argv)
    try:
        arguments.run(arguments)
    except (ValueError, FloatingPointError, ImportError, OSError) as error:
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
    _add_finetune(commands.add_parser("finetune", help="tune a checkpoint to series of a CSV file"))
    _add_evaluate(commands.add_parser("evaluate", help="score checkpoints on GIFT-Eval"))
    _add_pretrain(commands.add_parser("pretrain", help="train a checkpoint"))
    _add_corpus(commands.add_parser("corpus", help="build or describe a training corpus"))
    _add_convert(commands.add_parser("convert", help="write a checkpoint of half the size"))
    checkpoints = commands.add_parser("checkpoints", help="list the checkpoints known by name")
    checkpoints.set_defaults(run=_checkpoints)
    return parser


def _add_forecast(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_forecast)
    parser.description = (
        "Forecast every target column, for every id, of a CSV file. Without --output and --plot "
        "the first rows of the forecast are printed."
    )
    _add_table(parser)
    add = parser.add_argument
    add("--horizon", type=int, required=True, metavar="STEPS", help="steps to forecast")
    add(
        "--levels",
        type=_levels,
        default=(0.1, 0.5, 0.9),
        metavar="LEVELS",
        help="quantile levels with commas between them; default: 0.1,0.5,0.9",
    )
    add("--output", type=Path, metavar="FILE.csv", help="write the forecast here")
    add("--plot", type=Path, metavar="FILE.png", help="draw it here (png, pdf or svg)")
    _add_checkpoint(parser)
    _add_inference_options(parser)


def _add_finetune(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_finetune)
    parser.description = (
        "Tune a few weights of a checkpoint to every target column, for every id, of a CSV file, "
        "and write them to a folder, which `forecast --adapter` and `evaluate --adapter` take. The "
        "newest steps of each series are not trained on: they decide when to stop, and whether the "
        "result is kept. Options that are left out are as in FinetuneConfig."
    )
    _add_table(parser)
    _add_checkpoint(parser)
    _add_loading_options(parser)
    add = parser.add_argument
    add("--output", type=Path, required=True, metavar="FOLDER", help="folder that does not exist")
    add(
        "--tune",
        choices=_TARGETS,
        help="what is trained; default: that of --adapter, else router+head",
    )
    add("--steps", type=int, metavar="STEPS", help="steps of the optimiser at most")
    add("--learning-rate", type=float, metavar="RATE", help="default: by what is trained")
    add("--batch-size", type=int, metavar="WINDOWS", help="windows in a step")
    add("--context-length", type=int, metavar="STEPS", help="steps that forecasts are made from")
    add("--horizon", type=int, metavar="STEPS", help="steps ahead; default: those of one pass")
    add("--validation", type=float, metavar="SHARE", help="share of each series that validates")
    add("--patience", type=int, metavar="TIMES", help="validations without improvement to stop")
    add("--balance-loss", type=float, metavar="WEIGHT", help="of the load-balancing loss")
    add("--router-kl", type=float, metavar="WEIGHT", help="of the routing's divergence")
    add("--weight-decay", type=float, metavar="RATE", help="towards the checkpoint's weights")
    add("--lora-rank", type=int, metavar="RANK", help="with --tune lora")
    add("--hot-experts", type=float, metavar="SHARE", help="with --tune lora: experts, most used")
    add("--seed", type=int, help="of the windows that are drawn")


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_evaluate)
    parser.description = (
        "Score checkpoints beside Seasonal Naive on the GIFT-Eval configurations of a folder, and "
        "print the scores, their aggregates per term and domain, and published models beside them. "
        "With --output, a run that was stopped goes on where it was."
    )
    add = parser.add_argument
    add(
        "--data",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="the GIFT-Eval download, or files <dataset>__<frequency>.parquet",
    )
    add(
        "--checkpoint",
        nargs="+",
        metavar="NAME",
        help="registry names, folders or hub ids; default: timer-s1-mini, or none with --baseline",
    )
    add("--baseline", nargs="+", choices=("naive", "seasonal_naive"), help="score these as well")
    _add_inference_options(parser)
    add("--terms", nargs="+", metavar="TERM", help="some of short, medium, long; default: all")
    add(
        "--configurations",
        nargs="+",
        metavar="NAME",
        help="such as ett1/H/short, ett1/H or ett1; default: all of the folder",
    )
    add("--output", type=Path, metavar="FILE.csv", help="keep the results here, as they come")
    add(
        "--published",
        type=Path,
        metavar="PATH",
        help="published scores: a CSV, or the folder results of the benchmark's repository",
    )
    add("--compare", nargs="+", metavar="MODEL", help="published models to show; default: all")
    add("--plot", type=Path, metavar="FILE.png", help="draw the aggregates (png, pdf or svg)")


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


def _add_convert(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_convert)
    parser.description = (
        "Write a checkpoint with experts in 8-bit integers to a folder, once, which is then "
        "loaded by its name in less time and memory."
    )
    add = parser.add_argument
    add("checkpoint", metavar="NAME", help="registry name, folder or hub id")
    _add_quantization(parser, default="int8")
    add("--output", type=Path, required=True, metavar="FOLDER", help="folder that does not exist")


def _add_corpus(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_corpus_build(commands.add_parser("build", help="write series as shuffled shards"))
    _add_corpus_describe(commands.add_parser("describe", help="table of the data sets"))


def _add_corpus_build(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_corpus_build)
    parser.description = (
        "Write the series of a folder as compressed Parquet shards with a manifest. The data sets "
        "and series that serve validation and examples stay out."
    )
    add = parser.add_argument
    add("source", type=Path, metavar="SOURCE", help="folder of <dataset>__<frequency>.parquet")
    add("out", type=Path, metavar="OUT", help="folder to write; absent or empty")
    add("--exclude", nargs="+", default=[], metavar="NAME", help="further data sets to leave out")
    add(
        "--held-out",
        action="store_true",
        help="gather the held-out data sets, to validate, instead",
    )
    add(
        "--half",
        choices=("A", "B"),
        help="with --held-out: those that decide (A), or those that confirm (B)",
    )
    add("--shard-megabytes", type=float, default=50.0, metavar="MB", help="default: 50")
    add("--memory-megabytes", type=float, default=256.0, metavar="MB", help="default: 256")
    add("--seed", type=int, default=0, help="seed of the shuffle; default: 0")
    add(
        "--curate",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="remove outliers and series without significant dependence on their past",
    )
    add("--k-sigma", type=float, metavar="K", help="with --curate: outliers beyond; default: 5")
    add("--iqr", type=float, metavar="FACTOR", help="with --curate: outliers beyond; default: 3")
    add("--window", type=int, metavar="STEPS", help="with --curate: for outliers; default: 128")
    add("--significance", type=float, metavar="P", help="with --curate: p-value; default: 0.01")
    add("--impute", action="store_true", default=None, help="with --curate: fill gaps by the mean")


def _add_corpus_describe(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_corpus_describe)
    add = parser.add_argument
    add("corpus", type=Path, metavar="CORPUS", help="folder written by `corpus build`")
    add("--plot", type=Path, metavar="FILE.png", help="draw the complexity plane here")
    add(
        "--sample",
        type=int,
        default=50,
        metavar="SERIES",
        help="of each data set, for ADF statistic and forecastability; default: 50",
    )
    add("--against", type=Path, metavar="FOLDER", help="search for values shared with this data")


def _add_table(parser: argparse.ArgumentParser) -> None:
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
        help="columns that are series; default: all numeric columns but the time and the id",
    )
    add("--id-column", metavar="NAME", help="column that tells several series apart")
    add("--freq", help="step of the times, such as h, 15min, B or MS; default: inferred")


def _add_checkpoint(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--checkpoint",
        default="timer-s1-mini",
        metavar="NAME",
        help="registry name, folder or hub id; default: timer-s1-mini",
    )


def _add_inference_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--context-length",
        type=int,
        metavar="STEPS",
        help="newest steps to use; default: all that the checkpoint reads",
    )
    add(
        "--rollout",
        choices=("auto", "quantile", "median", "multiscale"),
        default="auto",
        help="how to go on beyond one pass; default: auto, as the checkpoint prefers",
    )
    add(
        "--flip",
        action="store_true",
        help="average over both signs of each series, at twice the cost",
    )
    _add_loading_options(parser)


def _add_loading_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--adapter", metavar="FOLDER", help="what `finetune` wrote for the checkpoint, or a hub id")
    add(
        "--device",
        default="auto",
        metavar="NAME",
        help="such as cpu, cuda or cuda:1; default: auto, a GPU if there is one and no 8 bits",
    )
    add(
        "--dtype",
        choices=("auto", "float32", "bfloat16", "float16", "float64"),
        default="auto",
        help="type to compute in; default: auto, float32 or, for large networks, as stored",
    )
    _add_quantization(parser)


def _add_quantization(parser: argparse.ArgumentParser, default: str | None = None) -> None:
    parser.add_argument(
        "--quantization",
        choices=("int8",),
        default=default,
        help="experts in 8-bit integers, on a CPU",
    )


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


def _pipeline(checkpoint: str, arguments: argparse.Namespace) -> ForecastPipeline:
    from timer_forecaster import ForecastPipeline

    return ForecastPipeline.from_pretrained(
        checkpoint,
        device=arguments.device,
        dtype=arguments.dtype,
        quantization=arguments.quantization,
        adapter=arguments.adapter,
    )


def _run_pipeline(arguments: argparse.Namespace, frame: pd.DataFrame) -> pd.DataFrame:
    pipeline = _pipeline(arguments.checkpoint, arguments)
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
        rollout=arguments.rollout,
        flip=arguments.flip,
        progress=sys.stderr.isatty(),
    )


def _print_table(forecast: pd.DataFrame) -> None:
    head = forecast.head(_TABLE_ROWS)
    print(head.to_string(index=False, float_format="{:.6g}".format))
    if len(forecast) > len(head):
        print(f"... and {len(forecast) - len(head)} more rows: --output FILE.csv writes all")


def _finetune(arguments: argparse.Namespace) -> None:
    _check_writable(arguments.output)
    if arguments.output.exists():
        raise ValueError(f"cannot write {arguments.output}: it exists")
    from timer_forecaster import finetuning
    from timer_forecaster.inference.frames import series_of

    config = _tuning(arguments)
    series = series_of(
        _read(arguments),
        time_column=arguments.time_column,
        id_column=arguments.id_column,
        target_columns=arguments.target,
        freq=arguments.freq,
    )
    pipeline = _pipeline(arguments.checkpoint, arguments)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", finetuning.TuningWarning)
        adapter = finetuning.finetune(pipeline, series, config, progress=sys.stderr.isatty())
    folder = adapter.save(arguments.output)
    for warning in caught:
        print(f"timer-forecaster: warning: {warning.message}", file=sys.stderr)
    report = str(adapter.report)
    for warning in caught:
        report = report.removeprefix(f"{warning.message}\n")  # which is said already
    print(report)
    size = sum(file.stat().st_size for file in folder.iterdir())
    what = f"{adapter.n_parameters:,} parameters"
    if adapter.is_identity:
        what = "no parameters, which changes nothing"
    print(f"Adapter of {what}: {_size(size)} -> {folder}")


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:.1f} MB" if n_bytes >= 1e6 else f"{n_bytes / 1e3:.1f} kB"


def _tuning(arguments: argparse.Namespace) -> FinetuneConfig:
    """Collect the settings that were given; others are the defaults."""
    from timer_forecaster.finetuning import FinetuneConfig

    target = _target(arguments)
    for option in ("lora_rank", "hot_experts"):
        if getattr(arguments, option) is not None and target != "lora":
            raise ValueError(f"--{option.replace('_', '-')} needs --tune lora")
    names = [field.name for field in fields(FinetuneConfig) if field.name != "target"]
    given = {"target": target} | {name: getattr(arguments, name) for name in names}
    return FinetuneConfig(**{name: value for name, value in given.items() if value is not None})


def _target(arguments: argparse.Namespace) -> str | None:
    """Tell what is trained: what is asked for, else what the adapter has."""
    from timer_forecaster.inference.adapters import as_adapter

    adapter = as_adapter(arguments.adapter)
    if adapter is None or adapter.target == arguments.tune:
        return arguments.tune
    if arguments.tune is None:
        return adapter.target
    if not adapter.is_identity:
        raise ValueError(
            f"--tune {arguments.tune}: --adapter {arguments.adapter} is one of {adapter.target}, "
            "which tuning goes on from; leave one of the two out"
        )
    return arguments.tune


def _evaluate(arguments: argparse.Namespace) -> None:
    _check_writable(arguments.plot)
    if arguments.plot is not None:
        from timer_forecaster.plotting import check_format, plot_aggregates

        check_format(arguments.plot)
    from timer_forecaster import evaluation

    published = _published(arguments)
    started = time.perf_counter()
    forecasters = _forecasters(arguments)
    results = evaluation.evaluate_gift_eval(
        forecasters,
        arguments.data,
        output=arguments.output,
        terms=arguments.terms or tuple(evaluation.TERMS),
        configurations=arguments.configurations,
        progress=sys.stderr.isatty(),
    )
    seconds = time.perf_counter() - started
    print(evaluation.report(results, published, arguments.compare), end="\n\n")
    if arguments.plot is not None:
        table = results
        if published is not None:
            table = evaluation.compare(results, published, arguments.compare)
        figure = plot_aggregates(evaluation.aggregate(table), list(forecasters))
        figure.savefig(arguments.plot, dpi=150)
    written = [str(path) for path in (arguments.output, arguments.plot) if path is not None]
    summary = f"Evaluated {results['dataset'].nunique()} configurations in {seconds:.1f} s"
    print(f"{summary} -> {', '.join(written)}" if written else summary)


def _forecasters(arguments: argparse.Namespace) -> dict[str, Forecaster]:
    from timer_forecaster.evaluation import PipelineForecaster
    from timer_forecaster.evaluation.runner import BASELINES

    # Without the defaults: PipelineForecaster(pipeline) can then take up the results, and they its.
    defaults = {"rollout": "auto", "flip": False, "context_length": None}
    options = {
        name: getattr(arguments, name)
        for name, default in defaults.items()
        if getattr(arguments, name) != default
    }
    forecasters: dict[str, Forecaster] = {}
    only_baselines = arguments.baseline and arguments.adapter is None
    checkpoints = arguments.checkpoint or ([] if only_baselines else ["timer-s1-mini"])
    for checkpoint in checkpoints:
        forecaster = PipelineForecaster(_pipeline(checkpoint, arguments), options)
        name = forecaster.name
        if name in forecasters or name in BASELINES:
            raise ValueError(
                f"--checkpoint {checkpoint}: its rows would be named {name!r}, as those of another "
                "model are; name its folder differently"
            )
        forecasters[name] = forecaster
    return forecasters | {name: BASELINES[name] for name in arguments.baseline or []}


def _published(arguments: argparse.Namespace) -> pd.DataFrame | None:
    """Read published scores, and see before the work is done that they can be compared."""
    if arguments.published is None:
        if arguments.compare:
            raise ValueError(
                "--compare names published models: say with --published where they are"
            )
        return None
    from timer_forecaster import evaluation
    from timer_forecaster.evaluation.leaderboard import check_published

    published = evaluation.read_published(arguments.published)
    terms = arguments.terms or tuple(evaluation.TERMS)
    found = evaluation.find_configurations(arguments.data, arguments.configurations, terms)
    check_published([one.name for one in found], published, arguments.compare)
    return published


def _convert(arguments: argparse.Namespace) -> None:
    from timer_forecaster.inference import convert_checkpoint

    started = time.perf_counter()
    folder = convert_checkpoint(
        arguments.checkpoint, arguments.output, quantization=arguments.quantization
    )
    size = sum(file.stat().st_size for file in folder.iterdir())
    seconds = time.perf_counter() - started
    print(f"Converted {arguments.checkpoint} in {seconds:.1f} s: {size / 1e6:.1f} MB -> {folder}")


def _checkpoints(arguments: argparse.Namespace) -> None:
    from timer_forecaster import list_checkpoints

    for checkpoint in list_checkpoints():
        place = "in the package" if checkpoint.embedded else "on the hub"
        print(f"{checkpoint.name:28} {place:16} {checkpoint.description}")


@contextmanager
def _needs_extra(extra: str) -> Iterator[None]:
    """Say which extra of the package has the module that is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        module = str(error.name).partition(".")[0]
        raise ImportError(lacking(f"this command needs {module}", extra)) from error


@_needs_extra("pretrain")
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


@_needs_extra("pretrain")
def _corpus_build(arguments: argparse.Namespace) -> None:
    from timer_forecaster.corpus.held_out import HELD_OUT, HELD_OUT_SERIES, held_out_half
    from timer_forecaster.corpus.shards import build
    from timer_forecaster.corpus.sources import source_files

    if arguments.half and not arguments.held_out:
        raise ValueError(f"--half {arguments.half} is of the held-out data sets; add --held-out")
    exclude, exclude_series = [*HELD_OUT, *arguments.exclude], HELD_OUT_SERIES
    if arguments.held_out:
        kept = held_out_half(arguments.half) if arguments.half else HELD_OUT
        names = [file.stem for file in source_files(arguments.source)]
        exclude = [*(name for name in names if name not in kept), *arguments.exclude]
        exclude_series = ()
    manifest = build(
        arguments.source,
        arguments.out,
        exclude,
        exclude_series,
        _curation(arguments),
        arguments.shard_megabytes,
        arguments.memory_megabytes,
        arguments.seed,
        progress=sys.stderr.isatty(),
    )
    size = sum(shard.bytes for shard in manifest.shards) / 1e6
    print(
        f"{arguments.out}: {len(manifest.datasets)} data sets, {manifest.series} series, "
        f"{manifest.points} points in {len(manifest.shards)} shards, {size:.1f} MB"
    )
    dropped: Counter[str] = Counter()
    for entry in manifest.datasets:
        dropped.update(entry.dropped_series)
    for reason, count in dropped.most_common():
        print(f"{count} series left out: {reason}")


def _curation(arguments: argparse.Namespace) -> Curation | None:
    from timer_forecaster.corpus.curation import Curation

    names = ("k_sigma", "iqr", "window", "significance", "impute")
    given = {
        name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None
    }
    if given and not arguments.curate:
        raise ValueError(f"--{next(iter(given)).replace('_', '-')} needs --curate")
    return Curation(**given) if arguments.curate else None


@_needs_extra("pretrain")
def _corpus_describe(arguments: argparse.Namespace) -> None:
    from timer_forecaster.corpus.complexity import describe, plot_complexity

    _check_writable(arguments.plot)
    if arguments.plot is not None:
        from timer_forecaster.plotting import check_format

        check_format(arguments.plot)
    table = describe(arguments.corpus, arguments.sample)
    print(table.to_string(index=False, float_format="{:.3f}".format))
    print(
        f"total: {len(table)} data sets, {table['series'].sum()} series, "
        f"{table['points'].sum()} points"
    )
    if arguments.plot is not None:
        plot_complexity(table).savefig(arguments.plot, dpi=150)
        print(f"-> {arguments.plot}")
    if arguments.against is not None:
        _print_shared_runs(arguments)


def _print_shared_runs(arguments: argparse.Namespace) -> None:
    from timer_forecaster.corpus.overlap import find_shared_runs

    runs = find_shared_runs(arguments.corpus, arguments.against)
    print(f"{len(runs)} runs of values shared with {arguments.against}")
    for run in runs[:_TABLE_ROWS]:
        print(
            f"  {run.length} {run.kind} values: {run.dataset} {run.item_id} from step {run.start}, "
            f"{run.other_dataset} {run.other_item_id} from step {run.other_start}"
        )

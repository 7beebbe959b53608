"""The claims of Timer-S1's report, tried at a size that trains in minutes on one CPU core.

    python benchmarks/report_claims.py OUT --corpus CORPUS --data FOLDER --page PAGE

Trains every arm of `ARMS` with several seeds, scores all on the same held-out windows, and draws
the error of sinusoids by period. ``OUT`` keeps the runs and one JSON file of scores per arm and
seed: a program that was stopped goes on from there, and several may share the work (``--arms``,
``--seeds``). The tables are printed and, with ``--page``, put between the page's markers; the
pictures go to ``images`` beside it.

``CORPUS`` is a folder made by ``timer-forecaster corpus build``, ``FOLDER`` holds
``<dataset>__<frequency>.parquet`` files, of which those of `HELD_OUT` are read. Without the first,
networks learn from synthetic series alone; without the second, they are scored on synthetic ones.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import shutil
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from measuring import write_page

from timer_forecaster import ForecastPipeline
from timer_forecaster.corpus.held_out import HELD_OUT
from timer_forecaster.corpus.synthetic import FAMILIES, SyntheticSeries
from timer_forecaster.evaluation import (
    geometric_mean,
    quantile_loss,
    seasonal_error,
    seasonal_naive_quantiles,
)
from timer_forecaster.evaluation.gift_eval import seasonality_of
from timer_forecaster.models.timer_s1 import TimerS1Architecture
from timer_forecaster.pretraining import (
    DataMix,
    PretrainingConfig,
    Stage,
    build_network,
    load_pipeline,
    pretrain,
    remove_serial_blocks,
)

Array = npt.NDArray[np.float64]
Scores = dict[str, dict[str, dict[str, float]]]  # metric, part of the horizon, data set

LEARNING_RATE, LAST_RATE = 2e-3, 1e-4
REAL_SHARE = 0.75  # of the training windows, where there is a corpus
PHASES = 8
NEAR_PATCH = (15.0, 15.75, 16.0, 16.25, 17.0)  # periods of sinusoids, in steps
PARTS = ("near", "middle", "far", "all")
COLOURS = ("#1f6fb4", "#c8553d", "#3a7d44", "#8e6c8a", "#b8860b")


class Arm(NamedTuple):
    """One way to train."""

    label: str
    objective: str = "stp"
    augmented: bool = True
    ending: str = "equal"
    main_share: float | None = None  # of the blocks; default: as in the scale's architecture


ARMS = {
    "stp": Arm("STP: 2 main + 6 serial blocks"),
    "ntp": Arm("NTP: 8 main blocks", objective="ntp"),
    "mtp": Arm("MTP: 8 main blocks, 6 heads", objective="mtp"),
    "stp-deep": Arm("STP: 5 main + 3 serial blocks", main_share=0.6),
    "plain": Arm("STP without augmentation", augmented=False),
    "continued": Arm("STP, last third weighted 1/√j", ending="continued"),
    "long": Arm("… and long windows in the last sixth", ending="long"),
}
REMOVED = "stp-removed"
LABELS = {name: arm.label for name, arm in ARMS.items()} | {REMOVED: "STP, serial blocks removed"}
STAGED = ("stp", "continued", "long")


class Claim(NamedTuple):
    """A comparison of the report: an arm, what it is compared to, and CRPS of both there."""

    text: str
    arm: str
    reference: str
    published: tuple[float, float]
    context: str = "short"


CLAIMS = (
    Claim("serial blocks removed at inference", REMOVED, "stp", (0.581, 0.485)),
    Claim("NTP instead of STP, equal blocks", "ntp", "stp", (0.556, 0.485)),
    Claim("MTP instead of STP, equal blocks", "mtp", "stp", (0.506, 0.485)),
    Claim("NTP instead of STP with 5 + 3 blocks", "ntp", "stp-deep", (0.556, 0.485)),
    Claim("MTP instead of STP with 5 + 3 blocks", "mtp", "stp-deep", (0.506, 0.485)),
    Claim("no augmentation", "plain", "stp", (0.495, 0.485)),
    Claim("continued pre-training against pre-training", "continued", "stp", (0.496, 0.512)),
    Claim("long-context extension against continued", "long", "continued", (0.485, 0.496), "long"),
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scale:
    """How much is computed; windows are counted in patches."""

    architecture: TimerS1Architecture
    steps: int
    tokens_per_step: int
    window: int
    long_window: int
    windows_per_dataset: int
    n_periods: int
    synthetic_families: tuple[str, ...] = ()  # to score on without data; none: all

    @property
    def horizon(self) -> int:
        """Steps of one pass of the network with serial blocks."""
        return self.architecture.input_token_len * (self.architecture.num_mtp_tokens + 1)

    def context(self, window: int) -> int:
        """Give the longest context whose roll-out does not outgrow a training window."""
        ahead = self.architecture.num_mtp_tokens + 2
        return self.architecture.input_token_len * (window - ahead)


def _architecture(size: int, n_main: int, n_serial: int) -> TimerS1Architecture:
    return TimerS1Architecture(
        hidden_size=size,
        intermediate_size=2 * size,
        num_hidden_layers=n_main,
        num_mtp_tokens=n_serial,
        num_attention_heads=4,
        num_experts=4,
        dropout_rate=0.0,
        max_context_length=2304,
        interior_masks=True,
        training_loss="pinball",
    )


FULL = Scale(
    architecture=_architecture(64, 2, 6),
    steps=450,
    tokens_per_step=2048,
    window=48,
    long_window=144,
    windows_per_dataset=24,
    n_periods=61,
)
QUICK = Scale(
    architecture=_architecture(16, 1, 2),
    steps=6,
    tokens_per_step=64,
    window=8,
    long_window=16,
    windows_per_dataset=2,
    n_periods=7,
    synthetic_families=("clean_periodic", "integrated"),
)


class Windows(NamedTuple):
    """Held-out windows of one data set, with the baseline's losses."""

    name: str
    contexts: list[Array]
    targets: Array  # (n, horizon)
    scales: Array  # (n,) seasonal error of each context
    naive: Array  # (n, horizon, levels)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, score, and write tables and pictures."""
    options = parse_arguments(arguments)
    torch.set_num_threads(options.threads)
    scale = QUICK if options.quick else FULL
    settings = {
        "scale": json.loads(json.dumps(dataclasses.asdict(scale))),
        "corpus": options.corpus and str(options.corpus),
        "data": options.data and str(options.data),
    }
    check_settings(options.out, settings)
    if options.data is None:
        print("no --data: scored on synthetic series, which says little about real ones")
    datasets = held_out_windows(options.data, scale) if options.data else synthetic_windows(scale)
    for name in options.arms:
        for seed in options.seeds:
            run_arm(name, seed, scale, options.corpus, datasets, options.out)
    scores = read_scores(options.out)
    costs = training_costs(scale, options.out) if scores else {}
    curves = sinusoid_curves(options.checkpoint, options.out, scale)
    tables = make_tables(scores, costs, curves, scale)
    print("\n\n".join(tables.values()))
    if options.page is not None:
        write_page(options.page, tables)
        images = options.page.parent / "images"
        images.mkdir(exist_ok=True)
        draw_arms(scores, images / "report_claims.png")
        draw_sinusoids(curves, images / "report_claims_sinusoids.png")


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path, help="folder of runs and scores; goes on from them")
    parser.add_argument("--corpus", type=Path, help="shards of real series to train on")
    parser.add_argument("--data", type=Path, help="Parquet files to score on")
    parser.add_argument("--arms", nargs="*", choices=ARMS, default=list(ARMS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--checkpoint", default="timer-s1-mini", help="shown sinusoids")
    parser.add_argument("--page", type=Path, help="Markdown page whose tables are replaced")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch")
    parser.add_argument("--quick", action="store_true", help="a few seconds, to try the program")
    return parser.parse_args(arguments)


def check_settings(out: Path, settings: dict[str, Any]) -> None:
    """Refuse to mix results of different settings."""
    file = out / "settings.json"
    if not file.exists():
        out.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    elif (found := json.loads(file.read_text(encoding="utf-8"))) != settings:
        differ = sorted(name for name in settings if settings[name] != found.get(name))
        raise ValueError(f"{out} holds results with other settings of {differ}; name another")


# Training


def configure(arm: Arm, seed: int, scale: Scale, corpus: Path | None) -> PretrainingConfig:
    """Set a run up: a trunk that arms of the same data share, then the arm's ending."""
    augmented = arm.augmented
    if corpus is None:
        data = DataMix(synthetic_augmentation=augmented)
    else:
        data = DataMix(
            synthetic_augmentation=False,
            corpus=str(corpus),
            real_share=REAL_SHARE,
            mix_share=0.0,
            downsample=0.3 if augmented else 0.0,
            flip=0.5 if augmented else 0.0,
        )
    return PretrainingConfig(
        architecture=divide_blocks(scale.architecture, arm.main_share),
        stages=make_stages(arm.ending, scale),
        objective=arm.objective,
        data=data,
        log_every=scale.steps // 6,
        checkpoint_every=scale.steps // 6,
        seed=seed,
    )


def divide_blocks(
    architecture: TimerS1Architecture, main_share: float | None
) -> TimerS1Architecture:
    """Give another share of the same number of blocks to the main network."""
    if main_share is None:
        return architecture
    blocks = architecture.num_hidden_layers + architecture.num_mtp_tokens
    main = round(main_share * blocks)
    return dataclasses.replace(architecture, num_hidden_layers=main, num_mtp_tokens=blocks - main)


def make_stages(ending: str, scale: Scale) -> tuple[Stage, ...]:
    """Two thirds of the steps at a constant rate, one third in which it falls to `LAST_RATE`."""
    sixth = scale.steps // 6
    trunk = Stage(
        name="pre-training",
        steps=scale.steps - 2 * sixth,
        tokens_per_step=scale.tokens_per_step,
        window_patches=(scale.window,),
        learning_rate=LEARNING_RATE,
        warmup_steps=sixth // 2,
    )
    end = dataclasses.replace(
        trunk,
        name=ending,
        steps=2 * sixth,
        warmup_steps=0,
        final_learning_rate=LAST_RATE,
        serial_weighting="equal" if ending == "equal" else "inverse_sqrt",
    )
    if ending != "long":
        return trunk, end
    middle = (LEARNING_RATE + LAST_RATE) / 2
    return (
        trunk,
        dataclasses.replace(end, name="continued", steps=sixth, final_learning_rate=middle),
        dataclasses.replace(
            end, steps=sixth, learning_rate=middle, window_patches=(scale.long_window,)
        ),
    )


def train(name: str, seed: int, scale: Scale, corpus: Path | None, out: Path) -> Path:
    """Train an arm, or go on with it; give the folder of its last weights, in float32."""
    arm = ARMS[name]
    config = configure(arm, seed, scale, corpus)
    data = "augmented" if arm.augmented else "plain"
    main = config.architecture.num_hidden_layers
    trunk = out / "runs" / f"trunk-{arm.objective}-{main}-{data}-{seed}"
    folder = out / "runs" / f"{name}-{seed}"
    if not folder.exists():
        pretrain(dataclasses.replace(config, stages=config.stages[:1]), trunk, device="cpu")
        partial = folder.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(trunk, partial)
        partial.rename(folder)
    pretrain(config, folder, device="cpu")
    return folder / "stages" / config.stages[-1].name


def run_arm(
    name: str,
    seed: int,
    scale: Scale,
    corpus: Path | None,
    datasets: Sequence[Windows],
    out: Path,
) -> None:
    """Train and score an arm unless its scores are there."""
    folder = out / "scores"
    folder.mkdir(exist_ok=True)
    file = folder / f"{name}-{seed}.json"
    if file.exists():
        return
    weights = train(name, seed, scale, corpus, out)
    pipe = load_pipeline(weights, "cpu")
    short = scale.context(scale.window)
    if name == "stp":
        removed = load_pipeline(remove_serial_blocks(weights, weights.parent / "removed"), "cpu")
        write_json(folder / f"{REMOVED}-{seed}.json", {"short": score(removed, datasets, short)})
    result = {"short": score(pipe, datasets, short)}
    if name in STAGED:
        result["long"] = score(pipe, datasets, scale.context(scale.long_window))
    write_json(file, result)
    print(f"{name} seed {seed}: {overall(result['short']['loss']):.4f}", flush=True)


def write_json(file: Path, values: Any) -> None:
    """Write a file that is there as a whole or not at all."""
    partial = file.with_suffix(".partial")
    partial.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
    partial.replace(file)


def training_costs(scale: Scale, out: Path) -> dict[str, dict[str, float]]:
    """Parameters, and CPU seconds of a step without drawing its data, of each objective."""
    file = out / "costs.json"
    if not file.exists():
        write_json(file, {name: training_cost(name, scale) for name in ("stp", "ntp", "mtp")})
    costs: dict[str, dict[str, float]] = json.loads(file.read_text(encoding="utf-8"))
    return costs


def training_cost(objective: str, scale: Scale) -> dict[str, float]:
    """Measure the steps of one short run, all of whose data are drawn in the first."""
    config = configure(Arm("", objective), 0, scale, None)
    stage = dataclasses.replace(config.stages[0], steps=9)
    config = dataclasses.replace(config, stages=(stage,), log_every=2, checkpoint_every=10)
    seconds: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        pretrain(
            config,
            folder,
            device="cpu",
            on_record=lambda record: seconds.append(time.process_time()),
        )
    parameters = sum(p.numel() for p in build_network(scale.architecture, objective).parameters())
    return {"parameters": parameters, "seconds_per_step": (seconds[3] - seconds[0]) / 6}


# Held-out windows and their scores


def held_out_windows(folder: Path, scale: Scale) -> list[Windows]:
    """Draw windows of the held-out data sets that a folder holds."""
    files = [file for name in HELD_OUT if (file := folder / f"{name}.parquet").exists()]
    if not files:
        raise ValueError(f"--data {folder} holds none of the held-out data sets {HELD_OUT}")
    datasets = []
    for file in files:
        rows = pd.read_parquet(file, columns=["target"])["target"]
        series = [np.asarray(row, dtype=np.float64) for row in rows]
        datasets.append(
            draw_windows(file.stem, series, seasonality_of(file.stem.split("__")[1]), scale)
        )
    return [dataset for dataset in datasets if dataset.contexts]


def synthetic_windows(scale: Scale) -> list[Windows]:
    """Draw synthetic series that no run trains on; each family counts as a data set."""
    length = scale.context(scale.long_window) + scale.horizon
    datasets = []
    for name in scale.synthetic_families or FAMILIES:
        generator = torch.Generator().manual_seed(2**40)
        series = SyntheticSeries({name: 1.0}).sample(
            2 * scale.windows_per_dataset, length, generator
        )
        datasets.append(draw_windows(name, list(series.double().numpy()), 1, scale))
    return [dataset for dataset in datasets if dataset.contexts]


def draw_windows(name: str, series: Sequence[Array], seasonality: int, scale: Scale) -> Windows:
    """Cut windows at random, the same in every run; at least a horizon of history each."""
    horizon, short = scale.horizon, scale.context(scale.window)
    longest = scale.context(scale.long_window)
    series = [row for row in series if len(row) >= 2 * horizon]
    lengths = np.array([len(row) for row in series], dtype=np.float64)
    random = np.random.default_rng(0)
    contexts, targets, scales, naive = [], [], [], []
    for _ in range(4 * scale.windows_per_dataset if series else 0):
        row = series[random.choice(len(series), p=lengths / lengths.sum())]
        end = int(random.integers(2 * horizon, len(row) + 1)) - horizon
        context, target = row[max(0, end - longest) : end], row[end : end + horizon]
        size = seasonal_error(context[-short:], seasonality)
        if not size > 0 or np.isnan(target).mean() > 0.5:
            continue
        contexts.append(context)
        targets.append(target)
        scales.append(size)
        naive.append(seasonal_naive_quantiles(context[-short:], horizon, seasonality))
        if len(contexts) == scale.windows_per_dataset:
            break
    return Windows(name, contexts, np.array(targets), np.array(scales), np.array(naive))


def score(pipe: ForecastPipeline, datasets: Sequence[Windows], context_length: int) -> Any:
    """Losses relative to Seasonal Naive, by part of the horizon and data set."""
    scores: dict[str, Any] = {metric: {part: {} for part in PARTS} for metric in ("loss", "mase")}
    started = time.process_time()
    for dataset in datasets:
        forecast = pipe.predict(
            dataset.contexts,
            dataset.targets.shape[1],
            context_length=context_length,
            rollout="median",
        )
        for metric, ratios in relative_losses(dataset, forecast.quantiles).items():
            for part, ratio in zip(PARTS, ratios, strict=True):
                scores[metric][part][dataset.name] = ratio
    scores["seconds"] = time.process_time() - started
    return scores


def relative_losses(dataset: Windows, quantiles: Array) -> dict[str, list[float]]:
    """Quantile loss and error of the median over those of Seasonal Naive, for each of `PARTS`.

    Every window is divided by its seasonal error first, so that all count alike.
    """
    ours, naive = (scaled_losses(dataset, each) for each in (quantiles, dataset.naive))
    return {
        metric: [
            float(np.nansum(ours[metric][:, part]) / np.nansum(naive[metric][:, part]))
            for part in horizon_parts(dataset.targets.shape[1])
        ]
        for metric in ours
    }


def scaled_losses(dataset: Windows, quantiles: Array) -> dict[str, Array]:
    """Mean quantile loss over the levels and absolute error of the median, each (n, horizon)."""
    levels = np.arange(1, quantiles.shape[-1] + 1) / (quantiles.shape[-1] + 1)
    losses = [
        quantile_loss(dataset.targets, quantiles[..., index], level) / dataset.scales[:, None]
        for index, level in enumerate(levels)
    ]
    return {"loss": np.mean(losses, axis=0), "mase": losses[len(losses) // 2]}


def horizon_parts(horizon: int) -> list[slice]:
    """Near: the first patch of seven; middle: to the fourth; far: the rest; all."""
    first, fourth = horizon // 7, 4 * horizon // 7
    return [slice(first), slice(first, fourth), slice(fourth, None), slice(None)]


def read_scores(out: Path) -> dict[str, dict[int, Any]]:
    """Scores by arm and seed, as far as they are there."""
    scores: dict[str, dict[int, Any]] = {name: {} for name in LABELS}
    for file in sorted((out / "scores").glob("*.json")):
        name, _, seed = file.stem.rpartition("-")
        scores[name][int(seed)] = json.loads(file.read_text(encoding="utf-8"))
    return {name: found for name, found in scores.items() if found}


# Sinusoids


def sinusoid_curves(checkpoint: str, out: Path, scale: Scale) -> dict[str, dict[str, Array]]:
    """Error by period of a checkpoint, and of the networks trained here."""
    periods = np.union1d(np.geomspace(4, 256, scale.n_periods), NEAR_PATCH)
    curves = {
        checkpoint: sinusoid_errors(ForecastPipeline.from_pretrained(checkpoint), periods, 1024)
    }
    weights = sorted((out / "runs").glob("stp-[0-9]*/stages/equal"))
    if weights:
        context = scale.context(scale.window)
        each = [sinusoid_errors(load_pipeline(path, "cpu"), periods, context) for path in weights]
        means = {name: np.mean([one[name] for one in each], axis=0) for name in each[0]}
        curves["STP, trained here"] = means
    return curves


def sinusoid_errors(pipe: ForecastPipeline, periods: Array, context: int) -> dict[str, Array]:
    """Mean absolute error of the median over one pass, in amplitudes, by period.

    A forecast of zero has an error of 2 / π. Clean, and with noise of a tenth of the amplitude on
    the context.
    """
    horizon = pipe.network.pass_length
    step = np.arange(context + horizon)
    phase = np.arange(PHASES)[:, None] / PHASES
    waves = np.sin(2 * np.pi * (step / periods[:, None, None] + phase))  # (periods, phases, steps)
    noise = np.random.default_rng(0).normal(scale=0.1, size=waves.shape)
    errors = {"period": periods, "pass": np.array([horizon])}
    for name, series in (("clean", waves), ("noisy", waves + noise)):
        rows = series[..., :context].reshape(-1, context)
        median = pipe.predict(rows, horizon, rollout="median").median.reshape(*waves.shape[:2], -1)
        errors[name] = np.abs(median - waves[..., context:]).mean(axis=(1, 2))
    return errors


# Tables


def overall(parts: Mapping[str, Mapping[str, float]], part: str = "all") -> float:
    """Geometric mean over data sets."""
    return geometric_mean(parts[part].values())


def mean_and_error(values: Iterable[float]) -> tuple[float, float]:
    """Mean over seeds and its standard error; NaN of a single seed."""
    array = np.array(list(values))
    error = array.std(ddof=1) / np.sqrt(len(array)) if len(array) > 1 else np.nan
    return float(array.mean()), float(error)


def paired_change(
    scores: Mapping[str, Mapping[int, Any]],
    name: str,
    reference: str,
    context: str = "short",
    part: str = "all",
    reference_context: str = "short",
) -> tuple[float, float, int, int]:
    """Change of the loss to a reference of the same seed, in percent.

    Returns
    -------
    mean, standard error : float
        Over seeds.
    worse, total : int
        Data sets on which the mean over seeds is worse than the reference's, and all.
    """
    seeds = sorted(scores[name].keys() & scores[reference].keys())
    ours = [pd.Series(scores[name][s][context]["loss"][part]) for s in seeds]
    theirs = [pd.Series(scores[reference][s][reference_context]["loss"][part]) for s in seeds]
    logs = pd.DataFrame([np.log(a / b) for a, b in zip(ours, theirs, strict=True)])
    mean, error = mean_and_error(100 * np.expm1(logs.mean(axis=1)))
    return mean, error, int((logs.mean() > 0).sum()), logs.shape[1]


def make_tables(
    scores: Mapping[str, Mapping[int, Any]],
    costs: Mapping[str, Mapping[str, float]],
    curves: Mapping[str, Mapping[str, Array]],
    scale: Scale,
) -> dict[str, str]:
    """Format all results as Markdown, by the name of the page's marker."""
    tables = {"sinusoids": sinusoid_table(curves)}
    if "stp" in scores:
        tables["claims"] = claim_table(scores)
        tables["arms"] = arm_table(scores)
        tables["stages"] = stage_table(scores, scale)
        tables["costs"] = cost_table(scores, costs)
    return tables


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lay out a table."""
    rule = ["---"] + ["---:"] * (len(header) - 1)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (header, rule, *rows))


def with_error(values: tuple[float, float], digits: int = 3, sign: str = "") -> str:
    """Format a mean with its standard error."""
    mean, error = values
    shown = f"{mean:{sign}.{digits}f}"
    return shown if np.isnan(error) else f"{shown} ± {error:.{digits}f}"


def change_cells(change: tuple[float, float, int, int]) -> list[str]:
    """Format a paired change."""
    mean, error, worse, total = change
    return [with_error((mean, error), 1, "+") + " %", f"{worse} of {total}"]


def claim_table(scores: Mapping[str, Mapping[int, Any]]) -> str:
    """Set the report's changes of the loss beside ours, and say whether ours are resolved."""
    rows = []
    for claim, change in claim_changes(scores):
        low, high = interval(change[0], change[1], len(scores[claim.arm]))
        published = published_change(claim)
        found = "not resolved"
        if low > 0 or high < 0:
            found = "yes" if change[0] * published > 0 else "the opposite"
        between = "" if np.isnan(low) else f"{low:+.1f} to {high:+.1f} %"
        rows.append([claim.text, f"{published:+.1f} %", *change_cells(change), between, found])
    header = ["change", "report", "here", "data sets worse", "95 % interval", "shown here"]
    return markdown(header, rows)


def claim_changes(
    scores: Mapping[str, Mapping[int, Any]],
) -> list[tuple[Claim, tuple[float, float, int, int]]]:
    """Give each claim whose arms have been run, with the change found."""
    return [
        (claim, paired_change(scores, claim.arm, claim.reference, claim.context))
        for claim in CLAIMS
        if claim.arm in scores and claim.reference in scores
    ]


def published_change(claim: Claim) -> float:
    """Change of the report's CRPS, in percent."""
    ours, reference = claim.published
    return 100 * (ours / reference - 1)


def interval(mean: float, error: float, seeds: int) -> tuple[float, float]:
    """95 % interval of a mean over seeds by Student's t; NaN of a single seed."""
    from scipy.stats import t

    half = error * t.ppf(0.975, seeds - 1) if seeds > 1 else np.nan
    return float(mean - half), float(mean + half)


def arm_table(scores: Mapping[str, Mapping[int, Any]]) -> str:
    """Losses of every arm by part of the horizon."""
    rows = []
    for name in ("stp", "stp-deep", REMOVED, "ntp", "mtp", "plain"):
        if name not in scores:
            continue
        found = [result["short"] for result in scores[name].values()]
        losses = [mean_and_error(overall(one["loss"], part) for one in found) for part in PARTS]
        mase = mean_and_error(overall(one["mase"]) for one in found)
        rows.append([LABELS[name], str(len(found)), *map(with_error, [*losses, mase])])
    return markdown(["arm", "seeds", *PARTS, "MASE, all"], rows)


def stage_table(scores: Mapping[str, Mapping[int, Any]], scale: Scale) -> str:
    """Losses of the staged arms with both context lengths, against pre-training alone."""
    header = ["stages", "context", *PARTS, "loss against the first row", "data sets worse"]
    labels = ("pre-training alone", "+ continued pre-training", "+ long-context extension")
    rows = []
    for name, label in zip(STAGED, labels, strict=True):
        for context, window in (("short", scale.window), ("long", scale.long_window)):
            if name not in scores:
                continue
            found = [result[context]["loss"] for result in scores[name].values()]
            losses = [mean_and_error(overall(one, part) for one in found) for part in PARTS]
            first = (name, context) == ("stp", "short")
            change = paired_change(scores, name, "stp", context)
            against = ["", ""] if first else change_cells(change)
            cells = [label, str(scale.context(window)), *map(with_error, losses)]
            rows.append(cells + against)
    return markdown(header, rows)


def cost_table(
    scores: Mapping[str, Mapping[int, Any]], costs: Mapping[str, Mapping[str, float]]
) -> str:
    """Parameters and CPU time of the objectives: equal blocks are not equal costs."""
    rows = []
    for name, cost in costs.items():
        found = [result["short"]["seconds"] for result in scores.get(name, {}).values()]
        seconds = f"{np.mean(found):.1f}" if found else ""
        rows.append(
            [
                LABELS[name],
                f"{cost['parameters']:,.0f}",
                f"{cost['seconds_per_step']:.2f}",
                seconds,
            ]
        )
    header = ["arm", "parameters", "CPU s per training step", "CPU s to forecast all windows"]
    return markdown(header, rows)


def sinusoid_table(curves: Mapping[str, Mapping[str, Array]]) -> str:
    """Median error over bands of periods, and the error close to the patch length."""
    bands = [(4.0, 13.0), *((period, period) for period in NEAR_PATCH), (20.0, 100.0)]
    bands.append((100.0, 256.0))
    rows = []
    for name, curve in curves.items():
        period = curve["period"]
        for kind in ("clean", "noisy"):
            inside = [curve[kind][(period >= low) & (period <= high)] for low, high in bands]
            values = [f"{np.median(errors):.3f}" for errors in inside]
            largest = f"{curve[kind].max():.3f} at {period[np.argmax(curve[kind])]:.1f}"
            rows.append([name, kind, *values, largest])
    names = [f"{low:g}" if low == high else f"{low:g} to {high:g}" for low, high in bands]
    return markdown(["network", "context", *names, "largest"], rows)


# Pictures


def draw_arms(scores: Mapping[str, Mapping[int, Any]], file: Path) -> None:
    """Draw losses by part of the horizon, and changes to STP."""
    from matplotlib.figure import Figure

    if "stp" not in scores:
        return
    figure = Figure(figsize=(11, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    shown = [name for name in ("stp", "stp-deep", REMOVED, "ntp", "mtp") if name in scores]
    for number, name in enumerate(shown):
        draw_parts(left, scores[name], 0.12 * (number - 2), COLOURS[number], LABELS[name])
    left.set_xticks(range(4), [f"{part}\nsteps" for part in PARTS])
    left.set_ylabel("quantile loss, Seasonal Naive = 1")
    left.legend(frameon=False, fontsize=8, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.14))
    draw_changes(right, claim_changes(scores))
    figure.savefig(file, dpi=120)


def draw_parts(axes: Any, found: Mapping[int, Any], shift: float, colour: str, label: str) -> None:
    """Draw one arm: its seeds as small dots, mean and standard error over them."""
    for x, part in enumerate(PARTS):
        values = [overall(result["short"]["loss"], part) for result in found.values()]
        mean, error = mean_and_error(values)
        axes.plot([x + shift + 0.04] * len(values), values, ".", color=colour, markersize=3)
        axes.errorbar(
            x + shift, mean, error, fmt="o", color=colour, capsize=3, label=None if x else label
        )


def draw_changes(axes: Any, changes: Sequence[tuple[Claim, tuple[float, float, int, int]]]) -> None:
    """Draw the changes with their standard errors, and the report's."""
    rows = range(len(changes))[::-1]
    means, errors = ([change[i] for _, change in changes] for i in (0, 1))
    published = [published_change(claim) for claim, _ in changes]
    axes.axvline(0, color="grey", linewidth=0.8)
    axes.errorbar(means, rows, xerr=errors, fmt="o", color=COLOURS[0], capsize=3, label="here")
    axes.plot(published, rows, "D", color="grey", fillstyle="none", label="report")
    axes.set_yticks(rows, [claim.text for claim, _ in changes])
    axes.set_xlabel("change of the loss, %")
    axes.legend(frameon=False, fontsize=8)


def draw_sinusoids(curves: Mapping[str, Mapping[str, Array]], file: Path) -> None:
    """Draw the error by period, with the patch length."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3.8), layout="constrained")
    panels = figure.subplots(1, len(curves), sharey=True, squeeze=False)[0]
    for axes, (name, curve) in zip(panels, curves.items(), strict=True):
        for number, kind in enumerate(("clean", "noisy")):
            axes.loglog(
                curve["period"], curve[kind], ".-", color=COLOURS[number], label=f"{kind} context"
            )
        for step in (16, curve["pass"][0]):
            axes.axvline(step, color="grey", linewidth=0.8, linestyle=":")
        axes.axhline(2 / np.pi, color="grey", linewidth=0.8)
        axes.set_xticks([4, 8, 16, 32, 64, 128, 256], ["4", "8", "16", "32", "64", "128", "256"])
        axes.minorticks_off()
        axes.set_title(name)
        axes.set_xlabel("period, steps (dotted: one patch, one pass)")
    panels[0].set_ylabel("mean absolute error / amplitude")
    panels[0].legend(frameon=False)
    figure.savefig(file, dpi=120)


if __name__ == "__main__":
    main()

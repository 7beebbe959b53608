"""Finetuning from a pipeline and series to an adapter with a report."""

from __future__ import annotations

import dataclasses
import time
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import Tensor

from timer_forecaster.adapters.adapter import Adapter
from timer_forecaster.adapters.base import Base
from timer_forecaster.adapters.report import TuningReport
from timer_forecaster.arrays import FloatArray
from timer_forecaster.checkpoints.cache import forget_large
from timer_forecaster.checkpoints.loading import architecture_of
from timer_forecaster.finetuning.config import FinetuneConfig
from timer_forecaster.finetuning.errors import NothingToTuneError
from timer_forecaster.finetuning.guards import (
    TuningWarning,
    Validation,
    validate,
    validate_pipeline,
)
from timer_forecaster.finetuning.known import Known, known_of
from timer_forecaster.finetuning.loop import Best, Loop, TuningFailedError
from timer_forecaster.finetuning.objectives.choice import Steps, beside, objective_of
from timer_forecaster.finetuning.objectives.parts import Windows
from timer_forecaster.finetuning.reading import series_as_read, windows_as_read
from timer_forecaster.finetuning.trainable import Trainable, hot_experts, load_frozen, trainable
from timer_forecaster.finetuning.windows import (
    Split,
    chunks,
    data_fingerprint,
    split_series,
    split_windows,
)
from timer_forecaster.inference import ForecastPipeline
from timer_forecaster.inference.channels import width_of
from timer_forecaster.inference.covariates.alignment import aligned
from timer_forecaster.inference.frequency import Frequency
from timer_forecaster.inference.frequency_warning import frequencies_for
from timer_forecaster.inference.series import as_series, timed_series
from timer_forecaster.models.columns import KnownColumn
from timer_forecaster.models.tuning import adapted, checked_target
from timer_forecaster.values import as_floats

if TYPE_CHECKING:
    from timer_forecaster.models.timer_s1 import TimerS1Architecture


def finetune(
    pipe: ForecastPipeline,
    series: Any,
    config: FinetuneConfig | None = None,
    *,
    known: Any = None,
    progress: bool = False,
    freq: Any = None,
) -> Adapter:
    """Finetune a checkpoint to series, and return the adapter.

    A private copy of the target's weights is trained; the weights that pipelines share do not
    change. The newest steps of each series are not trained on. They decide which step of the
    training was the best, and whether its weights forecast better than the weights before. If they
    do not, or if the training goes wrong, the result is the adapter of the pipeline or, without
    one, the identity. A warning gives the reason. The validated loss never becomes worse.

    Parameters
    ----------
    pipe : ForecastPipeline
        Pipeline to finetune; it also sets the device. If it has an adapter, its finetuning
        continues.
    series : array of shape (steps,), array of shape (n_series, steps), or list of 1-D arrays
        Old to new, of any lengths; NaN means missing.
    config : FinetuneConfig, optional
        Settings.
    known : frame or array of shape (steps, columns), or list of them, optional
        With ``target="channels"``: numeric columns that will be known over a horizon, one table
        for each series, with a row for each step. Forecasts with the adapter need the same columns.
    progress : bool
        Show a progress bar.
    freq : str, pandas offset or int, or list of them, optional
        Frequency of all series or of each, for checkpoints that read it; see
        `timer_forecaster.ForecastPipeline.predict`. Default: of the dates of the series, if any.

    Returns
    -------
    Adapter
        For ``adapter=`` of `timer_forecaster.ForecastPipeline.from_pretrained` and of the
        estimators. Its `report` holds losses and the reason of the end.

    Raises
    ------
    ValueError, TypeError
        If no series can be trained on, or an argument cannot be used. The message names it.

    Warns
    -----
    TuningWarning
        If finetuning changes nothing.

    Notes
    -----
    A network of 10⁹ parameters or more keeps its stored type; only the trained weights are
    float32. Its form for forecasting leaves the process-wide cache meanwhile.

    Examples
    --------
    >>> import numpy as np
    >>> from timer_forecaster import ForecastPipeline
    >>> from timer_forecaster.finetuning import FinetuneConfig, finetune
    >>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
    >>> sawtooth = np.arange(400) % 23 + np.random.default_rng(0).normal(size=400) / 10
    >>> config = FinetuneConfig(steps=20, context_length=128, horizon=24)
    >>> adapter = finetune(pipe, sawtooth, config)
    >>> adapter.report.status
    'improved'
    >>> tuned = ForecastPipeline.from_pretrained("timer-s1-small", adapter=adapter)
    >>> tuned.predict(sawtooth, horizon=24).median.shape
    (1, 24)
    """
    config = _checked(pipe, config)
    values, times = timed_series(series)
    table = _known(pipe, config, aligned(known, series, times, "known", 0), values)
    columns = () if table is None else table.columns
    run = _Run(pipe, config, freq, len(values), columns, times)
    given = None if table is None else table.values
    read = values
    if table is None:
        read = series_as_read(values, run.frozen.config, run.quality, config.context_length)
    split = split_series(read, config.validation, run.context_length, run.horizon, given)
    rows = [row for table in given or () for row in table]
    return run.tune(split, data_fingerprint([*values, *rows]), progress)


def finetune_windows(
    pipe: ForecastPipeline,
    contexts: Any,
    targets: Any,
    config: FinetuneConfig | None = None,
    *,
    progress: bool = False,
    freq: Any = None,
) -> Adapter:
    """Finetune a checkpoint to windows and their targets; see `finetune`.

    The last rows validate, so rows should be in the order of time. The default of the horizon is
    the number of steps in the targets.

    Parameters
    ----------
    pipe : ForecastPipeline
    contexts : array of shape (n_windows, steps), or list of 1-D arrays
        Old to new; NaN means missing.
    targets : array of shape (n_windows, horizon)
        NaN where missing.
    config : FinetuneConfig, optional
    progress : bool
    freq : str, pandas offset or int, or list of them, optional
        Frequency of all windows or of each.

    Returns
    -------
    Adapter

    Raises
    ------
    ValueError, TypeError
        As in `finetune`, and if the numbers of contexts and targets differ.

    Examples
    --------
    >>> import numpy as np
    >>> from timer_forecaster import ForecastPipeline
    >>> from timer_forecaster.finetuning import FinetuneConfig, finetune_windows
    >>> from timer_forecaster.sklearn import make_windows
    >>> X, y = make_windows(np.sin(np.arange(400) / 3), window_length=96, horizon=12, step=12)
    >>> pipe = ForecastPipeline.from_pretrained("timer-s1-test")
    >>> finetune_windows(pipe, X, y, FinetuneConfig(steps=2)).target
    'router+head'
    """
    config = _checked(pipe, config)
    _ = _known(pipe, config, None, ())
    is_matrix = isinstance(contexts, np.ndarray) and contexts.ndim == 2
    rows = as_series(list(contexts) if is_matrix else contexts)  # windows of one step are a column
    after = _as_targets(targets)
    if len(rows) != len(after):
        raise ValueError(f"there are {len(rows)} contexts and {len(after)} targets")
    if config.horizon is None:
        config = dataclasses.replace(config, horizon=after.shape[1])
    run = _Run(pipe, config, freq, len(rows))
    after = after[:, : run.horizon]
    read = windows_as_read(rows, after, run.frozen.config, run.quality, config.context_length)
    split = split_windows(*read, config.validation, run.context_length)
    return run.tune(split, data_fingerprint([*rows, *after]), progress)


def _checked(pipe: Any, config: Any) -> FinetuneConfig:
    """Check the pipeline and the settings, and return the settings."""
    if not isinstance(pipe, ForecastPipeline):
        raise TypeError(f"pipe={pipe!r} must be a timer_forecaster.ForecastPipeline")
    if config is None:
        config = FinetuneConfig()
    if not isinstance(config, FinetuneConfig):
        raise TypeError(
            f"config={config!r} must be a FinetuneConfig, such as FinetuneConfig(target='head')"
        )
    architecture = architecture_of(pipe.key)
    if width_of(architecture) > 1 or architecture.unusable_because is not None:
        raise ValueError(
            "pipe: its checkpoint reads several channels as one row, "
            "and finetuning reads each series alone; finetune a checkpoint of one channel"
        )
    return with_target(pipe, config)


def _known(
    pipe: ForecastPipeline, config: FinetuneConfig, known: Any, series: Sequence[FloatArray]
) -> Known | None:
    """Return known columns for the target that reads them; refuse them beside other targets."""
    if config.target == "channels":
        if known is None:
            raise ValueError(
                "target='channels' needs columns that are known over a horizon: call "
                "timer_forecaster.finetuning.finetune(pipe, series, config, known=...), and give "
                "its result as adapter="
            )
        former = pipe.adapter is not None and pipe.adapter.target == "channels"
        return known_of(known, series, pipe.network.config.known_columns if former else ())
    if known is not None:
        raise ValueError(
            f"known goes with target='channels', not with {config.target!r}: leave it out, and "
            "give known to predict"
        )
    return None


def with_target(pipe: ForecastPipeline, config: FinetuneConfig) -> FinetuneConfig:
    """Return settings with a target of the family of a checkpoint, by default its usual one.

    Raises
    ------
    ValueError
        If the target belongs to another family.
    """
    target = checked_target(architecture_of(pipe.key), config.target)
    return dataclasses.replace(config, target=target)


def _as_targets(targets: Any) -> FloatArray:
    try:
        array = as_floats(targets, "targets")
    except TypeError as error:
        raise ValueError(f"targets must be rows of equally many numbers: {error}") from None
    if array.ndim != 2 or not array.size:
        raise ValueError(f"targets has shape {array.shape}; expected (n_windows, horizon)")
    return array


class _Run:
    """One finetuning, from the checks of the arguments to the adapter."""

    def __init__(
        self,
        pipe: ForecastPipeline,
        config: FinetuneConfig,
        freq: Any,
        n_series: int,
        columns: Sequence[KnownColumn] = (),
        times: Any = None,
    ) -> None:
        _check_start(pipe, config)
        self.frequencies = frequencies_for(architecture_of(pipe.key), freq, n_series, times)
        forget_large(pipe.key)
        self.pipe, self.config, self.columns = pipe, config, columns
        self.frozen = load_frozen(pipe.key)
        self.objective = objective_of(self.frozen)
        longest, farthest = self.frozen.config.max_context_length, self.frozen.pass_length
        self.context_length = min(config.context_length or longest, longest)
        self.horizon = min(config.horizon or farthest, farthest)
        self.quality = config.forecast_quality

    def tune(self, split: Split, fingerprint: str, progress: bool) -> Adapter:
        """Train, and return the adapter."""
        with torch.inference_mode(False), torch.enable_grad():
            adapter = self._tune(split, fingerprint, progress)
        if adapter.report is not None and not adapter.report.improved:
            warnings.warn(adapter.report.message, TuningWarning, stacklevel=3)
        return adapter

    def _tune(self, split: Split, fingerprint: str, progress: bool) -> Adapter:
        started = time.perf_counter()
        steps, windows = self._steps(split), self._windows(split)
        start = {} if self.pipe.adapter is None else self.pipe.adapter.weights
        start = {name: value.to(self.frozen.device) for name, value in start.items()}
        trained, before = self._trained(start, split, steps, windows)
        loop = Loop(trained, steps, windows, before, self.config)
        status, message = _outcome(loop, progress, continued=bool(start))
        kept = loop.best if status == "improved" else Best(0, before, start)
        report = TuningReport(
            status=status,
            message=message,
            target=self._target,
            n_parameters=sum(value.numel() for value in trained.parameters.values()),
            steps=loop.step,
            best_step=loop.best.step,
            seconds=round(time.perf_counter() - started, 3),
            loss_before=before.loss,
            loss_after=kept.validation.loss,
            training=loop.training,
            validation=loop.validation,
            expert_use_before=before.shares.round(6).tolist(),
            expert_use_after=kept.validation.shares.round(6).tolist(),
            n_series=len(split.training),
            n_windows=len(split.contexts),
        )
        record = {
            "config": dataclasses.asdict(self.config),
            "data": fingerprint,
            "report": dataclasses.asdict(report),
        }
        weights = {name: value.cpu() for name, value in kept.weights.items()}
        changes = trained.architecture if weights else {}
        return Adapter(Base.of(self.pipe.key), self._target, weights, record, changes)

    @property
    def _target(self) -> str:
        return checked_target(self.frozen.config, self.config.target)

    def _frequencies(self, numbers: Sequence[int]) -> list[Frequency] | None:
        """Return the frequencies of series; None if the network does not read them."""
        known = self.frequencies
        return None if known is None else [known[number] for number in numbers]

    def _steps(self, split: Split) -> Steps:
        known = split.training_known if self.columns else None
        return self.objective.TrainingSteps(
            self.frozen,
            split.training,
            self.config,
            self.context_length,
            self.horizon,
            **beside(self._frequencies(split.trained_series), known),
        )

    def _windows(self, split: Split) -> list[Windows]:
        if not split.contexts:
            raise NothingToTuneError(
                "series: there is nothing to validate by; one of them at least must have a context "
                "that varies and an observed value after it"
            )
        make = self.objective.make_windows
        at_once = self.objective.windows_at_once(self.frozen, max(map(len, split.contexts)))
        return [
            make(
                self.frozen,
                [split.contexts[i] for i in rows],
                split.targets[rows],
                **beside(
                    self._frequencies([split.validated_series[i] for i in rows]),
                    [split.known[i] for i in rows] if self.columns else None,
                ),
            )
            for rows in chunks(split.contexts, at_once)
        ]

    def _trained(
        self, start: Mapping[str, Tensor], split: Split, steps: Steps, windows: Sequence[Windows]
    ) -> tuple[Trainable, Validation]:
        """Return the weights to train, and the validation before the training."""
        config, former, new = self.config, self.pipe.adapter, None
        if not start:
            asked = self._target, steps, config.seed, self.columns
            new = self.objective.new_parts(self.frozen, *asked)
        if new is not None:
            there = {name: value.to(self.frozen.device) for name, value in new.weights.items()}
            changes = new.architecture
            trained = trainable(self.frozen, self._target, start=there, architecture=changes)
            if not new.of_pipeline:
                return trained, validate(trained.network, windows)
            own = self._frequencies(split.validated_series)
            scored = self.pipe, self.frozen, split.contexts, split.targets
            return trained, validate_pipeline(*scored, own)
        changes = {} if former is None else former.architecture
        before = validate(adapted(self.frozen, start, changes), windows)
        trained = trainable(
            self.frozen,
            self._target,
            start=start,
            architecture=changes,
            lora_rank=config.lora_rank,
            hot_experts=self._hot_experts(before),
            seed=config.seed,
        )
        return trained, before

    def _hot_experts(self, before: Validation) -> dict[str, list[int]]:
        share, config = self.config.hot_experts, self.frozen.config
        if not share:
            return {}
        if not before.shares.size:
            raise ValueError(f"hot_experts={share}: the network has no experts; leave it out")
        return hot_experts(cast("TimerS1Architecture", config), before.shares, share)


def _check_start(pipe: ForecastPipeline, config: FinetuneConfig) -> None:
    """Refuse settings that do not fit the adapter of the pipeline, whose finetuning continues."""
    former = pipe.adapter
    if former is None:
        return
    former.check_base(pipe.key)
    if former.is_identity:
        return
    if former.target != config.target:
        raise ValueError(
            f"target={config.target!r}: the pipeline has an adapter of {former.target!r}, and "
            "finetuning continues with its weights; use that target, or a pipeline without adapter"
        )
    ranks = {len(value) for name, value in former.weights.items() if name.endswith("lora_A.weight")}
    if ranks and ranks != {config.lora_rank}:
        raise ValueError(
            f"lora_rank={config.lora_rank}: the pipeline has an adapter of rank "
            f"{', '.join(map(str, sorted(ranks)))}, which finetuning keeps"
        )
    if config.hot_experts:
        raise ValueError(
            f"hot_experts={config.hot_experts}: the pipeline has an adapter, whose layers were "
            "chosen by the first finetuning; leave hot_experts out"
        )


def _outcome(loop: Loop, progress: bool, continued: bool) -> tuple[str, str]:
    """Train, and return the status and the message of the report."""
    kept = "what was tuned before stays" if continued else "the checkpoint stays as it was"
    try:
        loop.run(progress)
    except TuningFailedError as failure:
        return failure.status, f"finetuning was stopped: {failure}. {kept.capitalize()}"
    before, best = loop.validation[0][1], loop.best
    if best.step == 0:
        return (
            "not improved",
            f"finetuning did not improve the validated loss of {before:.4g}: {kept}",
        )
    gain = 1 - best.validation.loss / before
    return "improved", f"finetuning improved the validated loss by {100 * gain:.1f} %"

"""Finetuning from a pipeline and series to an adapter with a report."""

from __future__ import annotations

import dataclasses
import time
import warnings
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from timer_forecaster.adapters.adapter import Adapter
from timer_forecaster.adapters.base import Base
from timer_forecaster.adapters.report import TuningReport
from timer_forecaster.arrays import FloatArray
from timer_forecaster.checkpoints.cache import forget_large
from timer_forecaster.finetuning.config import FinetuneConfig
from timer_forecaster.finetuning.guards import (
    NothingToTuneError,
    TuningWarning,
    Validation,
    validate,
)
from timer_forecaster.finetuning.loop import Best, Loop, TuningFailedError
from timer_forecaster.finetuning.objective import Windows, make_windows
from timer_forecaster.finetuning.trainable import Trainable, hot_experts, load_frozen, trainable
from timer_forecaster.finetuning.windows import (
    Split,
    WindowSampler,
    chunks,
    data_fingerprint,
    split_series,
    split_windows,
)
from timer_forecaster.inference import ForecastPipeline
from timer_forecaster.inference.series import as_series
from timer_forecaster.models.timer_s1.adaptation import adapted
from timer_forecaster.values import as_floats


def finetune(
    pipe: ForecastPipeline,
    series: Any,
    config: FinetuneConfig | None = None,
    *,
    progress: bool = False,
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
    progress : bool
        Show a progress bar.

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
    >>> pipe = ForecastPipeline.from_pretrained("timer-s1-mini")
    >>> sawtooth = np.arange(400) % 23 + np.random.default_rng(0).normal(size=400) / 10
    >>> adapter = finetune(pipe, sawtooth, FinetuneConfig(steps=20, context_length=128))
    >>> adapter.report.status
    'improved'
    >>> tuned = ForecastPipeline.from_pretrained("timer-s1-mini", adapter=adapter)
    >>> tuned.predict(sawtooth, horizon=24).median.shape
    (1, 24)
    """
    config = _checked(pipe, config)
    values = as_series(series)
    run = _Run(pipe, config)
    split = split_series(values, config.validation, run.context_length, run.horizon)
    return run.tune(split, data_fingerprint(values), progress)


def finetune_windows(
    pipe: ForecastPipeline,
    contexts: Any,
    targets: Any,
    config: FinetuneConfig | None = None,
    *,
    progress: bool = False,
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
    rows, after = as_series(contexts), _as_targets(targets)
    if len(rows) != len(after):
        raise ValueError(f"there are {len(rows)} contexts and {len(after)} targets")
    if config.horizon is None:
        config = dataclasses.replace(config, horizon=after.shape[1])
    run = _Run(pipe, config)
    after = after[:, : run.horizon]
    split = split_windows(rows, after, config.validation, run.context_length)
    return run.tune(split, data_fingerprint([*rows, *after]), progress)


def _checked(pipe: Any, config: Any) -> FinetuneConfig:
    """Check the pipeline and the settings, and return the settings."""
    if not isinstance(pipe, ForecastPipeline):
        raise TypeError(f"pipe={pipe!r} must be a timer_forecaster.ForecastPipeline")
    if config is None:
        return FinetuneConfig()
    if not isinstance(config, FinetuneConfig):
        raise TypeError(
            f"config={config!r} must be a FinetuneConfig, such as FinetuneConfig(target='head')"
        )
    return config


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

    def __init__(self, pipe: ForecastPipeline, config: FinetuneConfig) -> None:
        _check_start(pipe, config)
        forget_large(pipe.key)
        self.pipe, self.config = pipe, config
        self.frozen = load_frozen(pipe.key)
        architecture = self.frozen.config
        self.length = architecture.input_token_len
        longest, farthest = architecture.max_context_length, self.frozen.pass_length
        self.context_length = min(config.context_length or longest, longest)
        self.horizon = min(config.horizon or farthest, farthest)
        self.n_serial = -(-self.horizon // self.length) - 1

    def tune(self, split: Split, fingerprint: str, progress: bool) -> Adapter:
        """Train, and return the adapter."""
        with torch.inference_mode(False), torch.enable_grad():
            adapter = self._tune(split, fingerprint, progress)
        if adapter.report is not None and not adapter.report.improved:
            warnings.warn(adapter.report.message, TuningWarning, stacklevel=3)
        return adapter

    def _tune(self, split: Split, fingerprint: str, progress: bool) -> Adapter:
        started = time.perf_counter()
        sampler, windows = self._sampler(split), self._windows(split)
        start = {} if self.pipe.adapter is None else self.pipe.adapter.weights
        start = {name: value.to(self.frozen.device) for name, value in start.items()}
        before = validate(adapted(self.frozen, start), windows)
        trained = self._trainable(start, before)
        loop = Loop(trained, sampler, windows, before, self.config, self.n_serial)
        status, message = _outcome(loop, progress, continued=bool(start))
        kept = loop.best if status == "improved" else Best(0, before, start)
        report = TuningReport(
            status=status,
            message=message,
            target=self.config.target,
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
        return Adapter(Base.of(self.pipe.key), self.config.target, weights, record)

    def _sampler(self, split: Split) -> WindowSampler:
        architecture = self.frozen.config
        longest = max((len(values) for values in split.training), default=0)
        wanted = -(-self.context_length // self.length) + self.n_serial + 1
        most = architecture.max_context_length // self.length + 1
        n_patches = max(2, min(-(-longest // self.length), wanted, most))
        n_rows = self.config.windows_per_step(n_patches)
        seed, device = self.config.seed, self.frozen.device
        return WindowSampler(split.training, architecture, n_rows, n_patches, seed, device)

    def _windows(self, split: Split) -> list[Windows]:
        if not split.contexts:
            raise NothingToTuneError(
                "series: there is nothing to validate by; one of them at least must have a context "
                "that varies and an observed value after it"
            )
        n_tokens = -(-max(map(len, split.contexts)) // self.length)
        at_once = max(1, self.frozen.token_budget // n_tokens)
        return [
            make_windows(self.frozen, [split.contexts[i] for i in rows], split.targets[rows])
            for rows in chunks(split.contexts, at_once)
        ]

    def _trainable(self, start: Mapping[str, Tensor], before: Validation) -> Trainable:
        config = self.config
        hot = hot_experts(self.frozen.config, before.shares, config.hot_experts)
        return trainable(
            self.frozen,
            config.target,
            start=start,
            lora_rank=config.lora_rank,
            hot_experts=hot,
            seed=config.seed,
        )


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

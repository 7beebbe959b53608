"""Lightning's side of `timer_forecaster.darts.TimerS1Model`."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn, Self

import numpy as np
import torch
from darts.models.forecasting.pl_forecasting_module import PLForecastingModule
from darts.utils.data import ModuleStage, PLModuleInput, PLModuleOutput
from numpy.typing import NDArray
from torch import Tensor, nn

from timer_forecaster.adapters.adapter import Adapter
from timer_forecaster.adapters.base import Base
from timer_forecaster.arrays import FloatArray
from timer_forecaster.checkpoints.cache import forget_large
from timer_forecaster.checkpoints.key import NetworkKey
from timer_forecaster.finetuning.steps import Step, in_units, window_step
from timer_forecaster.finetuning.trainable import load_frozen, own_copies, trainable
from timer_forecaster.inference import ForecastPipeline, memo
from timer_forecaster.inference.options import ForecastOptions
from timer_forecaster.models.timer_s1 import TimerS1Network
from timer_forecaster.models.timer_s1.adaptation import adapted
from timer_forecaster.models.timer_s1.targets import TARGETS, replaced_by

Tuned = bool | str | dict[str, list[str]]
"""What is tuned, as ``enable_finetuning`` says it."""

_HALF = (torch.float16, torch.bfloat16)
_EXTRA = "_extra_state"  # as torch calls it in a state dict


class _Branch(nn.Module):
    """Gives parameters the names that they have in the network, and keeps them in their type.

    Lightning casts its module to the type of the series, or to its precision.
    """

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        return super()._apply(lambda tensor: fn(tensor).to(tensor.dtype), recurse)


class _TimerS1Module(PLForecastingModule):
    """What Lightning trains, moves and saves of `TimerS1Model`: the weights that are tuned.

    All others come from the process-wide cache when a forecast is made, or are loaded while it
    trains, so that Lightning neither casts them, nor moves them, nor writes them to checkpoints.
    """

    def __init__(
        self,
        checkpoint: str,
        revision: str | None,
        dtype: str,
        rollout: str,
        flip: bool,
        quantization: str | None,
        enable_finetuning: Tuned = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.checkpoint = checkpoint
        self.revision = revision
        self.network_dtype = dtype
        self.rollout = rollout
        self.flip = flip
        self.quantization = quantization
        self.enable_finetuning = enable_finetuning
        # Darts keeps the levels of a likelihood ascending
        self.levels = [0.5] if self.likelihood is None else self.likelihood.quantiles
        self._names: list[str] = []  # of what is tuned
        self._others: Adapter | None = None  # what else differs from the checkpoint
        self._adapter: tuple[Any, Adapter | None] | None = None  # and when it was right
        self._trained: tuple[Any, TimerS1Network] | None = None  # and what it was made of

    # --- forecasts --------------------------------------------------------------------------

    def forward(self, x_in: PLModuleInput) -> PLModuleOutput:
        # Dimension notation in comments below:
        #   B: batch size
        #   L: input chunk length
        #   T: output chunk length
        #   C: target components
        #   N: likelihood quantiles (1 if deterministic)
        x_past = x_in.past_target  # (B, L, C)
        quantiles = self._forecast(_rows(x_past), str(x_past.device))  # (B*C, T, N)
        return PLModuleOutput(prediction=_unfold(quantiles, x_past))  # (B, T, C, N)

    def _forecast(self, rows: FloatArray, device: str) -> FloatArray:
        """Quantiles (rows, T, N); NaN for a row in which nothing is observed.

        One empty window must not end a backtest. To draw samples, Darts repeats the rows of a
        batch and the batch: each row is forecast once.
        """
        windows, window_of_row = _distinct_windows(rows)
        result = np.full((len(windows) + 1, self.output_chunk_length, len(self.levels)), np.nan)
        if windows:
            pipeline = ForecastPipeline(self._forecast_key(device), self.adapter)
            horizon = self.output_chunk_shift + self.output_chunk_length
            options = ForecastOptions(rollout=self.rollout, flip=self.flip)
            forecast = memo.predict(pipeline, windows, horizon, options)
            quantiles = np.stack([forecast.quantile(level) for level in self.levels], axis=-1)
            result[:-1] = quantiles[:, self.output_chunk_shift :]
        return result[window_of_row]

    @property
    def adapter(self) -> Adapter | None:
        """What forecasts are made with; made anew when the tuned weights have changed."""
        tuned = {name: self.get_parameter(name) for name in self._names}
        version = [(value.data_ptr(), value._version) for value in tuned.values()]
        if self._adapter is None or self._adapter[0] != version:
            self._adapter = version, self._adapter_of(tuned)
        return self._adapter[1]

    def _adapter_of(self, tuned: dict[str, Tensor]) -> Adapter | None:
        others = self._others
        if others is None or not tuned:
            return others
        if not all(value.isfinite().all() for value in tuned.values()):
            raise ValueError(
                "training has made weights that are not finite: create the model anew, with a "
                "lower learning rate (optimizer_kwargs={'lr': ...}) or gradient_clip_val in "
                "pl_trainer_kwargs"
            )
        return Adapter(others.base, others.target, {**others.weights, **tuned}, others.record)

    # --- what is tuned ----------------------------------------------------------------------

    @torch.inference_mode(False)  # weights made in it could never be differentiated
    def start_from(self, adapter: Adapter | None, seed: int = 0) -> None:
        """Take the weights of an adapter, or None: those of the checkpoint.

        Raises
        ------
        ValueError
            If the adapter belongs to another checkpoint.
        """
        self._adapter, self._trained, self._others = None, None, adapter
        if adapter is not None:
            adapter.check_base(self._key("cpu"))
        if not self.enable_finetuning:
            return
        frozen = load_frozen(self._key("cpu"))
        given = {} if adapter is None else adapter.weights
        start = _start_parameters(frozen, self.enable_finetuning, given, seed)
        self._names = list(start)
        for name, parameter in start.items():
            self._set(name, parameter)
        target = _target(self.enable_finetuning, self._names, _names(frozen))
        others = {name: value for name, value in given.items() if name not in start}
        self._others = Adapter(Base.of(self._key("cpu")), target, others, self._record())

    def _set(self, name: str, parameter: nn.Parameter) -> None:
        """Put a parameter where its name says; optimisers keep the one that is there."""
        *path, leaf = name.split(".")
        module: nn.Module = self
        for part in path:
            if part not in module._modules:
                module.add_module(part, _Branch())
            module = module.get_submodule(part)
        present = module._parameters.get(leaf)
        if present is None or present.shape != parameter.shape:
            module.register_parameter(leaf, parameter)
        else:
            present.data.copy_(parameter.data)

    def _key(self, device: str) -> NetworkKey:
        return NetworkKey.resolve(self.checkpoint, self.revision, device, self.network_dtype)

    def _forecast_key(self, device: str) -> NetworkKey:
        quantization = self.quantization
        if quantization is not None:
            device = "auto"  # wherever Lightning is
        return NetworkKey.resolve(
            self.checkpoint, self.revision, device, self.network_dtype, quantization=quantization
        )

    def _record(self) -> dict[str, Any]:
        return {"tuned_by": "timer_forecaster.darts", "enable_finetuning": self.enable_finetuning}

    def _note(self, record: Mapping[str, Any]) -> None:
        """Keep beside the weights how they came about."""
        self._adapter = None
        if self._others is not None:
            others = self._others
            self._others = Adapter(others.base, others.target, others.weights, record)

    # --- training ---------------------------------------------------------------------------

    def training_step(self, train_batch: Any, batch_idx: int) -> Tensor | None:
        return self._step(train_batch, ModuleStage.TRAIN, self.train_metrics)

    def validation_step(self, val_batch: Any, batch_idx: int) -> Tensor | None:
        return self._step(val_batch, ModuleStage.VALIDATE, self.val_metrics)

    def _step(self, batch: Any, stage: ModuleStage, metrics: Any) -> Tensor | None:
        """Loss of a batch over all levels of the network, whatever the likelihood.

        None if no window of it shows anything to learn from.
        """
        past, shift = batch.past_target, self.output_chunk_shift
        rows, targets = _rows(past), _delayed(_rows(batch.future_target), shift)
        weights = batch.sample_weight
        if weights is not None:
            weights = _delayed(_rows(weights.expand_as(batch.future_target)), shift)
        kept = np.asarray(np.isfinite(rows).any(axis=1))
        if not kept.any():
            return None
        contexts = list(rows[kept])
        with _computing(past.device, stage is ModuleStage.TRAIN):
            network = self._network(past.device)
            step = window_step(
                network, contexts, targets[kept], None if weights is None else weights[kept]
            )
        if stage is ModuleStage.TRAIN and not step.loss.requires_grad:
            raise ValueError(
                f"enable_finetuning={self.enable_finetuning!r}: none of these weights takes part "
                f"in forecasts of {targets.shape[1]} steps; serial blocks (mtp_modules) do in "
                f"those of more than {network.config.input_token_len}"
            )
        if len(metrics):
            self._score(network, step, contexts, kept, batch, metrics)
        if not step.n_windows:
            return None
        self.log(
            f"{stage.value}_loss",
            step.loss,
            batch_size=step.n_windows,
            prog_bar=True,
            sync_dist=True,
        )
        return step.loss

    def _score(
        self,
        network: TimerS1Network,
        step: Step,
        contexts: Sequence[FloatArray],
        kept: NDArray[np.bool_],
        batch: Any,
        metrics: Any,
    ) -> None:
        """Update Darts' metrics with the steps that are observed in all components."""
        shift = self.output_chunk_shift
        forecast = in_units(network, contexts, step.quantiles)
        n_steps = forecast.horizon - shift  # as far as one pass goes
        quantiles = np.full((len(kept), n_steps, len(self.levels)), np.nan)
        levels = [forecast.quantile(level)[:, shift:] for level in self.levels]
        quantiles[kept] = np.stack(levels, axis=-1)
        target = batch.future_target[:, :n_steps]  # (B, T, C)
        prediction = _unfold(quantiles, target)  # (B, T, C, N)
        known = target.isfinite().all(-1) & prediction.isfinite().all(-1).all(-1)
        if known.any():
            output = PLModuleOutput(prediction=prediction[known][:, None])
            self._update_metrics(output, target[known][:, None], metrics)

    def _network(self, device: torch.device) -> TimerS1Network:
        """Give the network that computes with what is tuned, on Lightning's device."""
        tuned = {name: self.get_parameter(name) for name in self._names}
        made_of = [str(device), *map(id, tuned.values())]
        if self._trained is None or self._trained[0] != made_of:
            forget_large(self._forecast_key(str(device)))
            frozen = load_frozen(self._key(str(device)))
            others = {} if self._others is None else self._others.weights
            fixed = {name: value.to(device) for name, value in others.items()}
            self._trained = made_of, adapted(frozen, {**fixed, **tuned})
        return self._trained[1]

    def on_fit_end(self) -> None:
        super().on_fit_end()
        values = {name: float(value) for name, value in self.trainer.callback_metrics.items()}
        scores = {name: value for name, value in values.items() if np.isfinite(value)}
        # Also forgets the adapter: a callback may have set weights behind torch's back.
        self._note({**self._record(), "epochs": self.current_epoch, "scores": scores})

    def teardown(self, stage: str) -> None:
        super().teardown(stage)
        self._trained = None

    # --- files and copies -------------------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_trained": None}

    def get_extra_state(self) -> dict[str, Any]:
        """Name the weights which the state dict does not hold, and give those of adapters."""
        others = self._others
        return {
            "checkpoint": self.checkpoint,
            "revision": self.revision,
            "adapter": None
            if others is None
            else {
                "base": tuple(others.base),
                "target": others.target,
                "weights": dict(others.weights),
                "record": dict(others.record),
                "tuned": self._names,
            },
        }

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Do nothing: `load_state_dict` has used it."""

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> Any:
        """Take the weights of a saved module, whatever of them is tuned there and here.

        Raises
        ------
        ValueError
            If it belongs to another checkpoint, whose weights nothing could load into this one.
        """
        state = dict(state_dict)
        if _EXTRA in state:
            self._check_checkpoint(state[_EXTRA])
            saved = state[_EXTRA]["adapter"]
            if saved is None:
                self.start_from(None)
            else:
                tuned = {name: state.pop(name) for name in saved["tuned"]}
                weights = {**saved["weights"], **tuned}
                weights = {name: value.cpu() for name, value in weights.items()}
                base = Base(*saved["base"])
                self.start_from(Adapter(base, saved["target"], weights, saved["record"]))
                self._note(saved["record"])
            state = {**self.state_dict(), **state}
        return super().load_state_dict(state, strict=strict, assign=assign)

    def _check_checkpoint(self, state: dict[str, Any]) -> None:
        theirs, ours = (
            {name: which[name] for name in ("checkpoint", "revision")}
            for which in (state, self.get_extra_state())
        )
        if theirs != ours:
            raise ValueError(
                f"the saved model forecasts with {theirs}, this one with {ours}; create the model "
                "with the saved one's hub_model_name, hub_model_revision and local_dir"
            )


# --- rows and batches -----------------------------------------------------------------------


def _rows(values: Tensor) -> FloatArray:
    """Fold components into the batch: (B, L, C) -> (B*C, L)."""
    if values.dtype in _HALF:
        refuse_half_precision(f"the target series arrives as {values.dtype}")
    rows: FloatArray = values.transpose(1, 2).flatten(0, 1).cpu().double().numpy()
    if np.isinf(rows).any():
        raise ValueError("the target series is infinite somewhere; use NaN for missing values")
    return rows


def _unfold(values: FloatArray, like: Tensor) -> Tensor:
    """Undo `_rows`: (B*C, T, N) -> (B, C, T, N) -> (B, T, C, N)."""
    tensor = torch.from_numpy(values).to(like.dtype).to(like.device)
    return tensor.unflatten(0, (-1, like.shape[2])).transpose(1, 2)


def _delayed(rows: FloatArray, steps: int) -> FloatArray:
    """Put steps before rows of which nothing is known."""
    return np.pad(rows, ((0, 0), (steps, 0)), constant_values=np.nan)


def _distinct_windows(rows: FloatArray) -> tuple[list[FloatArray], list[int]]:
    """Different rows without leading NaN, and for each row which of them it is; -1: all NaN.

    Darts pads short windows on the left with NaN: without the padding, windows of variable and of
    fixed length are the same question to the memory of forecasts.
    """
    observed = ~np.isnan(rows)
    starts = np.where(observed.any(axis=1), observed.argmax(axis=1), rows.shape[1])
    index: dict[bytes, int] = {}
    windows: list[FloatArray] = []
    window_of_row = []
    for row, start in zip(rows, starts, strict=True):
        window = row[start:]
        key = window.tobytes()
        if key and key not in index:
            index[key] = len(windows)
            windows.append(window)
        window_of_row.append(index.get(key, -1))
    return windows, window_of_row


@contextmanager
def _computing(device: torch.device, gradients: bool) -> Iterator[None]:
    """Compute in the network's own type, and validate in a way that leaves no inference tensors."""
    autocast_off = torch.autocast(device.type, enabled=False)
    with torch.inference_mode(False), torch.set_grad_enabled(gradients), autocast_off:
        yield


def refuse_half_precision(what: str) -> NoReturn:
    """Say why, and what would work."""
    raise ValueError(
        f"{what}: half precision would round the series before the model sees it. Use float32 or "
        "float64 series (`series.astype('float32')`) and Lightning's default precision; the "
        "network's own type is the parameter `dtype`"
    )


# --- names of weights -----------------------------------------------------------------------


def tuned_names(tuned: Tuned, names: Sequence[str]) -> list[str]:
    """Choose the weights that ``enable_finetuning`` names, of those of the network.

    None for ``"lora"``, which adds weights.

    Raises
    ------
    ValueError
        If a pattern matches nothing, or nothing is left to tune.
    """
    if isinstance(tuned, str):
        return replaced_by(tuned, names)
    if isinstance(tuned, bool):
        return list(names) if tuned else []
    ((mode, patterns),) = tuned.items()
    for pattern in patterns:
        if not fnmatch.filter(names, pattern):
            raise ValueError(
                f"enable_finetuning={tuned!r}: the pattern {pattern!r} matches no weight; their "
                f"names are like {names[0]!r}, {names[len(names) // 2]!r} or {names[-1]!r}"
            )
    matched = {name for pattern in patterns for name in fnmatch.filter(names, pattern)}
    chosen = [name for name in names if (name in matched) == (mode == "unfreeze")]
    if not chosen:
        raise ValueError(f"enable_finetuning={tuned!r} leaves nothing to tune")
    return chosen


def _names(network: TimerS1Network) -> list[str]:
    return [name for name, _ in network.named_parameters()]


def _start_parameters(
    frozen: TimerS1Network, tuned: Tuned, given: Mapping[str, Tensor], seed: int
) -> dict[str, nn.Parameter]:
    """Make what is tuned: from the weights that are given, and otherwise from the network's."""
    if tuned == "lora":
        start = trainable(frozen, tuned, seed=seed).parameters
    else:
        start = own_copies(frozen, tuned_names(tuned, _names(frozen)))
    for name in start.keys() & given.keys():
        start[name] = nn.Parameter(given[name].to(start[name].dtype, copy=True))
    return start


def _target(tuned: Tuned, chosen: Sequence[str], names: Sequence[str]) -> str:
    """Name what is tuned: one of `TARGETS` if it is the same, else the one that has everything."""
    if isinstance(tuned, str):
        return tuned
    same = (target for target in TARGETS if replaced_by(target, names) == list(chosen))
    return next(same, "full")

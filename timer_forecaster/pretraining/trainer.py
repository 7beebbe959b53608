"""The training loop, on accelerate: stages, validation, log, checkpoints."""

from __future__ import annotations

import dataclasses
import json
import logging
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
import yaml
from accelerate import Accelerator, DistributedDataParallelKwargs
from accelerate.utils import DistributedType
from torch import Tensor, nn
from tqdm.auto import tqdm

from timer_forecaster.files import make_folder, whole_file
from timer_forecaster.pretraining.averaging import InheritedWeights, WeightAverage
from timer_forecaster.pretraining.checkpoints import CheckpointFolder
from timer_forecaster.pretraining.clock import Clock
from timer_forecaster.pretraining.config import config_of
from timer_forecaster.pretraining.data import BatchSource, identify_corpus
from timer_forecaster.pretraining.families import Family, family_of
from timer_forecaster.pretraining.optimizer import build_optimizers
from timer_forecaster.pretraining.records import Meter, RunLog
from timer_forecaster.pretraining.run_settings import RunSettings
from timer_forecaster.pretraining.seeds import mix_seed

DEVICES = ("auto", "cpu", "cuda")

_OF_VALIDATION = ("validation_corpus", "validation_rows", "validation_patches")

_logger = logging.getLogger(__name__)


class PretrainingResult(NamedTuple):
    """The result of a run.

    Parameters
    ----------
    folder : Path
        It holds the checkpoint, for `load_pipeline`.
    metrics : dict
        Last record of the log.

    Examples
    --------
    >>> from pathlib import Path
    >>> from timer_forecaster.pretraining import PretrainingResult
    >>> PretrainingResult(Path("run"), {"step": 100, "loss": 0.21}).metrics["loss"]
    0.21
    """

    folder: Path
    metrics: dict[str, Any]


def pretrain(
    config: RunSettings[Any],
    folder: str | Path,
    *,
    device: str = "auto",
    compile_blocks: bool = False,
    resume: bool = True,
    progress: bool = False,
    on_record: Callable[[dict[str, Any]], None] | None = None,
    seconds: float | None = None,
    checkpoint_seconds: float | None = None,
    on_checkpoint: Callable[[Path], None] | None = None,
) -> PretrainingResult:
    """Train a network, or resume an interrupted run.

    Under ``torchrun`` or ``accelerate launch``, each process draws other windows, and gradients are
    averaged. The FSDP settings of the launcher are used.

    Parameters
    ----------
    config : PretrainingConfig or TTMPretrainingConfig
        Settings of the run.
    folder : str or Path
        Receives ``model.safetensors`` and ``config.json`` (the checkpoint, bfloat16),
        ``log.jsonl``, ``pretraining.yaml`` (the settings), ``checkpoints`` (to resume from) and
        ``stages`` (the network at the end of each stage, float32). With an average of the weights,
        ``averaged`` in each of these folders holds the averaged network.
    device : {"auto", "cpu", "cuda"}
        ``"auto"`` takes a GPU if there is one.
    compile_blocks : bool
        Compile each block and the loss with ``torch.compile``.
    resume : bool
        Resume the run in the folder. False: refuse a folder with any part of a run.
    progress : bool
        Show a progress bar.
    on_record : callable, optional
        Receives each record of the log as it is written, in the first process.
    seconds : float, optional
        Stop at the first step that ends after this time, with a checkpoint; another call continues.
        Default: stop after the last step only.
    checkpoint_seconds : float, optional
        Write a checkpoint also whenever the newest is this old. Default: by steps only.
    on_checkpoint : callable, optional
        Receives the folder after each checkpoint, in the first process.

    Returns
    -------
    PretrainingResult
        The folder, and the last record of the log.

    Raises
    ------
    ValueError
        If the folder holds a run with other settings or other data, or one whose checkpoints are
        all broken, or an argument cannot be used.
    FloatingPointError
        If the loss is no longer finite; the last checkpoint is from before.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from timer_forecaster.pretraining import PretrainingConfig, load_pipeline, pretrain
    >>> sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1,
    ...     "num_mtp_tokens": 1, "num_attention_heads": 2, "num_experts": 2}
    >>> stage = {"name": "short", "steps": 2, "tokens_per_step": 64, "window_patches": 8,
    ...     "learning_rate": 2e-3}
    >>> config = PretrainingConfig.from_mapping({"architecture": sizes, "stages": [stage]})
    >>> folder, metrics = pretrain(config, mkdtemp(), device="cpu")
    >>> metrics["step"], load_pipeline(folder).predict([1.0, 2.0, 4.0], 8).median.shape
    (2, (1, 8))
    """
    clock = Clock(seconds, checkpoint_seconds)
    gpus = [int(os.environ.get("LOCAL_RANK", "0"))] if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices=gpus):
        run = _Run(config, Path(folder), device, compile_blocks, resume)
        ignored = lambda value: None  # noqa: E731
        return run.train(progress, on_record or ignored, on_checkpoint or ignored, clock)


class _Run:
    """State of one run in one process."""

    def __init__(
        self,
        config: RunSettings[Any],
        folder: Path,
        device: str,
        compile_blocks: bool,
        resume: bool,
    ) -> None:
        self.config, self.folder = config, folder
        self.family = family_of(config)
        self.accelerator = _make_accelerator(config, self.family, device)
        self.device = self.accelerator.device
        self.checkpoints = CheckpointFolder(folder / "checkpoints")
        if not resume:
            _check_unused(folder)
        found = self.checkpoints.newest(_logger.warning)
        self.batches = BatchSource(
            config,
            self.device,
            self.accelerator.process_index,
            self.accelerator.num_processes,
            self.family,
        )
        self._corpora = {name: identify_corpus(name) for name in config.corpora(config.steps)}
        if found is not None:
            _check_same_run(config, found[2]["config"], found[1], folder)
            # Old checkpoints have none.
            _check_same_corpora(self._corpora, found[2].get("corpora", {}))
        self.validations = self.batches.validations()
        self._build(compile_blocks, from_scratch=found is None)
        self.step = 0
        if found is not None:
            path, self.step, _ = found
            self.accelerator.load_state(str(path))
        self.accelerator.wait_for_everyone()  # all processes have read the folder before it changes
        self._log = RunLog(folder / "log.jsonl")
        if self.accelerator.is_main_process:
            make_folder(folder)
            self.checkpoints.tidy()
            self._log.cut(self.step)
            _write_settings(config, folder)

    def _build(self, compile_blocks: bool, from_scratch: bool) -> None:
        """Make the network and its optimizers."""
        config = self.config
        torch.manual_seed(config.seed)
        self.network = self.family.network()
        if from_scratch:
            _load_initial(self.network, self.family, config)
        objective = self.family.objective(self.network, self.device, compile_blocks)
        optimizers = build_optimizers(
            self.network,
            config.optimizer.name,
            config.optimizer.weight_decay,
            self.family.muon,
            fused=self.device.type == "cuda",
        )
        self.objective, *self.optimizers = self.accelerator.prepare(objective, *optimizers)
        self._save_unwrapped()
        self.inherited = _inherited(self.network, self.family, config)
        self.average = None
        if config.ema_decay is not None:
            self.average = WeightAverage(self.network, config.ema_decay)
            self.accelerator.register_for_checkpointing(self.average)

    def _save_unwrapped(self) -> None:
        """Keep the plain names of parameters, so that any number of processes can resume.

        Older versions of torch put the name of the wrapper before them; FSDP has its own format.
        """
        if self.accelerator.distributed_type == DistributedType.FSDP:
            return
        bare = self.accelerator.unwrap_model(self.objective)

        def save(models: list[nn.Module], weights: list[Any], folder: str) -> None:
            weights[:] = [bare.state_dict()]

        def load(models: list[nn.Module], folder: str) -> None:
            models[:] = [bare]

        self.accelerator.register_save_state_pre_hook(save)
        self.accelerator.register_load_state_pre_hook(load)

    def train(
        self,
        progress: bool,
        on_record: Callable[[dict[str, Any]], None],
        on_checkpoint: Callable[[Path], None],
        clock: Clock,
    ) -> PretrainingResult:
        """Train to the last step, or until the time is over."""
        config, record = self.config, {"step": self.step} | self._log.last()
        shown = progress and self.accelerator.is_main_process
        bar = tqdm(total=config.steps, initial=self.step, unit="step", disable=not shown)
        meter = Meter(self.batches, self.family.terms)
        is_over = False
        while self.step < config.steps and not is_over:
            stage, step_in_stage = config.locate(self.step)
            meter.add(self._train_step(), self.family.units(self.step))
            self.step += 1
            bar.update()
            stage_ends = step_in_stage + 1 == stage.steps
            is_over, is_due = self._read(clock)
            saving = stage_ends or is_over or is_due or self.step % config.checkpoint_every == 0
            if not saving and self.step % config.log_every:
                continue
            record = self._record(meter, stage.name, stage.learning_rate_at(step_in_stage))
            if saving:
                self._check_weights()
                record |= self._validate()
            if self.accelerator.is_main_process:
                self._log.append(record)  # before the checkpoint, which makes it final
                on_record(record)
            if saving:
                self._save(stage.name if stage_ends else None)
                clock.saved()
                if self.accelerator.is_main_process:
                    on_checkpoint(self.folder)
            bar.set_postfix({"stage": stage.name, "loss": f"{record['loss']:.4f}"})
            meter = Meter(self.batches, self.family.terms)
        bar.close()
        return PretrainingResult(self.folder, record)

    def _read(self, clock: Clock) -> tuple[bool, bool]:
        """Return whether the time is over, and whether a checkpoint is due, in any process."""
        readings = clock.is_over, clock.checkpoint_is_due
        if self.accelerator.num_processes == 1 or not clock.is_set:
            return readings
        counts = self.accelerator.reduce(torch.tensor(readings, device=self.device).float(), "sum")
        is_over, is_due = (counts > 0).tolist()
        return is_over, is_due

    def _train_step(self) -> Tensor:
        """Update the network with one batch, and return the means of the terms of the objective."""
        config, accelerator, step = self.config, self.accelerator, self.step
        stage, step_in_stage = config.locate(step)
        parts, arguments = self.batches.batch(step), self.family.arguments(step)
        dropout = step * accelerator.num_processes + accelerator.process_index
        torch.manual_seed(mix_seed(config.seed, 4, dropout))
        self.objective.train()
        total = torch.zeros(len(self.family.terms), device=self.device)
        for part in parts:
            with accelerator.accumulate(self.objective):
                terms = self.objective(part, *arguments)
                accelerator.backward(terms[0])
                total += terms.detach() / len(parts)
        accelerator.clip_grad_norm_(self.objective.parameters(), config.optimizer.clip_norm)
        with self.inherited.held_back(stage.inherited_factor_at(step_in_stage)):
            for optimizer in self.optimizers:
                for group in optimizer.param_groups:
                    group["lr"] = stage.learning_rate_at(step_in_stage)
                optimizer.step()
                optimizer.zero_grad()
        if self.average is not None:
            self.average.update()
        return total

    def _check_weights(self) -> None:
        """Refuse to save weights that the last step has ruined, after a loss that was finite."""
        # Under FSDP each process has a shard.
        shards = [getattr(p, "to_local", lambda p=p: p)() for p in self.objective.parameters()]
        sound = torch.stack([torch.isfinite(shard).all() for shard in shards]).all()
        # All processes stop, or none.
        if self.accelerator.reduce(sound.float(), "mean").item() < 1:
            raise FloatingPointError(
                f"weights are not finite after step {self.step}; the newest checkpoint in "
                f"{self.checkpoints.folder}, if any, is from before: lower the learning rate"
            )

    def _validate(self) -> dict[str, float]:
        """Return losses on held-out windows, with the weights and with their average."""
        losses = self._validation_losses("validation")
        if self.average is not None:
            with self.average.in_place():
                losses |= self._validation_losses("averaged")
        return losses

    @torch.no_grad()
    def _validation_losses(self, name: str) -> dict[str, float]:
        """Return the terms of the objective that count, on each corpus."""
        self.objective.eval()
        arguments = self.family.arguments_of_validation()
        losses = {}
        for corpus, batch in self.validations.items():
            terms = self.objective(batch, *arguments).tolist()
            suffix = f"_{corpus}" if corpus else ""
            for term, loss in zip(self.family.terms, terms, strict=True):
                if term in self.family.validated:
                    losses[f"{name}_{term}{suffix}"] = loss
        return losses

    def _record(self, meter: Meter, stage: str, learning_rate: float) -> dict[str, Any]:
        accelerator = self.accelerator
        means = accelerator.reduce(meter.sums / meter.steps, "mean").tolist()
        if not math.isfinite(means[0]):
            bad = meter.first_bad
            first = "" if bad is None else f", first in step {self.step - meter.steps + bad}"
            raise FloatingPointError(
                f"the loss is {means[0]} in the steps up to {self.step}{first}; the newest "
                f"checkpoint in {self.checkpoints.folder}, if any, is from before: lower the "
                "learning rate"
            )
        seconds, data_seconds = meter.read()
        record: dict[str, Any] = {"step": self.step, "stage": stage}
        record |= dict(zip(self.family.terms, means, strict=True))
        return record | {
            "learning_rate": learning_rate,
            "seconds": seconds,
            f"{self.family.unit}_per_second": meter.tokens * accelerator.num_processes / seconds,
            "data_share": data_seconds / seconds,
            "skipped_shards": self.batches.skipped_shards,
        }

    def _save(self, finished_stage: str | None) -> None:
        """Write a checkpoint to resume from, and the network for forecasts."""
        with self.checkpoints.writing(self.step):
            self._write(finished_stage)

    def _write(self, finished_stage: str | None) -> None:
        accelerator, partial = self.accelerator, self.checkpoints.partial(self.step)
        if accelerator.is_main_process:
            self.checkpoints.clear(self.step)
        accelerator.wait_for_everyone()
        accelerator.save_state(str(partial))
        state = accelerator.get_state_dict(self.objective)
        accelerator.wait_for_everyone()
        if accelerator.is_main_process:
            weights = {name.removeprefix("network."): value for name, value in state.items()}
            self._export(weights, finished_stage, "")
            if self.average is not None:
                averaged = weights | self.average.state_dict()["average"]
                self._export(averaged, finished_stage, "averaged")
            drawn_from = self.config.corpora(self.step)
            corpora = {name: self._corpora[name] for name in drawn_from}
            self.checkpoints.seal(self.step, {"config": _plain(self.config), "corpora": corpora})
        accelerator.wait_for_everyone()

    def _export(self, weights: dict[str, Tensor], finished_stage: str | None, inside: str) -> None:
        export = self.family.export
        export(self.network, weights, self.folder / inside, torch.bfloat16)
        if finished_stage is not None:
            kept = self.folder / "stages" / finished_stage / inside
            export(self.network, weights, kept, torch.float32)


def _make_accelerator(config: RunSettings[Any], family: Family, device: str) -> Accelerator:
    if device not in DEVICES or (device == "cuda" and not torch.cuda.is_available()):
        raise ValueError(f"device={device!r} is not one of {DEVICES}, or not in this machine")
    # Blocks outside a step have no gradient; the search for them costs time.
    unused = family.leaves_out_parameters()
    accelerator = Accelerator(
        cpu=device == "cpu" or not torch.cuda.is_available(),
        gradient_accumulation_steps=config.gradient_accumulation,
        kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=unused)],
    )
    sharded = accelerator.distributed_type == DistributedType.FSDP
    if sharded and (config.ema_decay or _holds_back(config)):
        raise ValueError(
            "ema_decay and inherited_learning_rate need whole weights, which FSDP cuts into "
            "shards; launch without FSDP"
        )
    if sharded and config.optimizer.name == "muon":
        raise ValueError(
            "optimizer: name 'muon' needs whole matrices, which FSDP cuts into shards; use "
            "'adamw', or launch without FSDP"
        )
    return accelerator


def _load_initial(network: nn.Module, family: Family, config: RunSettings[Any]) -> None:
    weights = family.initial_weights()
    if weights is None:
        return
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        objective = getattr(config, "objective", None)
        of = "" if objective is None else f" and objective {objective!r}"
        raise ValueError(
            f"initial_checkpoint={config.initial_checkpoint!r} does not fit the architecture"
            f"{of}: {error}"
        ) from error


def _inherited(network: nn.Module, family: Family, config: RunSettings[Any]) -> InheritedWeights:
    """Return the weights of the initial checkpoint."""
    masks = family.inherited_entries(network) if _holds_back(config) else {}
    return InheritedWeights(network, masks)


def _holds_back(config: RunSettings[Any]) -> bool:
    return any(stage.inherited_learning_rate < 1 for stage in config.stages)


def _plain(config: RunSettings[Any]) -> dict[str, Any]:
    """Return settings as plain values of JSON and YAML."""
    plain: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(config)))
    return plain


def _write_settings(config: RunSettings[Any], folder: Path) -> None:
    text = yaml.safe_dump(_plain(config), sort_keys=False)
    with whole_file(folder / "pretraining.yaml") as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def _check_unused(folder: Path) -> None:
    used = [folder / "log.jsonl", folder / "model.safetensors", *folder.glob("checkpoints/*")]
    found = [str(path.relative_to(folder)) for path in used if path.exists()]
    if found:
        raise ValueError(f"{folder} holds {found} of a run; choose another folder, or resume it")


def _check_same_run(
    config: RunSettings[Any], saved: dict[str, Any], step: int, folder: Path
) -> None:
    """Refuse to resume with other settings; stages that have not begun may change."""
    now = _plain(config)
    # Fields that are newer than the run have their defaults.
    saved = _plain(config_of(saved))
    free = ("stages", "log_every", "checkpoint_every", *_OF_VALIDATION)
    differ = [name for name in now if name not in free and now[name] != saved.get(name)]
    first = 0
    for index, (stage, old) in enumerate(zip(now["stages"], saved["stages"], strict=False)):
        last = first + old["steps"]
        steady = old["final_learning_rate"] is None and old["inherited_learning_rate"] == 1
        if step <= last and steady:  # its length has no effect yet
            old = old | {"steps": max(stage["steps"], step - first)}
        if first < step and stage != old:
            differ.append(f"stages[{index}]")
        first = last
    if "model" in differ:
        differ = ["model"]  # all others differ too
    if differ or config.steps < step:
        raise ValueError(
            f"{folder} holds a run at step {step} with other settings of {sorted(differ)}; resume "
            "it with its own settings or choose another folder"
        )


def _check_same_corpora(now: dict[str, str], saved: dict[str, str]) -> None:
    changed = [name for name, digest in saved.items() if now[name] != digest]
    if changed:
        raise ValueError(
            f"the manifests of {changed} are not those that the run was begun with; resume it "
            "with the same corpora or choose another folder"
        )

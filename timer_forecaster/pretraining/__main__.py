"""Command line of the pre-training script."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
from pathlib import Path

import torch
import torch.distributed as dist

from timer_forecaster.models.timer_s1 import TimerS1Architecture

from .trainer import Pretraining, PretrainingConfig

MINI = TimerS1Architecture(
    hidden_size=128,
    intermediate_size=128,
    num_hidden_layers=4,
    num_mtp_tokens=7,
    num_attention_heads=4,
    num_experts=4,
    num_experts_per_token=2,
    dropout_rate=0.0,
    max_position_embeddings=1024,
    max_context_length=2048,
    interior_masks=True,
    training_loss="pinball",
)
"""Sizes of the embedded checkpoint ``timer-s1-mini``."""


def main(arguments: list[str] | None = None) -> None:
    """Train a checkpoint into a folder; run again to resume, with torchrun for many processes."""
    parser = argparse.ArgumentParser(
        prog="python -m timer_forecaster.pretraining", description=main.__doc__
    )
    parser.add_argument("folder", type=Path, help="receives log, checkpoint and model")
    parser.add_argument("--steps", type=int, required=True, help="optimiser steps")
    parser.add_argument("--real", type=Path, help="corpus of real series to train on")
    parser.add_argument("--validation", type=Path, help="corpus of held-out series to watch")
    parser.add_argument("--tokens-per-step", type=int, default=4096)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--real-share", type=float, default=0.45)
    parser.add_argument("--full-depth-share", type=float, default=0.35)
    parser.add_argument("--window-patches", type=int, default=64)
    parser.add_argument("--long-window-patches", type=int, default=128)
    parser.add_argument("--threads", type=int, help="threads of torch")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--compile", action="store_true", help="compile the blocks")
    options = parser.parse_args(arguments)
    if options.threads:
        torch.set_num_threads(options.threads)
    config = PretrainingConfig(
        architecture=MINI,
        steps=options.steps,
        tokens_per_step=options.tokens_per_step,
        learning_rate=options.learning_rate,
        real_share=options.real_share,
        full_depth_share=options.full_depth_share,
        window_patches=options.window_patches,
        long_window_patches=options.long_window_patches,
        seed=options.seed,
    )
    device = torch.device(options.device)
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
        if device.type == "cuda":
            device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
    run = Pretraining(
        config,
        options.folder,
        device,
        options.real,
        options.validation,
        options.compile,
    )
    if run.rank == 0:
        write_config(config, options.folder)
    run.run(lambda record: print(json.dumps(record), flush=True))
    if dist.is_initialized():
        dist.destroy_process_group()


def write_config(config: PretrainingConfig, folder: Path) -> None:
    """Write the released layout's ``config.json`` and the settings of the run."""
    architecture = dataclasses.asdict(config.architecture)
    header = {
        "architectures": ["TimerS1ForPrediction"],
        "model_type": "Timer-S1",
        "output_token_lens": [config.architecture.input_token_len],
        "torch_dtype": "bfloat16",
    }
    (folder / "config.json").write_text(json.dumps(header | architecture, indent=2) + "\n")
    settings = dataclasses.asdict(config)
    (folder / "training.json").write_text(json.dumps(settings, indent=2) + "\n")


if __name__ == "__main__":
    main()

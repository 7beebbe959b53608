"""The time of TinyTimeMixer's network relative to the one that sktime vendors.

    OMP_NUM_THREADS=1 python -m benchmarks.ttm_speed

Both networks have the same weights, at random, and forecast the same windows in the same batches.
They take turns in one process. CPU seconds are taken, and the median over the rounds is printed,
with the ratio of the two and the largest difference of their forecasts. The default sizes are those
of the released checkpoint R2 512-96. It needs sktime.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.measuring import in_turns, measure_cpu
from timer_forecaster.models.ttm import TTMArchitecture, TTMNetwork

RELEASES: dict[str, dict[str, Any]] = {
    "r2-512-96": {"context_length": 512, "patch_length": 64, "patch_stride": 64, "d_model": 192},
    "r2-1024-96": {
        "context_length": 1024,
        "patch_length": 128,
        "patch_stride": 128,
        "d_model": 384,
    },
}
"""Sizes of released checkpoints; the decoder has two thirds of the width."""


def main(given: Sequence[str] | None = None) -> None:
    """Print seconds and ratios for each size of batch."""
    arguments = parse_arguments(given)
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    ours = TTMNetwork(architecture(arguments.release)).eval()
    theirs = vendored(ours)
    windows = torch.randn(arguments.windows, ours.architecture.context_length, 1)
    print(
        f"{arguments.release}: {arguments.windows} windows, {arguments.rounds} rounds, "
        f"{arguments.threads} thread(s); milliseconds of the CPU for all windows"
    )
    print(f"{'batch':>6}{'ours':>10}{'vendored':>10}{'ratio':>8}{'difference':>12}")
    for size in arguments.batches:
        with torch.inference_mode():
            difference = float((run(ours, windows, size) - run(theirs, windows, size)).abs().max())
            sides = {"ours": timed(ours, windows, size), "vendored": timed(theirs, windows, size)}
            found = in_turns(sides, arguments.rounds)
        first, second = (1000 * found[side]["seconds"] for side in sides)
        print(f"{size:6}{first:10.0f}{second:10.0f}{first / second:8.2f}{difference:12.1e}")


def architecture(release: str) -> TTMArchitecture:
    """Return the architecture of a released checkpoint."""
    sizes = RELEASES[release]
    return TTMArchitecture(
        **sizes,
        prediction_length=96,
        num_layers=2,
        adaptive_patching_levels=3,
        decoder_num_layers=2,
        decoder_d_model=2 * sizes["d_model"] // 3,
    )


def vendored(network: TTMNetwork) -> nn.Module:
    """Return sktime's class with the weights of a network."""
    from sktime.libs.granite_ttm import TinyTimeMixerConfig, TinyTimeMixerForPrediction

    with tempfile.TemporaryDirectory() as folder:
        TinyTimeMixerConfig(**network.architecture.to_dict()).save_pretrained(folder)
        config = TinyTimeMixerConfig.from_pretrained(folder)
    model = TinyTimeMixerForPrediction(config).eval()
    model.load_state_dict(network.state_dict())
    return model


def run(network: nn.Module, windows: Tensor, size: int) -> Tensor:
    """Return the forecasts of all windows, in batches."""
    return torch.cat([network(batch).prediction_outputs for batch in windows.split(size)])


def timed(network: nn.Module, windows: Tensor, size: int) -> Callable[[], Mapping[str, float]]:
    """Return a function that measures the forecasts of all windows."""
    return lambda: {"seconds": measure_cpu(lambda: run(network, windows, size))}


def parse_arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.ttm_speed", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--release", choices=sorted(RELEASES), default="r2-512-96")
    parser.add_argument("--windows", type=int, default=1000)
    parser.add_argument("--batches", type=int, nargs="+", default=[64, 128])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=1, help="threads of torch")
    return parser.parse_args(given)


if __name__ == "__main__":
    main()

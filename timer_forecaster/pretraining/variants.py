"""Networks of the objectives that the report compares, at equal numbers of blocks."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Hashable, Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from timer_forecaster.broken import read_object
from timer_forecaster.checkpoints.files import fill, folder_version
from timer_forecaster.checkpoints.key import NetworkKey
from timer_forecaster.checkpoints.loading import load_plain_network
from timer_forecaster.checkpoints.registry import find_checkpoint
from timer_forecaster.checkpoints.writing import write_checkpoint
from timer_forecaster.inference.pipeline import ForecastPipeline
from timer_forecaster.models.timer_s1 import TimerS1Architecture, TimerS1Network
from timer_forecaster.models.timer_s1.key_values import KeyValueCache
from timer_forecaster.models.timer_s1.network import ResidualMLP, Stage, TimeMoEBlock
from timer_forecaster.models.weightless import weightless

PARALLEL = "Timer-S1-MTP"
"""``model_type`` of a `ParallelNetwork`, so that no other loader takes it for a Timer-S1."""


class ParallelNetwork(TimerS1Network):
    """Multi-token prediction: every future patch is read from the main blocks' output.

    `TimerS1Network` has serial blocks: each transformer block continues the one before it. This
    network has parallel heads, one per further patch: small residual networks before a shared
    output embedding, like the heads of Medusa (Cai et al., 2024).

    Parameters
    ----------
    config : TimerS1Architecture
        Sizes; ``num_mtp_tokens`` is the number of heads.
    """

    def _build(self, config: TimerS1Architecture) -> None:
        super()._build(dataclasses.replace(config, num_mtp_tokens=0))
        size, dropout = config.hidden_size, config.dropout_rate
        self.mtp_modules = nn.ModuleList(
            ResidualMLP(size, size, size, dropout) for _ in range(config.num_mtp_tokens)
        )

    def _blocks(self) -> list[TimeMoEBlock]:
        return [block for block in self.model.layers if isinstance(block, TimeMoEBlock)]

    def stages(
        self,
        patches: Tensor,
        n_serial: int | None = None,
        last_token: Tensor | None = None,
        cache: KeyValueCache | None = None,
    ) -> Iterator[Stage]:
        """Run the main blocks, then the heads; see `TimerS1Network.stages`."""
        main = next(super().stages(patches, 0, last_token, cache))
        yield main
        for head in self.mtp_modules[:n_serial]:
            yield Stage(head(main.hidden_states), ())


def build_network(architecture: TimerS1Architecture, objective: str) -> TimerS1Network:
    """Make the network of an objective; all have the same number of transformer blocks.

    Parameters
    ----------
    architecture : TimerS1Architecture
        L main and S serial blocks.
    objective : {"stp", "ntp", "mtp"}
        ``"stp"``: the architecture as it is. ``"ntp"``: L + S main blocks that predict the next
        patch; forecasts are rolled out patch by patch. ``"mtp"``: L + S main blocks, and a head
        for each of the S further patches, all reading the same output.

    Returns
    -------
    TimerS1Network

    Examples
    --------
    >>> from timer_forecaster.models.timer_s1 import TimerS1Architecture
    >>> from timer_forecaster.pretraining import build_network
    >>> sizes = {"hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 16}
    >>> blocks = {"num_hidden_layers": 1, "num_mtp_tokens": 2, "num_experts": 2}
    >>> architecture = TimerS1Architecture(**sizes, **blocks)
    >>> build_network(architecture, "ntp").config.num_hidden_layers
    3
    """
    if objective == "stp":
        return TimerS1Network(architecture)
    deep = architecture.num_hidden_layers + architecture.num_mtp_tokens
    if objective == "ntp":
        return TimerS1Network(
            dataclasses.replace(architecture, num_hidden_layers=deep, num_mtp_tokens=0)
        )
    return ParallelNetwork(dataclasses.replace(architecture, num_hidden_layers=deep))


def export_network(
    network: TimerS1Network, weights: Mapping[str, Tensor], folder: Path, dtype: torch.dtype
) -> None:
    """Write ``config.json`` and ``model.safetensors`` in the released layout.

    Each file is complete or absent, whenever the process is killed.

    Parameters
    ----------
    network : TimerS1Network
        The network of the weights.
    weights : mapping of str to Tensor
        Its state dict.
    folder : Path
        Made if need be.
    dtype : torch.dtype
        Type to store.
    """
    parallel = isinstance(network, ParallelNetwork)
    header = {
        "architectures": [type(network).__name__ if parallel else "TimerS1ForPrediction"],
        "model_type": PARALLEL if parallel else "Timer-S1",
        "output_token_lens": [network.config.input_token_len],
    }
    write_checkpoint(folder, header | dataclasses.asdict(network.config), weights, dtype)


def remove_serial_blocks(checkpoint: str | Path, folder: str | Path) -> Path:
    """Write a copy of a checkpoint whose forecasts are rolled out from the main blocks alone.

    Parameters
    ----------
    checkpoint : str or Path
        Folder, registry name or hub id of a checkpoint with serial blocks.
    folder : str or Path
        Receives the copy.

    Returns
    -------
    Path
        The folder, for `timer_forecaster.ForecastPipeline.from_pretrained`.

    Raises
    ------
    ValueError
        If the checkpoint is of another family.

    Examples
    --------
    >>> from timer_forecaster import ForecastPipeline
    >>> from timer_forecaster.pretraining import remove_serial_blocks
    >>> folder = remove_serial_blocks("timer-s1-test", "main-blocks")
    >>> ForecastPipeline.from_pretrained(folder).network.config.num_mtp_tokens
    0
    """
    network = load_plain_network(checkpoint)
    if not isinstance(network, TimerS1Network):
        raise ValueError(f"checkpoint={str(checkpoint)!r} is no Timer-S1; it has no serial blocks")
    config = dataclasses.replace(network.config, num_mtp_tokens=0)
    weights = {k: v for k, v in network.state_dict().items() if not k.startswith("mtp_modules.")}
    folder = Path(folder)
    export_network(TimerS1Network(config), weights, folder, torch.float32)
    return folder


@dataclasses.dataclass(frozen=True)
class ParallelPipeline(ForecastPipeline):
    """A `ForecastPipeline` of a network that was trained by multi-token prediction."""

    @property
    def network(self) -> TimerS1Network:
        """The network; it must not be changed."""
        return _parallel_network(self.key)


def _parallel_network(key: NetworkKey) -> TimerS1Network:
    """Return the network of a folder; it is loaded again when its files have changed."""
    return _load_parallel(key, folder_version(Path(key.name)))


@functools.lru_cache(maxsize=2)
def _load_parallel(key: NetworkKey, version: Hashable) -> TimerS1Network:
    folder = Path(key.name)
    with weightless():
        config = TimerS1Architecture.from_config_file(folder / "config.json", PARALLEL)
        network = ParallelNetwork(config)
    fill(network, folder)
    dtype = torch.float32 if key.dtype == "auto" else getattr(torch, key.dtype)
    return network.to(key.device, dtype).requires_grad_(False).eval()


def load_architecture(checkpoint: str | Path) -> TimerS1Architecture:
    """Read the architecture of a checkpoint of any objective.

    Parameters
    ----------
    checkpoint : str or Path
        Folder, registry name or hub id.
    """
    kind = PARALLEL if _is_parallel(checkpoint) else TimerS1Architecture.model_type
    folder = find_checkpoint(str(checkpoint), weights=False)
    return TimerS1Architecture.from_config_file(folder / "config.json", kind)


def load_weights(checkpoint: str | Path) -> dict[str, Tensor]:
    """Read all weights of a checkpoint of any objective, in float32.

    Parameters
    ----------
    checkpoint : str or Path
        Folder, registry name or hub id.
    """
    if _is_parallel(checkpoint):
        key = NetworkKey.resolve(checkpoint, None, "cpu", "float32")
        return _parallel_network(key).state_dict()
    return load_plain_network(checkpoint).state_dict()


def load_pipeline(
    checkpoint: str | Path, device: str = "auto", dtype: str = "auto"
) -> ForecastPipeline:
    """Load a checkpoint of any objective for forecasting.

    Parameters
    ----------
    checkpoint : str or Path
        Folder, registry name or hub id.
    device, dtype : str
        As in `timer_forecaster.ForecastPipeline.from_pretrained`.

    Returns
    -------
    ForecastPipeline

    Examples
    --------
    >>> from timer_forecaster.pretraining import load_pipeline
    >>> load_pipeline("timer-s1-mini").predict([1.0, 2.0, 3.0], 4).median.shape
    (1, 4)
    """
    if _is_parallel(checkpoint):
        return ParallelPipeline(NetworkKey.resolve(checkpoint, None, device, dtype))
    return ForecastPipeline.from_pretrained(checkpoint, device=device, dtype=dtype)


def _is_parallel(checkpoint: str | Path) -> bool:
    config = find_checkpoint(str(checkpoint), weights=False) / "config.json"
    return bool(read_object(config).get("model_type") == PARALLEL)

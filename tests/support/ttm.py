"""Small networks of TinyTimeMixer."""

import json

import torch
from places import ROOT
from safetensors.torch import load_file

from timer_forecaster.checkpoints.writing import write_checkpoint
from timer_forecaster.models.ttm import TTMArchitecture, make_network

OWN = ROOT / "tests" / "data" / "ttm"
SHARED = ROOT.parent / "shared" / "parity_ttm"
TINY = {
    "context_length": 48,
    "patch_length": 8,
    "patch_stride": 8,
    "prediction_length": 12,
    "d_model": 16,
    "num_layers": 1,
    "adaptive_patching_levels": 2,
    "decoder_d_model": 8,
    "decoder_num_layers": 1,
}
QUANTILES = {
    "multi_quantile_head": True,
    "mq_use_decoder_pool": True,
    "mq_q50_type": "mean",
    "mq_cond_path": "flatten",
    "mq_cond_mode": "concat",
    "mq_decoder_d_model": 4,
}
MIXING = {
    "num_input_channels": 4,
    "decoder_mode": "mix_channel",
    "enable_forecast_channel_mixing": True,
    "fcm_context_length": 2,
    "fcm_use_mixer": True,
    "exogenous_channel_indices": (3, 1),
}
R3 = {**QUANTILES, "multi_scale": True, "register_tokens": 2, "fft_length": 3, "gate_mode": "glu"}


def tiny_ttm(**changes):
    """Return an architecture of 48 steps in, 12 out."""
    return TTMArchitecture(**(TINY | changes))


def tiny_network(seed=0, **changes):
    """Return a network for evaluation whose parameters are all off their initial values."""
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = make_network(tiny_ttm(**changes))
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.requires_grad:
                noise = torch.randn(parameter.shape, generator=generator)
                parameter.add_(0.1 * noise)
    return network.eval()


def save(network, folder):
    """Write a network as a checkpoint."""
    write_checkpoint(folder, network.architecture.to_dict(), network.state_dict())


def walks(*shape, seed=0):
    """Return random walks of a shape (batch, steps, channels)."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).cumsum(1)


def tolerance(golden, lost=0.0):
    """Return how far each entry may be from its golden value, which lost so much in float32."""
    return (3e-6 * (1 + golden.abs())).clamp_min(10 * lost)


class ParityModel:
    """A model of the released layout with golden values."""

    def __init__(self, folder):
        self.folder = folder
        self.described = json.loads((folder / "cases.json").read_text())
        self.golden = load_file(folder / "golden.safetensors")
        self.cases = self.described["cases"]

    def inputs(self, case):
        return {name: self.golden[f"{case['key']}.{name}"] for name in case["inputs"]}

    def outputs(self, case):
        """Return the golden outputs of a case that are stored, by name."""
        stored = {name: f"{case['key']}.out.{name}" for name in case["outputs"]}
        return {name: self.golden[key] for name, key in stored.items() if key in self.golden}

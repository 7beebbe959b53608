"""Random checkpoints have the released layout and load."""

import json

import numpy as np
import pytest
from places import ROOT

from benchmarks.random_checkpoints import parameter_shapes, write_checkpoint
from timer_forecaster import ForecastPipeline

TINY = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_mtp_tokens": 2,
    "num_attention_heads": 2,
    "num_experts": 4,
}
LAYOUT = ROOT.parent / "shared" / "parity" / "released_checkpoint_layout.json"


def parameters(sizes):
    return sum(int(np.prod(shape)) for shape in parameter_shapes(sizes).values())


def test_a_checkpoint_is_written_in_shards_that_load(tmp_path):
    checkpoint = write_checkpoint(tmp_path, TINY, "float32", 50_000)
    index = json.loads((checkpoint / "model.safetensors.index.json").read_text())
    files = set(index["weight_map"].values())
    assert files == {path.name for path in checkpoint.glob("*.safetensors")}
    assert len(files) > 3
    assert index["metadata"]["total_size"] == 4 * parameters(TINY)
    forecast = ForecastPipeline.from_pretrained(checkpoint, device="cpu").predict(
        np.arange(40.0), 5
    )
    assert np.isfinite(forecast.quantiles).all()


def test_a_checkpoint_is_written_once(tmp_path):
    write_checkpoint(tmp_path, TINY, "float32")
    (weights,) = tmp_path.glob("*.safetensors")
    before = weights.stat().st_mtime_ns
    write_checkpoint(tmp_path, TINY, "float32")
    assert weights.stat().st_mtime_ns == before
    write_checkpoint(tmp_path, TINY, "bfloat16")
    assert weights.stat().st_mtime_ns > before
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["torch_dtype"] == "bfloat16"


@pytest.mark.skipif(not LAYOUT.exists(), reason="the released checkpoint's layout is not here")
def test_the_layout_is_the_released_one():
    released = json.loads(LAYOUT.read_text())
    assert {name: tuple(shape) for name, shape in released.items()} == parameter_shapes({})

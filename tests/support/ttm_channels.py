"""Checkpoints of TinyTimeMixer that mix channels, with random weights."""

from ttm import save

from timer_forecaster import ForecastPipeline

SIZES = {
    "model_type": "tinytimemixer",
    "context_length": 64,
    "patch_length": 8,
    "patch_stride": 8,
    "prediction_length": 16,
    "d_model": 16,
    "num_layers": 1,
    "decoder_d_model": 8,
    "decoder_num_layers": 1,
    "decoder_mode": "mix_channel",
    "num_input_channels": 3,
    "gate_mode": "sigmoid",
}
QUANTILES = {
    "multi_quantile_head": True,
    "mq_use_decoder_pool": True,
    "mq_q50_type": "mean",
    "mq_cond_path": "flatten",
    "mq_cond_mode": "concat",
}


def mixing(**changes):
    """Return a pipeline that reads three series as one row, unless sizes are others."""
    return ForecastPipeline.from_pretrained(None, config=SIZES | changes, device="cpu")


def mixing_folder(folder, **changes):
    """Write the checkpoint of `mixing` to a folder, for doors that take a name."""
    save(mixing(**(QUANTILES | changes)).network, folder)
    return str(folder)

"""Settings of tiny runs."""

import copy

import pytest

from timer_forecaster.pretraining import PretrainingConfig, TTMPretrainingConfig, pretrain

SETTINGS = {
    "architecture": {
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 1,
        "num_mtp_tokens": 2,
        "num_attention_heads": 2,
        "num_experts": 4,
        "dropout_rate": 0.1,
        "training_loss": "pinball",
    },
    "data": {"families": {"clean_periodic": 1, "integrated": 1}},
    "stages": [
        {
            "name": "first",
            "steps": 14,
            "tokens_per_step": 128,
            "window_patches": 8,
            "learning_rate": 5e-3,
            "warmup_steps": 3,
            "full_depth_share": 0.5,
        },
        {
            "name": "second",
            "steps": 10,
            "tokens_per_step": 128,
            "window_patches": [8, 16],
            "learning_rate": 5e-3,
            "final_learning_rate": 1e-4,
            "serial_weighting": "inverse_sqrt",
        },
    ],
    "pool_steps": 4,
    "log_every": 2,
    "checkpoint_every": 4,
    "bfloat16": False,
}

TTM_SETTINGS = {
    "model": "ttm",
    "architecture": {
        "size": "tiny",
        "context_length": 64,
        "prediction_length": 16,
        "patch_length": 16,
        "d_model": 32,
        "num_layers": 1,
        "decoder_d_model": 16,
        "decoder_num_layers": 1,
        "dropout": 0.1,
    },
    "data": {"families": {"clean_periodic": 1, "integrated": 1}},
    "stages": [
        {
            "name": "first",
            "steps": 14,
            "windows_per_step": 32,
            "learning_rate": 5e-3,
            "warmup_steps": 3,
        },
        {
            "name": "second",
            "steps": 10,
            "windows_per_step": 32,
            "learning_rate": 5e-3,
            "final_learning_rate": 1e-4,
        },
    ],
    "passes": 2,
    "ema_decay": 0.9,
    "pool_steps": 4,
    "log_every": 2,
    "checkpoint_every": 4,
    "bfloat16": False,
}


@pytest.fixture
def settings():
    """Plain values of a run of 24 steps in two stages, to change at will."""
    return copy.deepcopy(SETTINGS)


@pytest.fixture
def config(settings):
    return PretrainingConfig.from_mapping(settings)


@pytest.fixture
def ttm_settings():
    """Plain values of a run of a TinyTimeMixer, of 24 steps in two stages."""
    return copy.deepcopy(TTM_SETTINGS)


@pytest.fixture(scope="session")
def straight_ttm(tmp_path_factory):
    """What the run of a TinyTimeMixer ends with if nothing interrupts it."""
    folder = tmp_path_factory.mktemp("straight_ttm")
    return pretrain(TTMPretrainingConfig.from_mapping(TTM_SETTINGS), folder, device="cpu")


@pytest.fixture(scope="session")
def straight(tmp_path_factory):
    """What the run of the settings ends with if nothing interrupts it."""
    folder = tmp_path_factory.mktemp("straight")
    return pretrain(PretrainingConfig.from_mapping(SETTINGS), folder, device="cpu")

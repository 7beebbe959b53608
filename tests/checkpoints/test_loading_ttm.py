"""Folders of TinyTimeMixer's released layout."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from ttm import OWN, QUANTILES, R3, save, tiny_network, walks

from timer_forecaster.checkpoints.loading import load_plain_network

KINDS = [{}, R3, {"decompose": True} | QUANTILES, {"norm_mlp": "BatchNorm"}]


@pytest.fixture
def folder(tmp_path):
    shutil.copytree(OWN / "r2_ft", tmp_path / "ttm")
    return tmp_path / "ttm"


@pytest.mark.parametrize("changes", KINDS)
def test_networks_are_written_and_read(changes, tmp_path):
    network = tiny_network(**changes)
    save(network, tmp_path / "ttm")
    again = load_plain_network(tmp_path / "ttm")
    assert again.architecture.to_dict()["num_layers"] == network.architecture.num_layers
    assert not again.training
    state = network.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in again.state_dict().items())
    with torch.no_grad():
        past = walks(2, 48, 2)
        torch.testing.assert_close(again(past).prediction_outputs, network(past).prediction_outputs)


def test_weights_keep_their_type(tmp_path):
    save(tiny_network().bfloat16(), tmp_path / "ttm")
    stored = load_file(tmp_path / "ttm" / "model.safetensors")
    assert {value.dtype for value in stored.values()} == {torch.bfloat16}
    assert load_plain_network(tmp_path / "ttm", "bfloat16").dtype == torch.bfloat16
    assert json.loads((tmp_path / "ttm" / "config.json").read_text())["torch_dtype"] == "bfloat16"


def test_a_table_that_is_never_trained_stays_so(tmp_path):
    network = tiny_network(use_positional_encoding=True)
    save(network, tmp_path / "ttm")
    again = dict(load_plain_network(tmp_path / "ttm").named_parameters())
    own = network.named_parameters()
    assert {name: value.requires_grad for name, value in own} == {
        name: value.requires_grad for name, value in again.items()
    }
    assert not again["backbone.encoder.positional_encoder.position_enc"].requires_grad


def change(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"num_layers": 3}, r"missing \['backbone.*mixer_layers\.2"),
        ({"resolution_prefix_tuning": False, "num_patches": 9}, "unexpected .*freq_mod"),
        ({"decoder_d_model": 8}, r"shapes of \d+ tensors: decoder"),
        ({"prediction_length": 40}, "head.base_forecast_block.bias in model.safetensors has"),
        ({"context_length": 180}, "num_patches=10 does not fit context_length=180"),
        ({"decompose": True, "num_patches": None}, "missing .*residual_forecaster"),
    ],
)
def test_a_layout_that_does_not_fit_is_refused_by_name(folder, changes, named):
    change(folder, **changes)
    with pytest.raises(ValueError, match=named) as error:
        load_plain_network(folder)
    assert "ttm" in str(error.value)


def test_a_decomposed_checkpoint_in_a_plain_layout_is_refused(tmp_path):
    shutil.copytree(OWN / "r3_decomposed", tmp_path / "ttm")
    change(tmp_path / "ttm", decompose=False)
    with pytest.raises(ValueError, match=r"missing .*unexpected .*residual_forecaster"):
        load_plain_network(tmp_path / "ttm")


def test_spoiled_files_are_named(folder):
    tensors = load_file(folder / "model.safetensors")
    tensors["head.base_forecast_block.bias"][0] = torch.nan
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(ValueError, match=r"NaN or infinite in 'head.base_forecast_block.bias'"):
        load_plain_network(folder)
    (folder / "model.safetensors").write_bytes(b"")
    with pytest.raises(ValueError, match=r"model.safetensors is empty"):
        load_plain_network(folder)
    (folder / "config.json").unlink()
    with pytest.raises(ValueError, match=r"holds no config.json"):
        load_plain_network(folder)

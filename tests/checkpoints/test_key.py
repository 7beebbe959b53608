"""A key names one network, and its arguments are checked before anything is loaded."""

import pickle
from shutil import copytree

import pytest
import torch

from timer_forecaster import ForecastPipeline
from timer_forecaster.checkpoints.key import NetworkKey
from timer_forecaster.checkpoints.registry import find_checkpoint
from timer_forecaster.models.timer_s1 import TimerS1Architecture, TimerS1Config

MODEL = "timer-s1-test"
SIZES = {
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_attention_heads": 4,
    "num_experts": 4,
    "num_hidden_layers": 1,
    "num_mtp_tokens": 1,
}


def load(name=MODEL, device="cpu", **options):
    return ForecastPipeline.from_pretrained(name, device=device, **options)


@pytest.mark.parametrize("device", [torch.device("cpu"), {"": "cpu"}, {"a": "cpu", "b": "cpu"}])
def test_one_device_in_any_form_is_one_network(device):
    assert load(device=device).network is load().network


@pytest.mark.parametrize(
    ("device", "message"),
    [
        (77, "device=77 is not a device"),
        (-1, "device=-1 is not a device"),
        ("balanced", "device='balanced' is not a device"),
        ("meta", "device='meta' is not a device of this machine; use 'auto', 'cpu'"),
        ({"": "tpu9"}, "device='tpu9' is not a device"),
        ({"model": "cpu", "mtp_modules": "disk"}, "not spread over several"),
        ({}, "does not name one device"),
    ],
)
def test_what_is_not_one_device_is_refused(device, message):
    with pytest.raises(ValueError, match=message):
        load(device=device)


@pytest.mark.parametrize("device", ["tpu9", {"": "tpu9"}, {}])
def test_errors_call_the_device_what_the_caller_calls_it(device):
    with pytest.raises(ValueError, match=r"^device_map=.* (is not a|does not name one) device"):
        NetworkKey.resolve(MODEL, None, device, "auto", device_argument="device_map")


def test_dtype_none_is_the_default():
    assert load(dtype=None).network is load().network
    assert load(dtype=torch.float64).network.dtype == torch.float64


@pytest.mark.parametrize(
    "config",
    [
        TimerS1Architecture(**SIZES),
        TimerS1Config(**SIZES),
        SIZES | {"quantiles": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9], "rope_theta": 10000},
        SIZES | {"model_type": "Timer-S1", "use_cache": False, "output_token_lens": [16]},
    ],
)
def test_equal_configurations_share_a_network_in_any_form(config):
    pipe = load(None, config=SIZES)
    assert load(None, config=config).network is pipe.network
    assert load(None, config=SIZES | {"num_experts": 2}).network is not pipe.network


def test_a_pipeline_of_a_configuration_pickles_in_bytes():
    pipe = load(None, config=SIZES)
    dumped = pickle.dumps(pipe)
    assert len(dumped) < 2000
    assert pickle.loads(dumped).network is pipe.network  # noqa: S301


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"name": None}, ValueError, "neither a checkpoint nor a config"),
        ({"name": MODEL, "config": SIZES}, ValueError, "in place of checkpoint 'timer-s1-test'"),
        ({"config": SIZES, "revision": "main"}, ValueError, "revision='main'"),
        ({"config": SIZES, "quantization_config": {}}, ValueError, "quantization_config={}"),
        ({"config": {"hidden_sise": 16}}, ValueError, "unknown fields.*hidden_sise.*hidden_size"),
        ({"config": {"hidden_size": "16"}}, TypeError, "hidden_size='16' must be an integer"),
        ({"config": {"model_type": "llama"}}, ValueError, "model_type='llama'"),
        ({"config": {"output_token_lens": [32]}}, ValueError, r"output_token_lens=\[32\].*\[16\]"),
        ({"config": [16]}, TypeError, "config is of type list"),
    ],
)
def test_configurations_that_cannot_be_used_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        load(**{"name": None, **options})


@pytest.mark.parametrize(
    ("name", "revision", "message"),
    [
        ("no-such-model", None, "'no-such-model' is neither a registry name"),
        ("./owner/name", None, "'./owner/name' is neither a registry name"),
        (".", None, "the folder '.' holds no config.json"),
        (MODEL, "main", "revision='main' applies to hub ids; 'timer-s1-test' is local"),
    ],
)
def test_names_are_checked_before_anything_is_loaded(
    name, revision, message, loads, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message):
        NetworkKey.resolve(name, revision, "cpu", "auto")
    assert NetworkKey.resolve("owner/name", "main", "cpu", "auto")[:2] == ("owner/name", "main")
    assert loads == []


def test_a_folder_in_any_form_is_one_key(tmp_path, monkeypatch):
    folder = copytree(find_checkpoint(MODEL), tmp_path / "net")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    names = ("net", "./net", "~/net", folder)
    keys = {NetworkKey.resolve(name, None, "cpu", "auto") for name in names}
    assert {key.name for key in keys} == {str(folder)}


def test_a_folder_does_not_take_the_place_of_an_embedded_checkpoint(tmp_path, monkeypatch):
    (tmp_path / MODEL).mkdir()
    monkeypatch.chdir(tmp_path)
    assert NetworkKey.resolve(MODEL, None, "cpu", "auto").name == MODEL


def test_keys_of_checkpoints_stay_as_plain_as_they_were():
    key = NetworkKey.resolve(MODEL, None, "cpu", "auto")
    assert key == (MODEL, None, "cpu", "auto", None, None)


def test_the_automatic_device_is_the_cpu(monkeypatch, int8_kernel):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    for device in ("auto", {"": "auto"}):
        key = NetworkKey.resolve(MODEL, None, device, "auto", quantization="int8")
        assert key.device == "cpu"
    assert load(device="auto", quantization="int8").network.device.type == "cpu"


@pytest.mark.gpu
def test_a_gpu_is_refused():
    with pytest.raises(ValueError, match="device is 'cuda:0': give device_map='cpu' or"):
        NetworkKey.resolve(
            MODEL, None, "cuda:0", "auto", quantization="int8", device_argument="device_map"
        )

import copy
import subprocess
import sys

import numpy as np
import pytest
import torch
from samay_cases import TINY, waves, write_csv

from timer_forecaster.finetuning import TuningWarning
from timer_forecaster.samay import TinyTimeMixerModel, mse

RANDOM = "ignore:the weights of this model are random"
OF_TORCH = ["ignore::DeprecationWarning", "ignore:torch.quantize_per_tensor"]


@pytest.fixture(scope="module")
def tested():
    return TinyTimeMixerModel(repo="ttm-test")


def test_the_import_loads_no_transformers():
    program = "import sys, timer_forecaster.samay; assert 'transformers' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_results_have_windows_channels_and_steps(tested, dataset):
    data = dataset()
    avg_loss, trues, preds, histories = tested.evaluate(data)
    assert trues.shape == preds.shape == (len(data), 2, 8)
    assert histories.shape == (len(data), 2, 48)
    np.testing.assert_array_equal(trues[3], data[3][1])
    np.testing.assert_array_equal(histories[3], data[3][0])
    scales = data.scales[:, None]
    assert avg_loss == pytest.approx(mse(trues / scales, preds / scales))


@pytest.mark.filterwarnings("ignore::timer_forecaster.frames.targets.LeftOutWarning")
def test_the_loss_does_not_depend_on_units(tested, dataset, tmp_path):
    columns = waves(400)
    loss = tested.evaluate(dataset())[0]
    columns["wave_0"] = columns["wave_0"] * 1e6 + 1e6
    moved = dataset(path=write_csv(tmp_path / "moved.csv", columns))
    assert tested.evaluate(moved)[0] == pytest.approx(loss, rel=1e-3)


def test_gaps_neither_move_windows_nor_count(tested, dataset, tmp_path):
    columns = waves(400)
    columns["wave_1"][[300, 301, 350]] = np.nan
    data = dataset(path=write_csv(tmp_path / "gaps.csv", columns))
    whole, gaps = tested.evaluate(dataset()), tested.evaluate(data)
    assert gaps.trues.shape == whole.trues.shape
    assert np.isnan(gaps.trues).sum() == 3
    assert np.isfinite(gaps.preds).all() and np.isfinite(gaps.avg_loss)
    np.testing.assert_allclose(gaps.preds[:, 0], whole.preds[:, 0], rtol=1e-6)
    assert np.abs(gaps.preds - whole.preds).max() < 5
    columns["wave_1"][200:290] = np.nan
    empty = dataset(path=write_csv(tmp_path / "empty.csv", columns))
    with pytest.raises(ValueError, match=r"empty\.csv: column 'wave_1' has no value in the rows"):
        tested.evaluate(empty)


def test_other_lengths_than_those_of_the_model(tested, dataset):
    far = tested.evaluate(dataset(horizon_len=70))
    near = tested.evaluate(dataset(horizon_len=8, boundaries=[0, 0, 338], stride=100))
    assert far.preds.shape[-1] == 70
    np.testing.assert_allclose(far.preds[0, :, :8], near.preds[0], rtol=1e-5)
    short = TinyTimeMixerModel({"context_len": 24}, repo="ttm-test")
    same = short.evaluate(dataset(context_len=24)).preds
    np.testing.assert_array_equal(short.evaluate(dataset()).preds, same)
    assert np.abs(tested.evaluate(dataset()).preds - same).max() > 1e-3


def test_random_weights_are_warned_of_until_they_are_trained(model, dataset):
    with pytest.warns(UserWarning, match="random: finetune it first") as caught:
        before = model.evaluate(dataset())
    assert caught[0].filename == __file__
    data = dataset("train", stride=1, batch_size=16)
    assert model.finetune(data, epochs=3, learning_rate=5e-3) is model
    assert model.trained and not model.training
    assert model.evaluate(dataset()).avg_loss < 0.7 * before.avg_loss


def test_a_training_without_a_gain_is_told(model, dataset, monkeypatch):
    before = copy.deepcopy(model.state_dict())
    with pytest.warns(TuningWarning, match="no epoch has a lower loss on val_dataset") as caught:
        model.finetune(dataset("train"), dataset("val"), epochs=1, learning_rate=1.0)
    assert caught[0].filename == __file__
    assert not model.trained
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


@pytest.mark.filterwarnings(RANDOM)
def test_models_are_independent(dataset):
    first, second = TinyTimeMixerModel(TINY), TinyTimeMixerModel(TINY)
    expected = second.evaluate(dataset()).preds
    first.finetune(dataset("train"), epochs=1)
    np.testing.assert_array_equal(second.evaluate(dataset()).preds, expected)


def test_bad_arguments_are_named(model, dataset, tested):
    data = dataset("train")
    for arguments, error, words in [
        ({"epochs": 0}, ValueError, "epochs=0"),
        ({"epochs": 2.5}, TypeError, "epochs=2.5"),
        ({"learning_rate": 0}, ValueError, "learning_rate=0"),
        ({"patience": 3}, ValueError, "patience=3 needs a val_dataset"),
        ({"val_dataset": data, "patience": 0}, ValueError, "patience=0"),
        ({"val_dataset": 3}, TypeError, "val_dataset is of type int"),
        ({"seed": -1}, ValueError, "seed=-1"),
    ]:
        with pytest.raises(error, match=words):
            model.finetune(data, **arguments)
    with pytest.raises(TypeError, match="train_dataset is of type str"):
        model.finetune("ETTh1.csv")
    with pytest.raises(TypeError, match="dataset is of type str"):
        model.evaluate("ETTh1.csv")
    with pytest.raises(ValueError, match="train_dataset: horizon_len=9 is longer than the 8 steps"):
        model.finetune(dataset("train", horizon_len=9))


def test_files_bring_the_model_back(model, dataset, tmp_path):
    model.finetune(dataset("train"), epochs=1)
    expected = model.evaluate(dataset()).preds
    model.save(tmp_path / "model.pt")
    loaded = TinyTimeMixerModel.load(tmp_path / "model.pt")
    assert (loaded.context_len, loaded.horizon_len, loaded.trained) == (48, 8, True)
    np.testing.assert_array_equal(loaded.evaluate(dataset()).preds, expected)
    loaded.finetune(dataset("train"), epochs=1)
    model.save_pretrained(tmp_path / "folder")
    again = TinyTimeMixerModel(repo=tmp_path / "folder")
    np.testing.assert_array_equal(again.evaluate(dataset()).preds, expected)


@pytest.mark.filterwarnings(*OF_TORCH)
def test_a_quantized_model_evaluates(tested, dataset, tmp_path):
    quantized = torch.ao.quantization.quantize_dynamic(tested, {torch.nn.Linear}, dtype=torch.qint8)
    linears = [type(m) for m in quantized.modules() if "Linear" in type(m).__name__]
    assert linears and torch.nn.Linear not in linears
    plain, small = tested.evaluate(dataset()), quantized.evaluate(dataset())
    difference = np.abs(small.preds - plain.preds)
    assert 0 < difference.max() < 0.1 * plain.trues.std(axis=(0, 2)).max()
    for verb, call in {
        "save": lambda: quantized.save(tmp_path / "model.pt"),
        "finetune": lambda: quantized.finetune(dataset("train")),
    }.items():
        with pytest.raises(ValueError, match=f"cannot {verb} a quantized model"):
            call()


def test_the_model_moves_to_a_device_and_a_type(tested, dataset):
    expected = tested.evaluate(dataset()).preds
    other = copy.deepcopy(tested).to(torch.device("cpu"), torch.float64)
    np.testing.assert_allclose(other.evaluate(dataset()).preds, expected, rtol=1e-4)
    if torch.cuda.is_available():
        moved = copy.deepcopy(tested).to("cuda")
        np.testing.assert_allclose(moved.evaluate(dataset()).preds, expected, rtol=1e-3)


def test_the_network_can_be_called(tested):
    output = tested(torch.zeros(3, 128, 1))
    assert output.prediction_outputs.shape == (3, 32, 1)

import pytest
import torch

from timer_forecaster import ForecastPipeline
from timer_forecaster.samay.files import read_model, write_folder, write_model


def test_a_model_comes_back(model, tmp_path):
    path = tmp_path / "model.pt"
    write_model(path, model.network, {"trained": True})
    network, facts = read_model(path)
    assert facts == {"trained": True}
    assert network.config.to_dict() == model.network.config.to_dict()
    for name, tensor in model.network.state_dict().items():
        assert torch.equal(network.state_dict()[name], tensor)
    assert all(parameter.requires_grad for parameter in network.parameters())
    assert [file.name for file in tmp_path.iterdir()] == ["model.pt"]


def test_other_files_are_refused_by_name(model, tmp_path):
    path = tmp_path / "model.pt"
    with pytest.raises(ValueError, match="there is no file"):
        read_model(path)
    for content in ({"weights": {}}, [1, 2], torch.zeros(3)):
        torch.save(content, path)
        with pytest.raises(ValueError, match=r"model\.pt is no file that TinyTimeMixerModel\.save"):
            read_model(path)
    torch.save(model, path)  # a pickle, which could run code
    with pytest.raises(ValueError, match=r"model\.pt cannot be read"):
        read_model(path)
    path.write_bytes(b"nonsense")
    with pytest.raises(ValueError, match=r"model\.pt cannot be read"):
        read_model(path)
    write_model(path, model.network, {})
    content = torch.load(path)
    del content["weights"]["head.base_forecast_block.bias"]
    torch.save(content, path)
    with pytest.raises(ValueError, match=r"model\.pt is damaged: .*base_forecast_block"):
        read_model(path)
    with pytest.raises(ValueError, match="there is no folder"):
        write_model(tmp_path / "absent" / "model.pt", model.network, {})


def test_a_checkpoint_is_loaded_by_the_pipeline(model, tmp_path):
    write_folder(tmp_path / "mine", model.network)
    pipeline = ForecastPipeline.from_pretrained(tmp_path / "mine")
    assert pipeline.predict(torch.arange(60).sin(), 8).quantile(0.5).shape == (1, 8)
    with pytest.raises(ValueError, match="exists and holds files"):
        write_folder(tmp_path / "mine", model.network)

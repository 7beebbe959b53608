"""A folder of another kind is recognized, and the error says how it is loaded."""

import pytest
from adapter_cases import load, make_adapter

from timer_forecaster import ForecastPipeline
from timer_forecaster.adapters import Adapter
from timer_forecaster.checkpoints.kinds import instead
from timer_forecaster.checkpoints.registry import find_checkpoint


@pytest.fixture
def folders(tmp_path):
    adapter = make_adapter(load(), "lora")
    return {
        "checkpoint": find_checkpoint("timer-s1-test"),
        "adapter": adapter.save(tmp_path / "adapter"),
        "peft": adapter.to_peft(tmp_path / "peft"),
    }


@pytest.mark.parametrize(
    ("kind", "said"),
    [("adapter", "give it as adapter=…"), ("peft", r"Adapter\.from_peft\(")],
)
def test_an_adapter_is_no_checkpoint(folders, kind, said):
    with pytest.raises(ValueError, match=rf"{kind}' holds no config\.json; it holds .*{said}"):
        ForecastPipeline.from_pretrained(folders[kind])


@pytest.mark.parametrize(
    ("kind", "said"),
    [("checkpoint", "give it as the checkpoint"), ("peft", r"Adapter\.from_peft\(")],
)
def test_another_folder_is_no_adapter(folders, kind, said):
    for read in (Adapter.load, lambda folder: load(adapter=folder)):
        with pytest.raises(ValueError, match=rf"holds no adapter: .*missing; it holds .*{said}"):
            read(folders[kind])


@pytest.mark.parametrize(
    ("kind", "said"), [("checkpoint", "give it as the checkpoint"), ("adapter", "Adapter.load")]
)
def test_another_folder_is_no_adapter_of_peft(folders, kind, said):
    with pytest.raises(ValueError, match=f"it holds .*{said}"):
        Adapter.from_peft(folders[kind], load())


def test_the_advice_works(folders, tmp_path):
    pipe = load()
    adapter = Adapter.from_peft(folders["peft"], pipe)
    assert load(adapter=adapter).adapter == load(adapter=adapter.save(tmp_path / "b")).adapter


def test_a_folder_of_no_kind_has_no_advice(tmp_path):
    assert instead(tmp_path, "checkpoint") == ""


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_file_is_no_folder(name, monkeypatch):
    folder = find_checkpoint("timer-s1-test")
    with pytest.raises(ValueError, match="is a file; name the folder"):
        load(str(folder / name))
    monkeypatch.chdir(folder.parent)
    with pytest.raises(ValueError, match="is a file; name the folder"):
        load(f"timer-s1-test/{name}")  # no hub id
    with pytest.raises(ValueError, match="is a file; name the folder"):
        Adapter.load(folder / name)

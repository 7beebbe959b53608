"""Adapters go to the hub and come from it; the hub's functions are played by folders here."""

import types
from collections import OrderedDict
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
import torch
from huggingface_hub import ModelCard
from huggingface_hub.errors import LocalEntryNotFoundError

from timer_forecaster import ForecastPipeline
from timer_forecaster.adapters import adapter as adapters
from timer_forecaster.adapters import hub as hub_format
from timer_forecaster.adapters.adapter import Adapter, as_adapter
from timer_forecaster.adapters.base import Base
from timer_forecaster.finetuning import FinetuneConfig, finetune

MODEL = "timer-s1-test"


class Hub:
    """Repositories in folders: a revision of one is a folder."""

    def __init__(self, folder):
        self.folder, self.made, self.branches = folder, {}, []
        self.messages, self.downloads = [], []

    def create_repo(self, repo_id, *, private, exist_ok):
        assert exist_ok
        self.made[repo_id] = private

    def create_branch(self, repo_id, *, branch, exist_ok):
        assert exist_ok
        assert repo_id in self.made
        self.branches.append(branch)

    def upload_folder(self, *, repo_id, folder_path, revision, commit_message):
        assert repo_id in self.made
        place = self.folder / repo_id / (revision or "main")
        copytree(folder_path, place, dirs_exist_ok=True)
        self.messages.append(commit_message)
        return types.SimpleNamespace(oid="0123abc")

    def snapshot_download(self, repo_id, *, revision, allow_patterns):
        self.downloads.append((repo_id, revision, tuple(allow_patterns)))
        place = self.folder / repo_id / (revision or "main")
        if not place.is_dir():
            raise LocalEntryNotFoundError("no such repository")
        return str(place)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    hub = Hub(tmp_path / "hub")
    for name in ("create_repo", "create_branch", "upload_folder", "snapshot_download"):
        monkeypatch.setattr(f"huggingface_hub.{name}", getattr(hub, name))
    monkeypatch.setattr(adapters, "_read", OrderedDict())  # nothing is known of other tests
    return hub


@pytest.fixture
def pipe():
    return ForecastPipeline.from_pretrained(MODEL)


@pytest.fixture
def adapter(pipe):
    weights = {"model.norm.weight": torch.full((16,), 2.0)}
    return Adapter(Base.of(pipe.key), "norms", weights)


def card_of(adapter, repo_id):
    base, target, size = adapter.base, adapter.target, adapter.n_parameters
    return hub_format.model_card(base, target, size, adapter.report, repo_id)


def test_what_is_pushed_can_be_pulled(hub, adapter, pipe):
    assert adapter.push_to_hub("owner/name", private=True) == "0123abc"
    assert hub.made == {"owner/name": True}
    assert hub.messages == ["Adapter of timer-s1-test: norms"]
    files = {path.name for path in (hub.folder / "owner/name/main").iterdir()}
    assert files == {"README.md", "adapter.json", "adapter.safetensors"}
    assert Adapter.load("owner/name") == adapter
    tuned = ForecastPipeline.from_pretrained(MODEL, adapter="owner/name")
    assert tuned.adapter == adapter
    values = np.arange(50.0) % 7
    assert not np.array_equal(tuned.predict(values, 5).median, pipe.predict(values, 5).median)


def test_only_the_files_of_an_adapter_are_fetched(hub, adapter):
    """And not sixteen gigabytes, if the id is that of a checkpoint."""
    adapter.push_to_hub("owner/name")
    Adapter.load("owner/name")
    assert hub.downloads == [("owner/name", None, ("adapter.safetensors", "adapter.json"))]


def test_revisions(hub, adapter):
    other = Adapter(adapter.base, "norms", {"model.norm.weight": torch.ones(16)})
    adapter.push_to_hub("owner/name", revision="v1", commit_message="first")
    other.push_to_hub("owner/name")
    assert hub.branches == ["v1"]
    assert hub.messages[0] == "first"
    assert Adapter.load("owner/name", revision="v1") == adapter
    assert Adapter.load("owner/name") == other


def test_the_hub_is_asked_once_in_a_process(hub, adapter):
    adapter.push_to_hub("owner/name")
    assert as_adapter("owner/name") is as_adapter("owner/name")
    assert len(hub.downloads) == 1


def test_what_is_not_there_is_said(hub, tmp_path):
    with pytest.raises(ValueError, match=r"adapter 'no/such' could not be downloaded .*no such"):
        Adapter.load("no/such")
    (hub.folder / "owner/checkpoint/main").mkdir(parents=True)
    for read in (Adapter.load, as_adapter):
        with pytest.raises(ValueError, match=r"'owner/checkpoint' holds no adapter.*are missing"):
            read("owner/checkpoint")


def test_peft_adapters_come_from_the_hub_too(hub, pipe):
    layer = "model.layers.0.self_attn.q_proj"
    weights = {
        f"{layer}.lora_A.weight": torch.ones(2, 16),
        f"{layer}.lora_B.weight": torch.ones(16, 2),
    }
    adapter = Adapter(Base.of(pipe.key), "lora", weights)
    adapter.to_peft(hub.folder / "owner/peft/v2")
    assert Adapter.from_peft("owner/peft", pipe, revision="v2") == adapter
    assert hub.downloads[0][2] == ("adapter_config.json", "adapter_model.safetensors")


# ------------------------------------------------------------------------------------- the card


def test_the_card_tells_the_base_and_how_to_load(adapter):
    base = adapter.base._replace(name="bytedance-research/Timer-S1", revision="abc")
    card = ModelCard(card_of(Adapter(base, "norms", adapter.weights), "owner/name"))
    assert card.data.library_name == "timer-forecaster"
    assert card.data.base_model == "bytedance-research/Timer-S1"
    assert card.data.base_model_relation == "adapter"
    assert "# name" in card.text
    assert "norms, 16 parameters" in card.text
    call = "from_pretrained('bytedance-research/Timer-S1', revision='abc', adapter='owner/name')"
    assert call in card.text
    assert base.signature in card.text
    assert "Scores" not in card.text


@pytest.mark.filterwarnings("ignore::timer_forecaster.finetuning.TuningWarning")
def test_the_card_tells_the_scores(pipe):
    series = np.random.default_rng(0).normal(size=200).cumsum()
    adapter = finetune(pipe, series, FinetuneConfig(steps=2, context_length=64))
    assert f"## Scores\n\n```\n{adapter.report}\n```" in card_of(adapter, "owner/name")


def test_where_the_base_lies_on_ones_disk_is_not_told(hub, adapter):
    base = adapter.base._replace(name=str(Path("/home/someone/secret/net")))
    local = Adapter(base, "norms", adapter.weights)
    local.push_to_hub("owner/name")
    texts = [path.read_text("latin-1") for path in (hub.folder / "owner/name/main").iterdir()]
    assert not any("secret" in text for text in texts + hub.messages)
    card = ModelCard(card_of(local, "owner/name"))
    assert "'/path/to/net'" in card.text
    assert card.data.base_model is None
    assert Adapter.load("owner/name") == local


def test_the_embedded_checkpoints_are_of_no_repository(adapter):
    text = card_of(adapter, "owner/name")
    assert ModelCard(text).data.base_model is None
    assert "from_pretrained('timer-s1-test', adapter='owner/name')" in text

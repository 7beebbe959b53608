"""Names of checkpoints: in the registry, folders, and hub ids."""

from pathlib import Path

import pytest
from huggingface_hub.errors import LocalEntryNotFoundError

from timer_forecaster import list_checkpoints
from timer_forecaster.checkpoints.registry import (
    RELEASED,
    canonical_name,
    download,
    find_checkpoint,
    is_hub_id,
)

EMBEDDED = [checkpoint.name for checkpoint in list_checkpoints() if checkpoint.embedded]


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """Downloads that were asked for; they all give one folder."""
    asked = []

    def snapshot_download(name, *, revision, allow_patterns):
        if name == "no/such":
            raise LocalEntryNotFoundError("no connection")
        asked.append((name, revision, allow_patterns))
        return str(tmp_path)

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)
    return asked


def test_the_registry_names_the_embedded_checkpoints_and_the_released_one():
    names = [checkpoint.name for checkpoint in list_checkpoints()]
    assert names == [*EMBEDDED, RELEASED]
    assert all(checkpoint.description for checkpoint in list_checkpoints())


@pytest.mark.parametrize("name", EMBEDDED)
def test_embedded_checkpoints_are_complete_folders(name, hub):
    folder = find_checkpoint(name)
    assert (folder / "config.json").is_file()
    assert (folder / "model.safetensors").is_file()
    assert hub == []


@pytest.mark.parametrize("name", [RELEASED, "owner/name", "a_b/c.d-1", "1/2"])
def test_hub_ids(name):
    assert is_hub_id(name)
    assert canonical_name(name, "v1") == name


@pytest.mark.parametrize(
    "name",
    [
        "name",
        "",
        "owner/",
        "/name",
        "a/b/c",
        "./name",
        "../name",
        "~/name",
        "-a/b",
        "a b/c",
        "a/b c",
    ],
)
def test_other_names_are_no_hub_ids(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert not is_hub_id(name)
    with pytest.raises(ValueError, match=r"registry name \('timer-s1-small'|holds no config\.json"):
        canonical_name(name)


def test_a_folder_becomes_its_absolute_path(tmp_path, monkeypatch):
    (tmp_path / "owner" / "name").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"'owner/name' holds no config\.json"):
        canonical_name("owner/name")
    (tmp_path / "owner" / "name" / "config.json").touch()
    folder = tmp_path / "owner" / "name"
    assert canonical_name("owner/name") == canonical_name(Path("owner/name")) == str(folder)
    assert find_checkpoint("owner/name") == folder
    with pytest.raises(ValueError, match="revision='v1' applies to hub ids"):
        canonical_name("owner/name", "v1")


@pytest.mark.parametrize("name", [None, 7, ["timer-s1-mini"]])
def test_other_types_are_refused(name):
    with pytest.raises(TypeError, match="must be a str or a Path"):
        canonical_name(name)


def test_a_hub_id_is_downloaded_with_its_weights_or_without(hub, tmp_path):
    assert find_checkpoint("owner/name", "v1") == tmp_path
    assert find_checkpoint("owner/name", weights=False) == tmp_path
    assert hub == [
        ("owner/name", "v1", ["*.json", "*.safetensors"]),
        ("owner/name", None, ["config.json"]),
    ]


def test_a_download_that_fails_says_what_works_without_one(hub):
    message = (
        r"checkpoint 'no/such' could not be downloaded \(no connection\).* use 'timer-s1-small'"
    )
    with pytest.raises(ValueError, match=message):
        find_checkpoint("no/such")
    with pytest.raises(ValueError, match=r"adapter 'no/such' could not .*; .* use a folder"):
        download("adapter", "no/such", None, ["*"], "a folder")

"""Errors of the system while tensors are written are errors of Python."""

import errno
import json
import subprocess
import sys

import pytest
import safetensors.torch
import torch
from safetensors import SafetensorError

from timer_forecaster.checkpoints.writing import save_file, write_checkpoint


def test_a_file_has_the_usual_permissions_and_its_metadata(tmp_path):
    (tmp_path / "usual").touch()
    save_file({"a": torch.ones(2)}, tmp_path / "a.safetensors", {"format": "pt"})
    assert (tmp_path / "a.safetensors").stat().st_mode == (tmp_path / "usual").stat().st_mode
    assert torch.equal(safetensors.torch.load_file(tmp_path / "a.safetensors")["a"], torch.ones(2))


@pytest.mark.parametrize("dtype", [None, torch.bfloat16])
def test_a_checkpoint_names_the_type_of_its_weights_and_keeps_integers(tmp_path, dtype):
    weights = {"count": torch.tensor(3), "weight": torch.ones(2, requires_grad=True)}
    entries = {"d_model": 8, "dtype": "float16"}
    write_checkpoint(tmp_path / "new", entries, weights, dtype)
    stored = safetensors.torch.load_file(tmp_path / "new" / "model.safetensors")
    assert stored["count"].dtype == torch.int64
    assert stored["weight"].dtype == (dtype or torch.float32)
    config = json.loads((tmp_path / "new" / "config.json").read_text())
    assert config == {"d_model": 8, "torch_dtype": str(stored["weight"].dtype)[6:]}
    write_checkpoint(tmp_path / "new", {"d_model": 9}, weights)
    assert json.loads((tmp_path / "new" / "config.json").read_text())["d_model"] == 9


@pytest.mark.parametrize(("number", "name"), [(28, "ENOSPC"), (13, "EACCES"), (27, "EFBIG")])
def test_an_error_of_the_system_has_its_number(tmp_path, monkeypatch, number, name):
    def fail(*arguments, **options):
        raise SafetensorError(f"Error while serializing: I/O error: x (os error {number})")

    monkeypatch.setattr(safetensors.torch, "save_file", fail)
    with pytest.raises(OSError) as caught:
        save_file({}, tmp_path / "a", {})
    assert caught.value.errno == getattr(errno, name)


def test_another_error_stays(tmp_path, monkeypatch):
    def fail(*arguments, **options):
        raise SafetensorError("another")

    monkeypatch.setattr(safetensors.torch, "save_file", fail)
    with pytest.raises(SafetensorError, match="another"):
        save_file({}, tmp_path / "a", {})


def test_an_adapter_for_which_there_is_no_room_is_named_and_the_earlier_one_stays(tmp_path):
    pytest.importorskip("resource")
    program = """
import resource, signal, sys, torch
from timer_forecaster.adapters import Adapter, Base
old, new = (Adapter(Base("x", None, "s"), "head", {"a": torch.ones(n)}) for n in (10, 9999))
old.save(sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
try:
    new.save(sys.argv[1])
except ValueError as error:
    print(error)
assert Adapter.load(sys.argv[1]) == old
"""
    command = [sys.executable, "-c", program, str(tmp_path / "adapter")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "adapter.safetensors: the file would be larger than the system allows" in done.stdout
    assert len(list((tmp_path / "adapter").iterdir())) == 2

"""The memory of finetuning at tiny sizes."""

import json
import sys

import pytest

from benchmarks import finetuning_memory

TINY = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_mtp_tokens": 1,
    "num_attention_heads": 2,
    "num_experts": 4,
}


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from Linux's /proc")
def test_memory_is_measured_in_a_new_process(tmp_path, capsys):
    settings = {"steps": 2, "context_length": 64, "batch_size": 2}
    finetuning_memory.main(
        ["--work", str(tmp_path), "--sizes", json.dumps(TINY), "--settings", json.dumps(settings)]
    )
    header, _, line = capsys.readouterr().out.strip().splitlines()
    row = dict(zip(header.split(" | "), line.split(" | "), strict=True))
    head = 32 * 32 + 32 + 2 * (32 * 144 + 144)
    assert row["| trained"] == f"| {3 * 4 * 32 + head:,}"
    assert float(row["activations, GB"]) > 0
    own = float(row["most of it not of files, GB"])
    assert float(row["activations, GB"]) < own < float(row["most resident, GB"])

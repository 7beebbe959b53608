"""A layout is chosen only where it is faster."""

import dataclasses

import pytest
import torch
from torch import nn

from timer_forecaster.models.timer_s1 import TimerS1Architecture
from timer_forecaster.models.timer_s1.layouts.choice import WIDE, fast_in_bfloat16, packs, stacks
from timer_forecaster.models.timer_s1.layouts.linears import can_pack

CPU = torch.device("cpu")
SIZES = TimerS1Architecture(
    hidden_size=WIDE,
    intermediate_size=128,
    num_hidden_layers=1,
    num_mtp_tokens=2,
    num_attention_heads=4,
    num_experts=6,
    initializer_range=0.1,
)
needs_onednn = pytest.mark.skipif(not can_pack(CPU, torch.float32), reason="torch lacks oneDNN")


@needs_onednn
def test_where_it_pays():
    narrow = TimerS1Architecture(hidden_size=WIDE // 2, num_attention_heads=4)
    assert packs(SIZES, CPU, torch.float32)
    assert not packs(SIZES, CPU, torch.float64)
    assert not packs(narrow, CPU, torch.float32)
    assert not packs(SIZES, torch.device("meta"), torch.float32)
    assert not stacks(SIZES, CPU, torch.bfloat16)


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ({"avx512_bf16": True}, True),
        ({"amx_bf16": True}, True),
        ({"avx2": True}, False),
        ({}, False),
    ],
)
def test_a_cpu_is_fast_in_bfloat16_by_its_instructions(monkeypatch, capabilities, expected):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    assert fast_in_bfloat16(CPU) == expected
    assert not fast_in_bfloat16(torch.device("meta"))


@pytest.mark.parametrize(
    ("capability", "expected"), [((8, 0), True), ((9, 0), True), ((7, 5), False)]
)
def test_a_gpu_stacks_from_compute_capability_8_on(monkeypatch, capability, expected):
    gpu = torch.device("cuda")
    monkeypatch.setattr(nn.functional, "grouped_mm", None, raising=False)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert fast_in_bfloat16(gpu) == expected
    assert stacks(SIZES, gpu, torch.bfloat16) == expected
    assert not stacks(SIZES, gpu, torch.float32)
    unaligned = dataclasses.replace(SIZES, intermediate_size=132)
    assert not stacks(unaligned, gpu, torch.bfloat16)

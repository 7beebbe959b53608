"""Rows are cut into patches of values and flags, padded on the left."""

import torch

from timer_forecaster.models.timer_s1.patches import patchify


def test_rows_of_whole_patches_are_cut():
    values = torch.arange(1.0, 13.0).reshape(2, 6)
    patches = patchify(values, None, 3)
    assert patches.shape == (2, 2, 6)
    assert patches[0].tolist() == [[1, 2, 3, 1, 1, 1], [4, 5, 6, 1, 1, 1]]
    assert patches[1, 1, :3].tolist() == [10, 11, 12]


def test_shorter_rows_are_padded_on_the_left():
    patches = patchify(torch.tensor([[1.0, 2.0, 3.0, 4.0]]), None, 3)
    assert patches[0].tolist() == [[0, 0, 1, 0, 0, 1], [2, 3, 4, 1, 1, 1]]


def test_missing_values_are_zero_and_flagged():
    values = torch.tensor([[1.0, torch.nan, 3.0]], dtype=torch.float64)
    patches = patchify(values, ~values.isnan(), 3)
    assert patches.dtype == torch.float64
    assert patches.tolist() == [[[1, 0, 3, 1, 0, 1]]]


def test_one_step_is_one_patch():
    assert patchify(torch.ones(2, 1), None, 16).shape == (2, 1, 32)

"""The manual of the classes behind transformers says what is so."""

import re

import pytest
import torch
from places import ROOT

MANUAL = (ROOT / "docs" / "transformers.md").read_text(encoding="utf-8")


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
def test_the_examples_run_one_after_the_other():
    pytest.importorskip("accelerate")
    pytest.importorskip("peft")
    names = {}
    for block in re.findall(r"```python\n(.*?)```", MANUAL, flags=re.DOTALL):
        exec(block, names)  # noqa: S102
    assert names["output"].shape == (1, 9, 720)
    assert names["loss"].isfinite()
    other = torch.randn(7, 160)
    expected = names["network"](other).quantiles
    found = names["program"].module()(other).quantiles
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)

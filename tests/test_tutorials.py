"""The tutorials run, and print what they say. The one with Ray is in tests/ray."""

import re

import pytest
from printed import assert_alike
from tutorials import TUTORIALS, run_tutorial

NEEDS = {
    "first_forecast": ["matplotlib"],
    "hierarchy": ["sktime", "matplotlib"],
    "backtest_darts": ["darts", "statsmodels", "matplotlib"],
    "covariates": ["matplotlib"],
    "adapter": [],
}


@pytest.mark.parametrize("name", NEEDS)
def test_a_tutorial_prints_what_it_says(name):
    for package in NEEDS[name]:
        pytest.importorskip(package)
    if "matplotlib" in NEEDS[name]:
        pytest.importorskip("matplotlib.pyplot").switch_backend("Agg")
    run_tutorial(name)


def test_every_tutorial_is_in_the_index_and_in_a_test():
    index = (TUTORIALS / "index.md").read_text(encoding="utf-8")
    there = {path.stem for path in TUTORIALS.glob("*.md")} - {"index"}
    assert there == {*NEEDS, "parquet_ray"}
    assert set(re.findall(r"\| \[.+?\]\((\w+)\.md\)", index)) == there
    assert set(re.findall(r"^(\w+)$", index.partition("```{toctree}")[2], flags=re.M)) == there


@pytest.mark.parametrize(
    "printed, shown",
    [
        ("mean 1.00 of 3", "mean 0.99 of 3"),
        ("a   12\nb    7", "a 12\nb  8"),
        ("1000 MW", "1019 MW"),
    ],
)
def test_texts_alike(printed, shown):
    assert_alike(printed, shown)


@pytest.mark.parametrize(
    "printed, shown",
    [
        ("mean 1.00", "mean 0.90"),
        ("a 1", "b 1"),
        ("1 2", "1"),
        ("5", "5.0"),
        ("2020-01-01", "2020-01-02"),
    ],
)
def test_texts_that_differ(printed, shown):
    with pytest.raises(AssertionError):
        assert_alike(printed, shown)


def test_the_links_of_tutorials_lead_to_files():
    for path in TUTORIALS.glob("*.md"):
        for target in re.findall(r"\]\((?!https?:)([^)#\s]+)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).exists(), (path.name, target)

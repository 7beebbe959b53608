"""The program of the report's claims runs from end to end, goes on, and computes its figures."""

import numpy as np
import pandas as pd
import pytest
from places import ROOT

from benchmarks.pages import write_page
from benchmarks.report_claims import __main__ as program
from benchmarks.report_claims import training
from benchmarks.report_claims.arms import ARMS, configure
from benchmarks.report_claims.comparisons import paired_change
from benchmarks.report_claims.scale import FULL, QUICK
from benchmarks.report_claims.scores import PARTS, horizon_parts, relative_losses
from benchmarks.report_claims.sinusoids import sinusoid_errors
from benchmarks.report_claims.tables import claim_table
from benchmarks.report_claims.windows import draw_windows, held_out_windows
from timer_forecaster.pretraining import load_pipeline

PAGE = ROOT / "docs" / "report_claims.md"
TABLES = ("claims", "arms", "stages", "costs", "sinusoids")


def empty_page(folder):
    page = folder / "page.md"
    page.write_text("Before\n" + "\n".join(f"<!-- {n} -->\n<!-- end {n} -->" for n in TABLES))
    return page


def windows(seasonality=4):
    random = np.random.default_rng(0)
    series = [np.tile([0.0, 3.0, 1.0, 2.0], 100) + random.normal(size=400) for _ in range(2)]
    return draw_windows("waves", series, seasonality, QUICK)


def test_quick_run_fills_the_page_and_is_not_repeated(tmp_path, monkeypatch, capsys):
    pytest.importorskip("matplotlib")
    page = empty_page(tmp_path)
    arguments = [str(tmp_path / "out"), "--quick", "--seeds", "0", "--page", str(page)]
    program.main([*arguments, "--arms", "stp", "ntp"])
    assert "synthetic" in capsys.readouterr().out
    text = page.read_text()
    for label in ("STP", "removed", "NTP", "pre-training alone", "timer-s1-mini"):
        assert label in text
    assert "MTP" not in text.partition("<!-- costs -->")[0]
    for picture in ("report_claims.png", "report_claims_sinusoids.png"):
        assert (tmp_path / "images" / picture).stat().st_size > 10_000

    monkeypatch.setattr(training, "pretrain", None)  # training again would fail
    program.main([*arguments, "--arms", "stp", "ntp"])
    assert page.read_text() == text
    with pytest.raises(ValueError, match="'data'"):
        program.main([*arguments, "--data", str(tmp_path)])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mtp", "plain", "continued", "long"])
def test_other_arms_train_from_the_trunk_to_their_own_end(tmp_path, name):
    weights = training.train(name, 0, QUICK, None, tmp_path)
    settings = (weights.parent.parent / "pretraining.yaml").read_text()
    assert ("inverse_sqrt" in settings) == (name in ("continued", "long"))
    assert ("synthetic_augmentation: false" in settings) == (name == "plain")
    quantiles = load_pipeline(weights, "cpu").predict(np.arange(64.0), 48).quantiles
    assert np.isfinite(quantiles).all()


def test_all_arms_have_equal_steps_tokens_and_learning_rates():
    for name, arm in ARMS.items():
        config = configure(arm, 0, FULL, None)
        assert config.steps == FULL.steps
        assert {stage.tokens_per_step for stage in config.stages} == {2048}
        rates = [stage.learning_rate_at(i) for stage in config.stages for i in range(stage.steps)]
        reference = configure(ARMS["stp"], 0, FULL, None)
        expected = [s.learning_rate_at(i) for s in reference.stages for i in range(s.steps)]
        np.testing.assert_allclose(rates, expected, err_msg=name)


def test_losses_are_relative_to_seasonal_naive():
    dataset = windows()
    horizon = dataset.targets.shape[1]
    assert len(dataset.contexts) == QUICK.windows_per_dataset
    truth = np.repeat(dataset.targets[..., None], 9, axis=2)
    assert relative_losses(dataset, truth)["loss"] == [0.0] * 4
    for ratios in relative_losses(dataset, dataset.naive).values():
        np.testing.assert_allclose(ratios, 1.0)
    half = truth + (dataset.naive - truth) / 2
    np.testing.assert_allclose(relative_losses(dataset, half)["loss"], 0.5)
    parts = horizon_parts(112)
    assert [len(range(horizon)[part]) for part in horizon_parts(horizon)][-1] == horizon
    assert [len(range(112)[part]) for part in parts] == [16, 48, 48, 112]


def test_held_out_windows_come_from_held_out_files_alone(tmp_path):
    step = np.arange(400.0)
    for name in ("nn5__D", "not_held_out__D"):
        rows = [np.sin(step) + (1000 if name == "nn5__D" else 0)]
        frame = pd.DataFrame({"item_id": ["a"], "freq": ["D"], "target": rows})
        frame.to_parquet(tmp_path / f"{name}.parquet")
    (dataset,) = held_out_windows(tmp_path, QUICK)
    assert dataset.name == "nn5__D"
    for context, target in zip(dataset.contexts, dataset.targets, strict=True):
        joined = np.concatenate([context, target]) - 1000
        start = np.flatnonzero(np.isclose(np.sin(step), joined[0]))
        assert any(np.allclose(np.sin(step[i : i + len(joined)]), joined) for i in start)
    with pytest.raises(ValueError, match="none of the held-out"):
        held_out_windows(tmp_path / "absent", QUICK)


def test_paired_changes_are_taken_seed_by_seed():
    def scores(*values):
        return {
            seed: {"short": {"loss": {"all": {"a": value, "b": 2 * value}}}}
            for seed, value in enumerate(values)
        }

    found = {"stp": scores(1.0, 2.0, 4.0), "ntp": scores(1.1, 2.4, 4.4)}
    mean, error, worse, total = paired_change(found, "ntp", "stp")
    assert mean == pytest.approx((10 + 20 + 10) / 3)
    assert error == pytest.approx(np.std([10, 20, 10], ddof=1) / np.sqrt(3))
    assert (worse, total) == (2, 2)


@pytest.mark.parametrize(
    "values, shown", [((1.1, 1.15, 1.12), "yes"), ((0.8, 0.85, 0.82), "the opposite"),
                      ((0.9, 1.3, 1.0), "not resolved"), ((1.1,), "not resolved")]
)  # fmt: skip
def test_a_claim_is_shown_only_where_the_interval_excludes_zero(values, shown):
    def scores(losses):
        parts = [{part: {"a": value} for part in PARTS} for value in losses]
        return {seed: {"short": {"loss": part}} for seed, part in enumerate(parts)}

    found = {"stp": scores([1.0] * len(values)), "ntp": scores(values)}
    header, _, row = claim_table(found).splitlines()
    assert row.split(" | ")[1] == "+14.6 %"
    assert row.endswith(f"| {shown} |") and header.endswith("shown here |")


def test_sinusoid_error_is_in_amplitudes():
    class Zero:
        network = type("Network", (), {"pass_length": 512})

        def predict(self, rows, horizon, rollout):
            return type("Forecast", (), {"median": np.zeros((len(rows), horizon))})

    errors = sinusoid_errors(Zero(), np.array([8.5, 32.25]), 64)
    np.testing.assert_allclose(errors["clean"], 2 / np.pi, rtol=0.01)
    np.testing.assert_allclose(errors["clean"], errors["noisy"])


def test_the_page_has_a_place_for_every_table(tmp_path):
    copy = tmp_path / "page.md"
    copy.write_text(PAGE.read_text())
    write_page(copy, dict.fromkeys(TABLES, "| new |"))
    assert copy.read_text().count("| new |") == len(TABLES)
    with pytest.raises(ValueError, match="<!-- other -->"):
        write_page(copy, {"other": ""})

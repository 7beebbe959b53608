"""Aggregates, published rows and tables."""

import math

import pandas as pd
import pytest

from timer_forecaster.evaluation import aggregate, compare, read_published, report
from timer_forecaster.evaluation.leaderboard import (
    COLUMNS,
    CRPS,
    MASE,
    baseline_deviation,
    relative_scores,
)

NAMES = ["ett1/H/short", "ett1/H/long", "m4_hourly/H/short"]
DOMAINS = ["Energy", "Energy", "Econ/Fin"]


def frame(model, mase, crps, **further):
    scores = {MASE: mase, CRPS: crps, "domain": DOMAINS}
    return pd.DataFrame({"dataset": NAMES, "model": model, **scores, **further})


@pytest.fixture
def results():
    own = frame("own", [1.0, 2.0, 8.0], [0.1, 0.2, 0.2], coverage=[0.7, 0.8, 0.9], seconds=1.0)
    naive = frame("seasonal_naive", [2.0, 2.0, 2.0], 0.4, coverage=0.8, seconds=0.0)
    return pd.concat([own, naive], ignore_index=True)


def test_relative_scores(results):
    relative = relative_scores(results).iloc[:3]
    assert relative["term"].tolist() == ["short", "long", "short"]
    assert relative["relative MASE"].tolist() == [0.5, 1.0, 4.0]
    assert relative["relative CRPS"].tolist() == [0.25, 0.5, 0.5]
    with pytest.raises(ValueError, match="no seasonal_naive row for ett1/H/long"):
        relative_scores(results.drop(index=4))


def test_aggregate_takes_geometric_means_by_term_and_domain(results):
    means = aggregate(results).loc["own"]
    assert means.index.tolist() == ["all", "short", "long", "Econ/Fin", "Energy"]
    assert means["n"].tolist() == [3, 2, 1, 1, 2]
    expected = [2 ** (1 / 3), math.sqrt(2.0), 1.0, 4.0, math.sqrt(0.5)]
    assert means["MASE"].tolist() == pytest.approx(expected)
    assert means["CRPS"].tolist() == pytest.approx(
        [(1 / 16) ** (1 / 3), math.sqrt(1 / 8), 0.5, 0.5, math.sqrt(1 / 8)]
    )
    assert means["coverage"].tolist() == pytest.approx([0.8, 0.8, 0.8, 0.9, 0.75])
    assert (aggregate(results).loc["seasonal_naive"][["MASE", "CRPS"]] == 1.0).all(axis=None)


def test_a_perfect_baseline_makes_no_warning(results):
    results.loc[3, [MASE, CRPS]] = 0.0
    assert aggregate(results).loc[("own", "all"), "MASE"] == math.inf


def test_three_forms_of_published_rows(tmp_path):
    rows = frame("Model-X", [1.0, 2.0, 3.0], 0.3).reindex(columns=list(COLUMNS))
    one = tmp_path / "all_results.csv"
    rows.to_csv(one, index=False)
    for folder in ("b", "a"):
        (tmp_path / "results" / folder).mkdir(parents=True)
        rows.to_csv(tmp_path / "results" / folder / "all_results.csv", index=False)
    short = tmp_path / "short.csv"
    rows.rename(columns={"dataset": "config", MASE: "MASE", CRPS: "CRPS"})[
        ["config", "model", "MASE", "CRPS", "domain"]
    ].to_csv(short, index=False)
    scores = ["dataset", "model", MASE, CRPS]
    pd.testing.assert_frame_equal(read_published(one)[scores], rows[scores])
    pd.testing.assert_frame_equal(read_published(short)[scores], rows[scores])
    both = read_published(tmp_path / "results")
    assert both["model"].tolist() == ["a"] * 3 + ["b"] * 3


def test_what_is_not_published_is_said(tmp_path):
    with pytest.raises(ValueError, match=r"holds no <model>/all_results\.csv"):
        read_published(tmp_path)
    (tmp_path / "x.csv").write_text("config,model,MASE\n")
    with pytest.raises(ValueError, match=r"x\.csv has no column eval_metrics/mean_weighted"):
        read_published(tmp_path / "x.csv")


def published():
    full = frame("full", [1.0, 1.0, 1.0], 0.2)
    part = frame("part", [1.0, 1.0, 1.0], 0.2).iloc[:2]
    naive = frame("seasonal_naive", [2.0, 2.02, 2.0], 0.4)
    table = pd.concat([full, part, naive], ignore_index=True).drop(columns="domain")
    return pd.concat([table, table.assign(dataset="other/D/short")], ignore_index=True)


def test_compare_takes_complete_models_on_common_configurations(results):
    table = compare(results, published())
    assert table["model"].unique().tolist() == ["own", "seasonal_naive", "full"]
    assert set(table["dataset"]) == set(NAMES)
    assert table.loc[table["model"] == "full", "domain"].tolist() == DOMAINS
    # Of a model that is in both, the own rows count.
    assert (table.loc[table["model"] == "seasonal_naive", MASE] == 2.0).all()
    assert aggregate(table).loc[("full", "all"), "MASE"] == pytest.approx(0.5)


def test_compare_restricts_to_wanted_models(results):
    assert set(compare(results, published(), ["full"])["model"]) == {*results["model"], "full"}
    with pytest.raises(ValueError, match=r"\['part'\] are not published on all 3 .* are full"):
        compare(results, published(), ["part"])
    with pytest.raises(ValueError, match="none of the configurations to evaluate"):
        compare(results.assign(dataset="mine/D/short"), published())


def test_a_wider_evaluation_is_compared_on_what_is_published(results):
    wider = pd.concat([results, results.assign(dataset="mine/D/short").iloc[[0, 3]]])
    assert set(compare(wider, published())["dataset"]) == set(NAMES)


def test_baseline_deviation(results):
    deviation = baseline_deviation(results, published())
    assert deviation.idxmax() == "ett1/H/long"
    assert deviation.tolist() == pytest.approx([0.0, 1 - 2 / 2.02, 0.0])


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_report_without_published_models(results):
    text = report(results)
    lines = text.splitlines()
    assert cells(lines[0]) == [
        *["configuration", "model", "MASE", "relative MASE", "CRPS", "relative CRPS"],
        *["coverage", "seconds"],
    ]
    assert cells(lines[2]) == [
        *["ett1/H/short", "own", "1.000", "0.500", "0.100", "0.250"],
        *["0.700", "1.000"],
    ]
    assert len({len(line) for line in lines[:5]}) == 1
    assert lines[5] == ""
    assert "| model          | all (3) | short (2) | long (1) | Econ/Fin (1) | Energy (2) |" in text
    assert "These are 3 of the benchmark's 97 configurations: not a score" in text


def test_report_beside_published_models(results):
    text = report(results, published(), ["full"])
    ranking = text[text.index("CRPS relative to Seasonal Naive, geometric mean over 3") :]
    ranking = ranking[: ranking.index("CRPS relative to Seasonal Naive on each")]
    assert [cells(line)[0] for line in ranking.splitlines()[4:-1]] == [
        "**own**",
        "full",
        "seasonal_naive",
    ]
    each = text[text.index("MASE relative to Seasonal Naive on each configuration") :].splitlines()
    assert cells(each[2]) == ["configuration", "full", "own"]
    assert [cells(line)[0] for line in each[4:7]] == NAMES
    assert "differs from its published rows by at most 0.990% (on ett1/H/long)" in text


def test_report_beside_published_models_without_seasonal_naive(results):
    others = published()
    text = report(results, others[others["model"] != "seasonal_naive"])
    assert cells(text.splitlines()[2])[:2] == ["ett1/H/short", "own"]
    assert "published rows" not in text


def test_report_of_seasonal_naive_alone_shows_its_rows(results):
    text = report(results[results["model"] == "seasonal_naive"])
    assert cells(text.splitlines()[2])[:2] == ["ett1/H/short", "seasonal_naive"]


def test_report_names_what_makes_its_means_nan(results):
    assert "undefined" not in report(results)
    results.loc[[1, 4], CRPS] = 0.0  # 0/0
    results.loc[2, MASE] = math.nan
    text = report(results)
    assert (
        "CRPS relative to Seasonal Naive is undefined on ett1/H/long for own, seasonal_naive"
        in text
    )
    assert "MASE relative to Seasonal Naive is undefined on m4_hourly/H/short for own, and" in text
    assert math.isnan(aggregate(results).loc[("own", "all"), "MASE"])


def test_own_data_sets_carry_no_remark_on_the_leaderboard(results):
    assert "leaderboard" not in report(results.assign(domain="unknown"))

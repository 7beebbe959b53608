"""Results in the format of the leaderboard, published rows, and aggregates.

A *results* frame has one row per configuration (column ``dataset``) and model, and the columns of
the leaderboard's ``all_results.csv``. Further columns may follow.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from timer_forecaster.evaluation.gift_eval import N_CONFIGURATIONS, TERMS, UNKNOWN_DOMAIN
from timer_forecaster.evaluation.metrics import geometric_mean

BASELINE = "seasonal_naive"
PREFIX = "eval_metrics/"
MASE = f"{PREFIX}MASE[0.5]"
CRPS = f"{PREFIX}mean_weighted_sum_quantile_loss"
COLUMNS: tuple[str, ...] = (
    "dataset",
    "model",
    f"{PREFIX}MSE[mean]",
    f"{PREFIX}MSE[0.5]",
    f"{PREFIX}MAE[0.5]",
    MASE,
    f"{PREFIX}MAPE[0.5]",
    f"{PREFIX}sMAPE[0.5]",
    f"{PREFIX}MSIS",
    f"{PREFIX}RMSE[mean]",
    f"{PREFIX}NRMSE[mean]",
    f"{PREFIX}ND[0.5]",
    CRPS,
    "domain",
    "num_variates",
)
"""The columns of ``all_results.csv``, in their order."""


def read_published(path: str | Path) -> pd.DataFrame:
    """Read published results.

    Parameters
    ----------
    path : path
        A CSV file in the format of the leaderboard; the folder ``results`` of the benchmark's
        repository, where each model has a folder with such a file; or a CSV file with the
        columns ``config``, ``model``, ``MASE`` and ``CRPS``.

    Returns
    -------
    DataFrame
        A results frame with at least MASE and CRPS. A model in a folder has the name of the folder.

    Raises
    ------
    ValueError
        If the file or folder holds no such results.

    Examples
    --------
    >>> import pandas as pd
    >>> from timer_forecaster.evaluation import read_published
    >>> scores = {"config": "m4_daily/D/short", "model": ["theta"], "MASE": [3.3], "CRPS": [0.02]}
    >>> pd.DataFrame(scores).to_csv("scores.csv", index=False)
    >>> read_published("scores.csv")["model"].tolist()
    ['theta']
    """
    path = Path(path)
    if path.is_dir():
        files = sorted(path.glob("*/all_results.csv"))
        if not files:
            raise ValueError(f"{path} holds no <model>/all_results.csv")
        return pd.concat(
            [_read_table(file).assign(model=file.parent.name) for file in files], ignore_index=True
        )
    return _read_table(path)


def _read_table(file: Path) -> pd.DataFrame:
    table = pd.read_csv(file).rename(columns={"config": "dataset", "MASE": MASE, "CRPS": CRPS})
    absent = {"dataset", "model", MASE, CRPS} - set(table.columns)
    if absent:
        raise ValueError(f"{file} has no column {', '.join(sorted(absent))}")
    return table


def compare(
    results: pd.DataFrame, published: pd.DataFrame, models: Sequence[str] | None = None
) -> pd.DataFrame:
    """Join own results and published models on their common configurations.

    Parameters
    ----------
    results, published : DataFrame
        Results frames. If a model is in both, its own rows count.
    models : sequence of str, optional
        Published models to take. Default: all models with every common configuration.

    Returns
    -------
    DataFrame
        A results frame.

    Raises
    ------
    ValueError
        If nothing is common, or a wanted model is not published on every common configuration.

    Examples
    --------
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import pandas as pd
    >>> from timer_forecaster.evaluation import compare, evaluate_gift_eval, naive_forecaster
    >>> from timer_forecaster.evaluation import read_published
    >>> Path("own").mkdir()
    >>> table = pd.DataFrame({"item_id": ["a"], "freq": "D", "target": [np.arange(200.0) % 9]})
    >>> table.to_parquet("own/sales__D.parquet")
    >>> results = evaluate_gift_eval(naive_forecaster, "own")
    >>> pd.DataFrame(
    ...     {"config": "sales/D/short", "model": ["theta", "seasonal_naive"], "MASE": [1.3, 1.5],
    ...      "CRPS": [0.4, 0.5]}
    ... ).to_csv("published.csv", index=False)
    >>> compare(results, read_published("published.csv"))["model"].tolist()
    ['naive_forecaster', 'seasonal_naive', 'theta']
    """
    rows = check_published(results["dataset"].unique(), published, models)
    domains = results.drop_duplicates("dataset").set_index("dataset")["domain"]
    rows = rows.assign(domain=rows["dataset"].map(domains))
    own = results[results["dataset"].isin(rows["dataset"])]
    return pd.concat([own, rows[~rows["model"].isin(own["model"])]], ignore_index=True)


def check_published(
    configurations: Iterable[str], published: pd.DataFrame, models: Sequence[str] | None = None
) -> pd.DataFrame:
    """Return the published rows that :func:`compare` takes, or raise the reason.

    Raises
    ------
    ValueError
        If nothing is common, or a wanted model is not published on every common configuration.
    """
    rows = published[published["dataset"].isin(list(configurations))]
    rows = rows.drop_duplicates(["dataset", "model"])
    n = rows["dataset"].nunique()
    if not n:
        raise ValueError("none of the configurations to evaluate is among the published ones")
    counts = rows["model"].value_counts()
    complete = sorted(counts.index[counts == n])
    incomplete = set(models or ()) - set(complete)
    if incomplete:
        raise ValueError(
            f"models {sorted(incomplete)} are not published on all {n} configurations; "
            f"there are {', '.join(complete)}"
        )
    return rows[rows["model"].isin(complete if models is None else models)]


def baseline_deviation(results: pd.DataFrame, published: pd.DataFrame) -> pd.Series:
    """Compare recomputed Seasonal Naive rows with the published rows, which shows equal data.

    Returns
    -------
    Series
        The larger relative difference of MASE and CRPS, by common configuration.
    """
    own, theirs = (
        frame[frame["model"].str.lower() == BASELINE].set_index("dataset")[[MASE, CRPS]]
        for frame in (results, published)
    )
    common = own.index.intersection(theirs.index)
    return (own.loc[common] / theirs.loc[common] - 1).abs().max(axis=1)


def relative_scores(results: pd.DataFrame) -> pd.DataFrame:
    """Divide MASE and CRPS by the Seasonal Naive scores of the same configuration.

    Returns
    -------
    DataFrame
        Columns ``dataset``, ``model``, ``term``, ``domain``, ``MASE``, ``CRPS``, ``relative MASE``,
        ``relative CRPS`` and, if the results have them, ``coverage`` and ``seconds``.

    Raises
    ------
    ValueError
        If a configuration has no row of Seasonal Naive.
    """
    baseline = results[results["model"] == BASELINE].set_index("dataset")
    without = set(results["dataset"]) - set(baseline.index)
    if without:
        raise ValueError(f"there is no {BASELINE} row for {', '.join(sorted(without))}")
    relative = results[["dataset", "model", "domain"]].copy()
    relative.insert(2, "term", results["dataset"].str.rpartition("/")[2])
    for name, column in (("MASE", MASE), ("CRPS", CRPS)):
        relative[name] = results[column]
        relative[f"relative {name}"] = results[column] / results["dataset"].map(baseline[column])
    further = [name for name in ("coverage", "seconds") if name in results]
    return relative.join(results[further])


def aggregate(results: pd.DataFrame) -> pd.DataFrame:
    """Aggregate as the leaderboard does: geometric means relative to Seasonal Naive.

    Parameters
    ----------
    results : DataFrame
        A results frame with rows of Seasonal Naive and the same configurations for each model.

    Returns
    -------
    DataFrame
        Indexed by model and group: ``"all"``, each term, each domain. Columns ``n``
        (configurations), ``MASE``, ``CRPS`` (geometric means of the ratios), and ``coverage`` (the
        mean; NaN where unknown).

    Examples
    --------
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import pandas as pd
    >>> from timer_forecaster.evaluation import aggregate, evaluate_gift_eval, naive_forecaster
    >>> Path("data").mkdir()
    >>> table = pd.DataFrame({"item_id": ["a"], "freq": "D", "target": [np.arange(200.0) % 9]})
    >>> table.to_parquet("data/sales__D.parquet")
    >>> results = evaluate_gift_eval(naive_forecaster, "data")
    >>> float(aggregate(results).loc[("seasonal_naive", "all"), "MASE"])
    1.0
    """
    relative = relative_scores(results)
    if "coverage" not in relative:
        relative["coverage"] = float("nan")
    terms = [term for term in TERMS if (relative["term"] == term).any()]
    groups = {"all": relative} | {term: relative[relative["term"] == term] for term in terms}
    groups |= {str(domain): part for domain, part in relative.groupby("domain")}
    parts = {
        group: part.groupby("model", sort=False).agg(
            n=("dataset", "size"),
            MASE=("relative MASE", geometric_mean),
            CRPS=("relative CRPS", geometric_mean),
            coverage=("coverage", "mean"),
        )
        for group, part in groups.items()
    }
    return pd.concat(parts, names=["group"]).swaplevel().sort_index(level=0, sort_remaining=False)


def report(
    results: pd.DataFrame,
    published: pd.DataFrame | None = None,
    models: Sequence[str] | None = None,
) -> str:
    """Return results as Markdown tables that are readable as text.

    First come the scores of each configuration. Then follow the geometric means of CRPS and MASE
    relative to Seasonal Naive, over all configurations, per term and per domain, with the best
    model first; the coverage of the 80 % interval; the scores without a ratio to Seasonal Naive;
    and remarks on the data: whether they are the benchmark's, and all of them.

    Parameters
    ----------
    results : DataFrame
        The result of :func:`~timer_forecaster.evaluation.evaluate_gift_eval`.
    published : DataFrame, optional
        The result of :func:`read_published`. Its models appear in the aggregates; your own models
        are then set in bold.
    models : sequence of str, optional
        Published models to show, also beside your own models on each configuration.

    Returns
    -------
    str

    Examples
    --------
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import pandas as pd
    >>> from timer_forecaster.evaluation import evaluate_gift_eval, naive_forecaster, report
    >>> Path("benchmark").mkdir()
    >>> table = pd.DataFrame({"item_id": ["a"], "freq": "D", "target": [np.arange(200.0) % 9]})
    >>> table.to_parquet("benchmark/sales__D.parquet")
    >>> results = evaluate_gift_eval(naive_forecaster, "benchmark")
    >>> "sales/D/short" in report(results)
    True
    """
    own = [name for name in results["model"].unique() if name != BASELINE]
    table = results if published is None else compare(results, published, models)
    means = aggregate(table)
    n = table["dataset"].nunique()
    parts = [_markdown(_configurations(results))]
    for metric in ("CRPS", "MASE"):
        parts.append(
            f"{metric} relative to Seasonal Naive, geometric mean over {n} configurations:\n\n"
            + _markdown(_by_group(means, metric, bold=own if published is not None else []))
        )
        if published is not None and models is not None:
            ratios = relative_scores(table).pivot(
                index="dataset", columns="model", values=f"relative {metric}"
            )
            best_first = means.xs("all", level="group")[metric].sort_values().index
            ratios = ratios.loc[table["dataset"].unique(), best_first]
            parts.append(
                f"{metric} relative to Seasonal Naive on each configuration:\n\n"
                + _markdown(ratios.drop(columns=BASELINE).rename_axis("configuration"))
            )
    coverage = _by_group(means.loc[[*own, BASELINE]], "coverage")
    parts.append("Mean coverage of the 80 % interval:\n\n" + _markdown(coverage))
    return "\n\n".join([*parts, *_remarks(table, published)])


def _remarks(table: pd.DataFrame, published: pd.DataFrame | None) -> list[str]:
    """Return remarks: the reasons for NaN, and the share of the benchmark."""
    remarks = []
    if published is not None:
        deviation = baseline_deviation(table, published).dropna()
        if len(deviation):
            remarks.append(
                f"Seasonal Naive recomputed here differs from its published rows by at most "
                f"{deviation.max():.3%} (on {deviation.idxmax()})."
            )
    relative = relative_scores(table)
    for metric in ("CRPS", "MASE"):
        undefined = relative[relative[f"relative {metric}"].isna()]
        if len(undefined):
            remarks.append(
                f"{metric} relative to Seasonal Naive is undefined on "
                f"{', '.join(undefined['dataset'].unique())} for "
                f"{', '.join(undefined['model'].unique())}, and so are the means it counts in."
            )
    n = table.loc[table["domain"] != UNKNOWN_DOMAIN, "dataset"].nunique()
    if 0 < n < N_CONFIGURATIONS:
        remarks.append(
            f"These are {n} of the benchmark's {N_CONFIGURATIONS} configurations: "
            "not a score of the leaderboard."
        )
    return remarks


def _configurations(results: pd.DataFrame) -> pd.DataFrame:
    """Lay out the scores of each configuration. Seasonal Naive appears only if it is alone."""
    relative = relative_scores(results).drop(columns=["term", "domain"])
    others = relative["model"] != BASELINE
    if others.any():
        relative = relative[others]
    return relative.rename(columns={"dataset": "configuration"}).set_index("configuration")


def _by_group(means: pd.DataFrame, metric: str, bold: Sequence[str] = ()) -> pd.DataFrame:
    """Lay out a column of :func:`aggregate`: a row per model, best first, a column per group."""
    groups = means.index.get_level_values("group").unique()
    wide = means[metric].unstack("group")[list(groups)].sort_values("all", kind="stable")
    sizes = means["n"].groupby("group").first()
    wide.columns = pd.Index([f"{group} ({sizes[group]})" for group in groups])
    return wide.rename(index={name: f"**{name}**" for name in bold})


def _markdown(frame: pd.DataFrame) -> str:
    """Return a frame as an aligned Markdown table, with three digits after the point."""
    texts = frame.reset_index()
    numeric = [pd.api.types.is_numeric_dtype(dtype) for dtype in texts.dtypes]
    columns = []
    for name, right in zip(texts.columns, numeric, strict=True):
        cells = [f"{value:.3f}" if right else str(value) for value in texts[name]]
        width = max(map(len, [str(name), *cells]))
        rule = "-" * (width - 1) + (":" if right else "-")
        aligned = [cell.rjust(width) if right else cell.ljust(width) for cell in cells]
        columns.append([str(name).ljust(width), rule, *aligned])
    return "\n".join(f"| {' | '.join(line)} |" for line in zip(*columns, strict=True))

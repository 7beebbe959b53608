from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("pyarrow")
pytest.importorskip("statsmodels")

from timer_forecaster.corpus.curation import Curation


def write(folder, stem, targets):
    folder.mkdir(exist_ok=True)
    frame = pd.DataFrame(
        {
            "item_id": [f"s{i}" for i in range(len(targets))],
            "freq": stem[-1],
            "target": [values.astype(np.float32) for values in targets],
        }
    )
    frame.to_parquet(folder / f"{stem}.parquet")


def test_build_and_describe(run, tmp_path):
    rng = np.random.default_rng(0)
    source, out = tmp_path / "source", tmp_path / "corpus"
    write(source, "walks__D", [rng.normal(size=300).cumsum() for _ in range(10)] + [np.ones(50)])
    write(source, "noise__H", [rng.normal(size=300) for _ in range(4)])
    write(source, "nn5__D", [rng.normal(size=80)])
    code, printed, _ = run("corpus", "build", source, out, "--exclude", "noise__H")
    assert code == 0
    assert "1 data sets, 10 series, 3000 points in 1 shards" in printed
    assert "1 series left out: constant" in printed
    code, printed, _ = run(
        *("corpus", "describe", out, "--plot", tmp_path / "plane.png"),
        *("--sample", 3, "--against", source),
    )
    assert code == 0
    assert "walks__D" in printed
    assert "total: 1 data sets, 10 series, 3000 points" in printed
    assert f"20 runs of values shared with {source}" in printed
    assert "300 equal values: walks__D s" in printed
    assert (tmp_path / "plane.png").read_bytes().startswith(b"\x89PNG")
    code, printed, _ = run(
        *("corpus", "build", source, tmp_path / "curated", "--curate"),
        *("--significance", 0.05, "--impute"),
    )
    assert "series left out: not significant" in printed
    for options in ([], ["--held-out"]):
        words = ["corpus", "build", source, tmp_path / "typo", *options, "--exclude", "noise"]
        code, _, error = run(*words)
        assert code == 2
        assert "no data set noise; there are nn5__D, noise__H, walks__D" in error
    small = "corpus", "build", source, tmp_path / "small", "--newest", 100, "--most-series", 2
    code, printed, _ = run(*small)
    assert "2 data sets, 4 series, 400 points" in printed
    assert "11 series left out: not chosen" in printed
    code, printed, _ = run("corpus", "build", source, tmp_path / "held", "--held-out")
    assert "1 data sets, 1 series, 80 points" in printed


@pytest.mark.parametrize(
    "words, message",
    [
        (["build", "source", "source"], "out='source' is not an empty folder"),
        (["build", "nowhere", "out"], "holds no Parquet file"),
        (["build", "source", "out", "--iqr", "2"], "--iqr needs --curate"),
        (["build", "source", "out", "--impute"], "--impute needs --curate"),
        (["build", "source", "out", "--curate", "--window", "3"], "window=3 must be at least 12"),
        (["describe", "source"], "holds no manifest.json"),
        (["describe", "source", "--plot", "plane.txt"], "cannot draw plane.txt"),
        (["describe", "source", "--plot", "no/plane.png"], "there is no folder no"),
    ],
)
def test_user_errors_are_one_line(run, words, message):
    write(Path("source"), "walks__D", [np.arange(50.0)])
    code, out, err = run("corpus", *words)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "curation"),
    [
        ([], None),
        (["--curate"], Curation()),
        (
            ["--curate", "--k-sigma", "4", "--iqr", "2.5", "--window", "64", "--impute"],
            Curation(k_sigma=4.0, iqr=2.5, window=64, impute=True),
        ),
        (["--curate", "--significance", "0.05"], Curation(significance=0.05)),
    ],
)
def test_the_rules_of_curation_are_passed_on(run, monkeypatch, words, curation):
    asked = []

    def build(source, out, exclude, exclude_series, curation, *sizes, progress):
        asked.append(curation)
        raise ValueError("enough is known")

    monkeypatch.setattr("timer_forecaster.corpus.shards.build", build)
    assert run("corpus", "build", "source", "out", *words)[0] == 2
    assert asked == [curation]


def test_one_of_the_two_commands_is_needed(run, capsys):
    with pytest.raises(SystemExit):
        run("corpus")
    assert "the following arguments are required: COMMAND" in capsys.readouterr().err

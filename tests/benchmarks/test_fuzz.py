"""The search for wrong answers finds them, goes on after a stop, and passes right answers."""

import dataclasses
import json

import numpy as np
import pytest

from benchmarks.fuzz import __main__ as program
from benchmarks.fuzz.doors import CASES, case_of, pipeline
from benchmarks.fuzz.draw import Draw
from benchmarks.fuzz.oracle import (
    Broken,
    Outcome,
    ask,
    may_refuse,
    must_answer,
    must_refuse,
    require_close,
)
from benchmarks.fuzz.product import Product
from benchmarks.fuzz.runner import Failure, Store, one_case, run_again, run_cases
from benchmarks.fuzz.table import counts_table, failures_list
from timer_forecaster import ForecastPipeline

# Seeds whose first thirty cases pass.
SEEDS = {
    "pipeline": 0,
    "transformed": 0,
    "frame": 0,
    "reading": 0,
    "sklearn": 0,
    "evaluation": 0,
    "adapters": 0,
}
NEEDS = {"reading": "pyarrow", "sklearn": "sklearn", "evaluation": "pyarrow"}


@pytest.fixture
def product():
    made = Product()
    yield made
    made.clear()


def failures_of(door, product, cases=60, seed=0):
    case = case_of(door)
    outcomes = [one_case(case, seed, door, number, product) for number in range(cases)]
    return [outcome for outcome in outcomes if isinstance(outcome, Failure)]


@pytest.mark.parametrize("door", SEEDS)
def test_right_answers_pass(door, product):
    pytest.importorskip(NEEDS.get(door, "numpy"))
    assert failures_of(door, product, 30, SEEDS[door]) == []


@pytest.fixture
def answers(monkeypatch):
    """Change the answers of the pipeline by a function of its question and its forecast."""
    predict = ForecastPipeline.predict

    def use(change):
        monkeypatch.setattr(
            ForecastPipeline,
            "predict",
            lambda self, series, horizon, **options: change(
                series, horizon, predict, lambda given: predict(self, given, horizon, **options)
            ),
        )

    return use


def kinds(failures):
    return {failure.kind for failure in failures}


def with_quantiles(forecast, quantiles):
    return dataclasses.replace(forecast, quantiles=quantiles)


def test_a_forecast_that_depends_on_the_batch_is_found(answers, product):
    def change(series, horizon, predict, ask_it):
        forecast = ask_it(series)
        return with_quantiles(forecast, forecast.quantiles * (1 + 1e-4 * forecast.n_series))

    answers(change)
    assert {"law: batch", "law: constant"} <= kinds(failures_of("pipeline", product, 150))


def test_quantiles_that_cross_are_found(answers, product):
    def change(series, horizon, predict, ask_it):
        forecast = ask_it(series)
        return with_quantiles(forecast, forecast.quantiles[..., ::-1])

    answers(change)
    assert "law: ordered" in kinds(failures_of("pipeline", product))


def test_a_forecast_that_is_not_finite_is_found(answers, product):
    def change(series, horizon, predict, ask_it):
        forecast = ask_it(series)
        return with_quantiles(
            forecast, np.where(forecast.quantiles > 1e3, np.nan, forecast.quantiles)
        )

    answers(change)
    assert "law: finite" in kinds(failures_of("pipeline", product))


def test_an_answer_to_an_unusable_series_is_found(answers, product):
    def change(series, horizon, predict, ask_it):
        try:
            return ask_it(series)
        except (ValueError, TypeError):
            return ask_it(np.arange(5.0))

    answers(change)
    found = kinds(failures_of("pipeline", product, 150))
    assert any(kind.startswith("answered: ") for kind in found)
    assert {"answered: an infinite value"} <= found


@pytest.mark.parametrize("error", [KeyError("y"), IndexError(3), OverflowError("large")])
def test_an_error_of_another_kind_is_found(answers, product, error):
    def change(series, horizon, predict, ask_it):
        raise error

    answers(change)
    assert kinds(failures_of("pipeline", product, 3)) == {f"traceback {type(error).__name__}"}


def test_a_refusal_of_usable_series_is_found(answers, product):
    def change(series, horizon, predict, ask_it):
        raise ValueError("series[0] series horizon context_length rollout flip batch_size: no")

    answers(change)
    assert "refused: usable input" in kinds(failures_of("pipeline", product, 30))


def test_a_message_that_names_nothing_is_found(answers, product):
    def change(series, horizon, predict, ask_it):
        try:
            return ask_it(series)
        except (ValueError, TypeError):
            raise ValueError("bad input") from None

    answers(change)
    assert any(kind.startswith("names nothing") for kind in kinds(failures_of("pipeline", product)))


def test_a_frame_of_other_numbers_is_found(product, monkeypatch):
    predict_frame = ForecastPipeline.predict_frame

    def later(self, frame, horizon, **options):
        table = predict_frame(self, frame, horizon, **options)
        names = [name for name in table.columns if str(name).startswith("q0.")]
        return table.assign(**{name: table[name] * 1.001 for name in names})

    monkeypatch.setattr(ForecastPipeline, "predict_frame", later)
    found = kinds(failures_of("frame", product, 40))
    assert any(kind.startswith("law: frame = arrays") for kind in found)


def test_the_oracle_wants_answers_and_names():
    answer, refusal = Outcome(value=3), Outcome(error=ValueError("series[1] is infinite"))
    assert must_answer(answer) == 3
    must_refuse(refusal, "an infinite value", ["series[1]"])
    assert may_refuse(answer, "odd", ["series"]) == 3
    assert may_refuse(refusal, "odd", ["series"]) is None
    with pytest.raises(Broken, match="refused"):
        must_answer(refusal)
    with pytest.raises(Broken, match="answered"):
        must_refuse(answer, "an infinite value", ["series[1]"])
    with pytest.raises(Broken, match="names nothing"):
        must_refuse(refusal, "an infinite value", ["series[0]"])
    with pytest.raises(Broken, match="traceback KeyError"):
        ask(lambda: {}["absent"])


@pytest.mark.parametrize(("got", "passes"), [(1.0, True), (1.1, False), (np.nan, False)])
def test_numbers_are_compared_within_a_tolerance(got, passes):
    if passes:
        require_close([got], [1.0], 0.01, "law")
    else:
        with pytest.raises(Broken, match="law"):
            require_close([got], [1.0], 0.01, "law")


def test_a_case_depends_on_its_number_alone():
    one, again, other = (Draw(0, "pipeline", case) for case in (7, 7, 8))
    assert one.number(0, 1) == again.number(0, 1) != other.number(0, 1)
    assert Draw(0, "frame", 7).number(0, 1) != Draw(1, "frame", 7).number(0, 1)


def every_third_fails(draw, product):
    if draw.case % 3 == 2:
        raise Broken("third", f"number {draw.case}")
    return Outcome(value=draw.case)


def test_a_second_run_goes_on(tmp_path, product):
    first = run_cases(every_third_fails, Store(tmp_path, "frame", 0), product, 10)
    assert first.next_case == 10
    seen = []

    def seeing(draw, product):
        seen.append(draw.case)
        return every_third_fails(draw, product)

    second = run_cases(seeing, Store(tmp_path, "frame", 0), product, 20)
    assert seen == list(range(10, 20))
    whole = run_cases(every_third_fails, Store(None, "frame", 0), product, 20)
    assert (second.outcomes, second.failures) == (whole.outcomes, whole.failures)
    assert [failure.case for failure in second.failures] == [2, 5, 8, 11, 14, 17]


def test_a_case_that_ends_the_process_is_counted_and_left_behind(tmp_path, product):
    store = Store(tmp_path, "frame", 0)
    store.write(store.read())
    store.mark(0)  # and the process dies
    state = run_cases(every_third_fails, Store(tmp_path, "frame", 0), product, 3)
    assert [(one.case, one.kind) for one in state.failures] == [
        (0, "the process died"),
        (2, "third"),
    ]


def test_failed_cases_run_again(tmp_path, product):
    run_cases(every_third_fails, Store(tmp_path, "frame", 0), product, 6)
    state = run_again(lambda draw, product: Outcome(value=1), Store(tmp_path, "frame", 0), product)
    assert state.failures == []
    assert state.outcomes == {"answer": 6}


def test_another_program_starts_anew(tmp_path, product, capsys):
    run_cases(every_third_fails, Store(tmp_path, "frame", 0), product, 6)
    path = tmp_path / "frame-seed0.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "program": "old"}))
    assert run_cases(every_third_fails, Store(tmp_path, "frame", 0), product, 2).next_case == 2
    assert "another version" in capsys.readouterr().out


def test_the_table_counts(tmp_path, product):
    state = run_cases(every_third_fails, Store(None, "frame", 0), product, 9)
    assert "| frame | 9 | 6 | 3 |" in counts_table([state])
    assert "frame: third: 3 (cases 2 5 8)" in failures_list([state])


@pytest.mark.parametrize("fails", [True, False])
def test_the_exit_status_tells_of_failures(fails, tmp_path, monkeypatch, capsys):
    case = every_third_fails if fails else (lambda draw, product: Outcome(value=1))
    monkeypatch.setattr(program, "case_of", lambda door: case)
    words = ["--door", "frame", "--cases", "4", "--state", str(tmp_path)]
    assert program.main(words) == int(fails)
    assert "| frame | 4 |" in capsys.readouterr().out
    assert program.main(["--door", "frame", "--case", "2"]) == int(fails)


def test_every_door_has_cases():
    assert set(SEEDS) < set(CASES)
    assert pipeline.case is case_of("pipeline")

"""Plain values become dataclasses; errors name the place."""

import dataclasses

import pytest

from timer_forecaster.pretraining.plain_values import as_mapping, build


@dataclasses.dataclass(frozen=True)
class Inner:
    rate: float = 1.0


@dataclasses.dataclass(frozen=True)
class Outer:
    name: str
    inner: Inner = Inner()
    several: tuple[Inner, ...] = ()
    weights: dict[str, float] | None = None


def test_values_are_converted():
    values = {"name": "a", "inner": {"rate": "2e-3"}, "several": [{}], "weights": {"b": 1}}
    assert build(Outer, values, "") == Outer("a", Inner(0.002), (Inner(),), {"b": 1.0})
    assert build(Outer, {"name": "a", "inner": Inner(3.0)}, "").inner == Inner(3.0)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, r"keys \['name'\] are missing"),
        ({"name": 1}, "name is 1; expected str"),
        ({"name": "a", "several": [{}, {"speed": 1}]}, r"\['speed'\] in several\[1\]; known are"),
        ({"name": "a", "weights": {"b": "much"}}, "weights.b is 'much'; expected float"),
        ({"name": "a", "inner": 7}, "inner is 7; expected keys and values"),
    ],
)
def test_errors_name_the_place(values, message):
    with pytest.raises(ValueError, match=message):
        build(Outer, values, "")


def test_only_keys_and_values_are_a_mapping():
    assert as_mapping({1: 2}, "here") == {"1": 2}
    with pytest.raises(ValueError, match="here is 3; expected keys and values"):
        as_mapping(3, "here")

import dataclasses

import pytest

from timer_forecaster.corpus.curation import Curation
from timer_forecaster.finetuning import FinetuneConfig
from timer_forecaster.settings import setting


@dataclasses.dataclass(frozen=True)
class Meal:
    dish: str = setting("soup", "what is cooked", choices=("soup", "rice"))
    guests: int = setting(2, "people at the table", "PEOPLE")


def test_a_setting_is_a_field_with_a_default():
    assert Meal() == Meal("soup", 2)
    assert Meal.guests == 2
    assert Meal(guests=3).guests == 3


def test_a_setting_keeps_the_words_of_its_option():
    dish, guests = dataclasses.fields(Meal)
    assert dish.metadata == {
        "help": "what is cooked",
        "metavar": None,
        "choices": ("soup", "rice"),
    }
    assert guests.metadata["metavar"] == "PEOPLE"


@pytest.mark.parametrize("settings", [FinetuneConfig, Curation])
def test_every_setting_of_the_command_has_a_help_text(settings):
    for field in dataclasses.fields(settings):
        assert field.metadata["help"]

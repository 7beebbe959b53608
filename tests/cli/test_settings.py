import argparse
import dataclasses

import pytest

from timer_forecaster.cli.settings import add_settings, given_settings
from timer_forecaster.settings import setting


@dataclasses.dataclass
class Meal:
    dish: str = setting("soup", "what is cooked", choices=("soup", "rice"))
    n_guests: int = setting(2, "people at the table", "PEOPLE")
    salt: float | None = setting(None, "grams; default: to taste", "GRAMS")
    sweet: bool = setting(False, "a dessert at the end")


@pytest.fixture
def parser():
    return argparse.ArgumentParser("meal")


def given(parser, *words, **options):
    return given_settings(parser.parse_args(words), Meal, **options)


def test_only_the_options_that_were_given_are_returned(parser):
    add_settings(parser, Meal)
    assert given(parser) == {}
    words = ["--dish", "rice", "--n-guests", "3", "--salt", "0.5", "--sweet"]
    assert given(parser, *words) == {"dish": "rice", "n_guests": 3, "salt": 0.5, "sweet": True}


def test_a_default_that_is_given_is_returned(parser):
    add_settings(parser, Meal)
    assert given(parser, "--dish", "soup") == {"dish": "soup"}


def test_values_have_the_type_of_their_field(parser, capsys):
    add_settings(parser, Meal)
    for words in (["--n-guests", "2.5"], ["--salt", "much"], ["--dish", "cake"]):
        with pytest.raises(SystemExit):
            parser.parse_args(words)
        assert f"argument {words[0]}: invalid" in capsys.readouterr().err


def test_an_option_can_have_another_name(parser):
    names = {"dish": "serve"}
    add_settings(parser, Meal, names=names)
    assert given(parser, "--serve", "rice", names=names) == {"dish": "rice"}


def test_the_help_shows_condition_text_and_default(parser):
    add_settings(parser, Meal, condition="at home: ")
    text = " ".join(parser.format_help().split())
    assert "--dish {soup,rice} at home: what is cooked; default: soup" in text
    assert "--n-guests PEOPLE at home: people at the table; default: 2" in text
    assert "--salt GRAMS at home: grams; default: to taste" in text
    assert "--sweet at home: a dessert at the end" in text
    assert "None" not in text and "False" not in text

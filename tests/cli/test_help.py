"""Help texts teach: every option has a text, and every example is understood."""

import argparse
import shlex
from importlib import import_module

import pytest
from places import ROOT

from timer_forecaster import cli
from timer_forecaster.cli import help


def parsers_of(words):
    """The parser that reads these words, and the parsers of the commands within."""
    parser = cli._parser(words)
    for word in words:
        (commands,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
        parser = commands.choices[word]
    return parser


COMMANDS = [[name] for name in cli._COMMANDS]
COMMANDS += [["corpus", "build"], ["corpus", "describe"]]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_option_has_a_text_that_says_its_default(words):
    for action in parsers_of(words)._actions:
        if isinstance(action, argparse._SubParsersAction):
            continue
        assert action.help, action
        default = action.default
        if isinstance(default, int | float | str) and not isinstance(default, bool) and default:
            if default != argparse.SUPPRESS:
                assert "default:" in action.help, action


@pytest.mark.parametrize("words", [[], *COMMANDS], ids=" ".join)
def test_the_examples_are_understood(words):
    text = parsers_of(words).format_help()
    lines = [line.strip() for line in text.splitlines() if line.startswith("    timer-forecaster ")]
    assert lines
    for line in lines:
        example = shlex.split(line)[1:]
        assert callable(cli._parser(example).parse_args(example).run)


def test_examples_keep_their_lines_and_other_texts_are_wrapped(monkeypatch):
    words = ("x " * 60).strip()
    monkeypatch.setitem(help._EXAMPLES, "long", [("a long line", words)])
    parser = argparse.ArgumentParser("p", epilog="word " * 30)
    help.show_examples(parser, "long")
    shown = parser.format_help()
    assert f"  a long line\n    timer-forecaster {words}\n" in shown
    assert max(len(line) for line in shown.splitlines() if "word" in line) < 81


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_says_what_it_does(words):
    assert parsers_of(words).description.endswith(".")


def test_the_name_of_the_program_alone_is_a_question_for_help(run, capsys):
    with pytest.raises(SystemExit) as exit_:
        run()
    assert exit_.value.code == 0
    assert capsys.readouterr().out.startswith("usage: timer-forecaster ")


def test_the_help_of_pretrain_names_all_recipes():
    text = " ".join(parsers_of(["pretrain"]).format_help().split())
    recipes = ROOT.glob("timer_forecaster/pretraining/recipes/*.yaml")  # torch is not needed
    names = [path.stem for path in recipes]
    assert "tiny" in names
    assert all(name in text for name in names)


def test_commands_are_modules():
    for name in cli._COMMANDS:
        assert import_module(f"timer_forecaster.cli.{name}").add_options

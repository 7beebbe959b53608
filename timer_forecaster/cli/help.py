"""Help texts with examples."""

from __future__ import annotations

import argparse

__all__ = ["Help", "show_examples"]

_EXAMPLES = {
    "": [
        (
            "the next week of an hourly file, with a picture",
            "forecast load.csv --horizon 168 --output forecast.csv --plot forecast.png",
        ),
        (
            "are its forecasts good on my data?",
            "backtest load.csv --horizon 24 --report report.html",
        ),
        ("which of my steps were odd?", "anomalies load.csv --report odd.html"),
    ],
    "forecast": [
        ("the next day, with a picture", "forecast load.csv --horizon 24 --plot forecast.png"),
        (
            "quantiles of each store in a file",
            "forecast sales.xlsx --id-column store --horizon 14 --levels 0.05,0.5,0.95",
        ),
        (
            "with holidays and prices that are known ahead",
            "forecast sales.csv --horizon 14 --future plan.csv --known holiday,price",
        ),
    ],
    "backtest": [
        (
            "scores beside Seasonal Naive, and a report that can be sent",
            "backtest load.csv --horizon 24 --report report.html",
        ),
        (
            "beside two forecasters of sktime",
            "backtest load.csv --horizon 24 --against AutoETS,Theta",
        ),
    ],
    "anomalies": [
        ("the oddest steps", "anomalies load.csv"),
        (
            "one false alarm in a thousand steps, and all steps in a file",
            "anomalies load.csv --level 0.999 --output steps.csv",
        ),
    ],
    "finetune": [
        ("a minute on a laptop", "finetune load.csv --output my-adapter"),
        ("forecast with the result", "forecast load.csv --horizon 24 --adapter my-adapter"),
    ],
    "evaluate": [
        (
            "the default checkpoint on all configurations of a folder",
            "evaluate --data gift_eval --output all_results.csv",
        ),
        (
            "Seasonal Naive alone, on one data set",
            "evaluate --data gift_eval --baseline seasonal_naive --configurations ett1/H",
        ),
    ],
    "pretrain": [
        ("seconds, on synthetic series that need no data", "pretrain tiny"),
        ("your own settings", "pretrain run.yaml --output runs/mine"),
    ],
    "corpus build": [
        ("shards of a folder of series", "corpus build series corpus/train"),
        ("without outliers and noise", "corpus build series corpus/train --curate"),
    ],
    "corpus describe": [
        ("the table, and a picture", "corpus describe corpus/train --plot complexity.png"),
        ("values that a benchmark shares", "corpus describe corpus/train --against gift_eval"),
    ],
    "checkpoints": [
        ("the list", "checkpoints"),
        ("forecast with one of them", "forecast load.csv --horizon 24 --checkpoint ttm-mini"),
    ],
    "corpus": [
        ("shards of a folder of series", "corpus build series corpus/train"),
        ("what is in them", "corpus describe corpus/train"),
    ],
    "convert": [
        (
            "the released weights in half the memory",
            "convert bytedance-research/Timer-S1 --output timer-s1-int8",
        ),
        ("forecast with the result", "forecast load.csv --horizon 24 --checkpoint ./timer-s1-int8"),
    ],
}
"""Of each command: what an example does, and its words after the name of the program."""

_HEAD = "examples:\n"


class Help(argparse.HelpFormatter):
    """A formatter that keeps the lines of examples, and wraps all other texts."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        """Wrap a text, but not the examples before it."""
        examples, rest = "", text
        if text.startswith(_HEAD):
            examples, _, rest = text.rpartition("\n\n")
        wrapped = super()._fill_text(rest, width, indent) if rest else ""
        return "\n\n".join(filter(None, [examples, wrapped]))


def show_examples(parser: argparse.ArgumentParser, command: str) -> None:
    """Put the examples of a command before the text at the end of its help, and keep their lines.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of the command.
    command : str
        Words of the command; empty for the program.
    """
    parser.formatter_class = Help
    if command in _EXAMPLES:
        shown = [f"  {about}\n    timer-forecaster {words}" for about, words in _EXAMPLES[command]]
        parser.epilog = _HEAD + "\n\n".join([*shown, parser.epilog or ""])

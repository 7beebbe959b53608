"""The directive `command`: the options of a command, from its parser.

So the page of the commands cannot say what the commands do not do. Each option has an anchor, and a
place in the index and in the search.
"""

import argparse
import re

from sphinx.util.docutils import SphinxDirective

from timer_forecaster import cli


def parser_of(words):
    """Return the parser of a command, such as ``["corpus", "build"]``."""
    parser = cli._parser(words)
    for word in words:
        subparsers = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
        parser = next(subparsers).choices[word]
    return parser


def plain(text):
    """Return a text as Markdown that means nothing but the text, outside of backticks."""
    parts = re.split(r"(`[^`]*`)", text or "")
    return "".join(
        part if part.startswith("`") else re.sub(r"([\\<>*_\[\]|#])", r"\\\1", part)
        for part in parts
    )


def options_as_markdown(words):
    """Return usage, description, examples and options of a command as Markdown."""
    parser = parser_of(words)
    formatter = argparse.HelpFormatter(parser.prog, width=88)
    usage = re.sub(r"^usage: ", "", parser.format_usage()).strip()
    lines = [plain(parser.description), "", "```text", usage, "```", ""]
    after = (parser.epilog or "").partition("examples:\n")[2]
    if after:
        lines += ["```text", after.rstrip(), "```", ""]
    lines += [f"```{{program}} {parser.prog}", "```", ""]
    for group in parser._action_groups:
        actions = [a for a in group._group_actions if a.dest != "help"]
        if actions:
            lines += [f"```{{rubric}} {group.title[0].upper()}{group.title[1:]}", "```", ""]
        for action in actions:
            name = formatter._format_action_invocation(action)
            text = plain(formatter._expand_help(action))
            lines += [f"```{{option}} {name}", text, "```", ""]
    return "\n".join(lines)


class Command(SphinxDirective):
    """The options of a command."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self):
        """Return the parsed Markdown."""
        return self.parse_text_to_nodes(options_as_markdown(self.arguments[0].split()))


def setup(app):
    """Register the directive."""
    app.add_directive("command", Command)
    return {"parallel_read_safe": True}

"""Run the Python of pages, block after block, and show or write what it prints.

    python docs/run_page.py docs/tutorials/first_forecast.md
    python docs/run_page.py --write docs/tutorials/*.md

A block of text between a block of Python and the next one is what the first one prints. Each page
runs in an empty folder with a copy of ``examples``. ``--write`` puts what was printed into the
page, and each picture that the page shows and its Python has saved into ``docs/images``.
"""

import argparse
import contextlib
import io
import os
import re
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

DOCS = Path(__file__).resolve().parent

_BLOCK = re.compile(r"```(python|text)\n(.*?)```", flags=re.DOTALL)


def outputs(text, name="page"):
    """Run the Python of a page in the current folder.

    Parameters
    ----------
    text : str
        The page.
    name : str
        Its name, for tracebacks.

    Yields
    ------
    match, str
        The block of text after each block of Python, or None, and what the Python printed.
    """
    found = list(_BLOCK.finditer(text))
    names = {"__name__": "__main__"}
    for number, match in enumerate(found):
        if match[1] != "python":
            continue
        line = text.count("\n", 0, match.start()) + 1
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile("\n" * line + match[2], name, "exec"), names)  # noqa: S102
        after = found[number + 1] if number + 1 < len(found) else None
        yield (after if after and after[1] == "text" else None), printed.getvalue()


@contextlib.contextmanager
def folder_of_a_reader():
    """Work in an empty folder that has the examples, as a reader does."""
    with TemporaryDirectory() as folder, contextlib.chdir(folder):
        shutil.copytree(DOCS.parent / "examples", "examples")
        yield Path(folder)


def refreshed(text, results):
    """Return a page with what its Python printed."""
    parts, end = [], 0
    for block, printed in results:
        if block is not None:
            parts += [text[end : block.start(2)], printed]
            end = block.end(2)
    return "".join(parts) + text[end:]


def main():
    """Run the pages of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("pages", nargs="+", type=Path)
    parser.add_argument("--write", action="store_true", help="write outputs and pictures")
    arguments = parser.parse_args()
    os.environ.setdefault("MPLBACKEND", "Agg")
    for page in [page.resolve() for page in arguments.pages]:
        text = page.read_text(encoding="utf-8")
        with folder_of_a_reader() as folder:
            results = list(outputs(text, str(page)))
            if not arguments.write:
                print("".join(printed for _, printed in results))
                continue
            page.write_text(refreshed(text, results), encoding="utf-8")
            for picture in re.findall(r"\(\.\./images/([\w.]+)\)", text):
                if (folder / picture).exists():
                    shutil.copyfile(folder / picture, DOCS / "images" / picture)


if __name__ == "__main__":
    main()

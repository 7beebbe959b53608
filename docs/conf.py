"""How Sphinx builds the site: `tox -e docs`, or the two commands that it runs."""

import re
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import timer_forecaster

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS / "_ext"))

_ADDRESSES = tomllib.loads((DOCS.parent / "pyproject.toml").read_text("utf-8"))["project"]["urls"]
REPOSITORY = _ADDRESSES["Repository"]

project = "timer-forecaster"
author = "The timer-forecaster developers"
copyright = author
release = version = timer_forecaster.__version__

extensions = [
    "command_options",
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
    "sphinx_design",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]

smartquotes_action = "qe"  # quotation marks and ellipses: two dashes begin an option

# Markdown
myst_enable_extensions = ["attrs_block", "colon_fence", "deflist"]
myst_heading_anchors = 4  # anchors of headings as GitHub makes them: the pages are read there too

# Reference. A name in single backticks is a link if it is a public name, and else a name.
default_role = "py:obj"
autosummary_generate = True
autodoc_typehints = "none"  # types are in the parameters' texts
autodoc_member_order = "groupwise"
numpydoc_show_class_members = False  # the template lists them, each with its text
nitpicky = True
nitpick_ignore_regex = [
    (r"py:.*", r"(?!timer_forecaster\b).*"),  # other libraries: the build needs no network
]

html_theme = "pydata_sphinx_theme"
html_title = f"timer-forecaster {release}"
html_baseurl = _ADDRESSES["Documentation"]
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "logo": {"text": f"timer-forecaster {release}"},
    "github_url": REPOSITORY,
    "header_links_before_dropdown": 6,
    "navbar_align": "left",
    "navbar_end": ["version-switcher", "theme-switcher", "navbar-icon-links"],
    "switcher": {"json_url": f"{html_baseurl}_static/versions.json", "version_match": release},
    "check_switcher": False,  # it would ask the network
    "show_toc_level": 2,
    "use_edit_page_button": False,
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

_OUTSIDE = re.compile(r"\]\(\.\./([^)#\s]+)(#[^)\s]*)?\)")
_CARD = re.compile(r"timer_forecaster/checkpoints/([\w-]+)/README\.md")


def _link_outside(app, docname, source):
    """Let links to files beside docs lead to the page of a card, or else to the repository.

    ``../../../issues`` leads from a page on GitHub to the issues: so no page names the address.
    """
    place = "../" * docname.count("/")

    def address(match):
        path, anchor = match[1], match[2] or ""
        if path == "../../issues":
            return f"]({REPOSITORY}/issues)"
        if card := _CARD.fullmatch(path):
            return f"]({place}cards/{card[1]}.md{anchor})"
        target = (DOCS / docname).parent.joinpath("..", path).resolve()
        if target.is_relative_to(DOCS):
            return match[0]
        return f"]({REPOSITORY}/blob/main/{target.relative_to(DOCS.parent)}{anchor})"

    source[0] = _OUTSIDE.sub(address, source[0])


def _skip_absent(app, docname, source):
    """Leave entries of a menu that end in ? out, if there is no such page (yet)."""

    def entry(match):
        there = any((DOCS / docname).parent.glob(f"{match[1]}.*"))
        return match[1] if there else ""

    source[0] = re.sub(r"^([\w/-]+)\?$", entry, source[0], flags=re.MULTILINE)


def _allow_private(app, env, node, content):
    """Show names of private modules as names; only a name that does not exist is an error."""
    module, _, rest = node.get("reftarget", ""), "", ""
    while module.startswith("timer_forecaster"):
        try:
            found = import_module(module)
        except ImportError:
            module, _, name = module.rpartition(".")
            rest = f"{name}.{rest}".rstrip(".")
            continue
        for name in filter(None, rest.split(".")):
            if not hasattr(found, name):
                return None
            found = getattr(found, name)
        return content
    return None


def _skip_generated(app, kind, name, obj, skip, options):
    """Leave out the methods that scikit-learn makes for its routing of metadata."""
    return True if re.fullmatch(r"set_\w+_request|get_metadata_routing", name) else None


def setup(app):
    """Register the hooks."""
    app.connect("source-read", _link_outside)
    app.connect("source-read", _skip_absent)
    app.connect("missing-reference", _allow_private)
    app.connect("autodoc-skip-member", _skip_generated)

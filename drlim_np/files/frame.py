"""The frame of every page without a script: its style and its head."""

from html import escape
from importlib.resources import files
from string import Template


def template(name: str, package: str = __package__) -> Template:
    """A file of a package as a template, with its places as `$name`."""
    return Template(files(package).joinpath(name).read_text(encoding="utf-8"))


def page(title: str, parts: list[str], style: str = "", fetched: str = "") -> str:
    """A whole page. `style` is its own, after the shared one; `fetched` is what its policy lets it fetch: nothing."""
    style, body = template("frame.css").template + style, "\n".join(parts)
    return template("frame.html").substitute(title=escape(title), style=style, fetched=fetched, body=body)

"""The frame of every page without a script: its style, its head, and a check that the sources it shows run here."""

from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from importlib.resources import files
from string import Template

from drlim_np.errors import DataError
from drlim_np.files.cache import source_digest


def template(name: str, package: str = __package__) -> Template:
    """A file of a package as a template, with its places as `$name`."""
    return Template(files(package).joinpath(name).read_text(encoding="utf-8"))


def page(title: str, parts: list[str], style: str = "", fetched: str = "") -> str:
    """A whole page. `style` is its own, after the shared one; `fetched` is what its policy lets it fetch: nothing."""
    style, body = template("frame.css").template + style, "\n".join(parts)
    return template("frame.html").substitute(title=escape(title), style=style, fetched=fetched, body=body)


@contextmanager
def of_living_sources() -> Iterator[None]:
    """Around the making of pages, which show sources: DataError where those on disk are not the ones that run here."""
    at_start = source_digest()
    try:
        if source_digest.__wrapped__() != at_start:
            raise OSError("the files are others now")
        yield
    except OSError as fault:
        changed = f"the sources of drlim_np changed or went while this ran ({fault}), and the pages show them"
        raise DataError(f"{changed}: run again, from a complete checkout or installation") from fault

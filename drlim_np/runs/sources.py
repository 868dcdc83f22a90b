"""Where the images of a run come from: the published files where they are found, else generated ones."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from typing import Any

from drlim_np.checks.terminal import printable
from drlim_np.data import Digits, Views, handwriting, mnist, norb, rendering
from drlim_np.data.files import DataSet, data_directory, fetch, find, folder_of
from drlim_np.errors import DataError, InputError
from drlim_np.fast.devices import processors
from drlim_np.files.cache import Cache


def add_options(parser: ArgumentParser) -> None:
    """The options that say where the images come from."""
    add = parser.add_argument_group(
        "data",
        "MNIST and small NORB are used where they are found: in --data DIR, else in the folder that the environment"
        " variable DRLIM_DATA names, else in the user's cache folder. Without MNIST handwriting is generated, without"
        " small NORB an airplane is rendered.",
    ).add_argument
    add("--data", metavar="DIR", help="folder that holds the files, or folders mnist and norb with them")
    add("--download", nargs="*", metavar="NAME", help="fetch mnist (also if nothing is named) or norb there first")
    add("--generated", action="store_true", help="use generated images even where published ones are found")
    add("--airplane", type=int, metavar="N", help=f"airplane of small NORB, 0 to 9 (default: {norb.INSTANCE})")
    add("--accept-unknown-data", action="store_true", help="accept other IDX data instead of MNIST, unverified")


def named(option: str, given: list[str] | None, known: Collection[str], what: str) -> list[str]:
    """The names that an option was given, with blanks or commas between, in the order of the known ones; else all."""
    asked = [name for names in (known if given is None else given) for name in names.split(",") if name]
    if unknown := [name for name in asked if name not in known]:
        raise InputError(f"{option} names {printable(', '.join(unknown))}: the {what} are {', '.join(known)}")
    if not asked:
        raise InputError(f"{option} names none of the {what}: they are {', '.join(known)}")
    return [name for name in known if name in asked]


def downloaded(options: Namespace) -> list[str]:
    """The names of the data sets asked for, fetched into the data folder. Contradictory options are refused."""
    if options.generated and (options.data or options.download is not None or options.airplane is not None):
        raise InputError("--generated uses no data: leave out either it, or --data, --download and --airplane")
    known = _data_sets(options)
    asked = [] if options.download is None else named("--download", options.download or ["mnist"], known, "data sets")
    for name in asked:
        fetch(folder_of(data_directory(options.data)[0], known[name]), known[name])
    return asked


def digits(options: Namespace, cache: Cache) -> Digits:
    """MNIST where it is found, else generated handwriting."""
    load = partial(mnist.load, accept_unknown=options.accept_unknown_data)
    return _found(options, "mnist", load) or handwriting.generate(draw=partial(cache.call, handwriting.draw))


def views(options: Namespace, cache: Cache) -> Views:
    """An airplane of small NORB where it is found, else, unless one was asked for, the rendered one."""
    load = partial(norb.load, instance=_airplane(options))
    render = partial(cache.call, rendering.render, threads=processors())
    return _found(options, "norb", load) or rendering.generate(render)


def _airplane(options: Namespace) -> int:
    return norb.INSTANCE if options.airplane is None else options.airplane


def _data_sets(options: Namespace) -> dict[str, DataSet]:
    return {"mnist": mnist.MNIST, "norb": norb.published(_airplane(options))}


def _found(options: Namespace, name: str, load: Callable[[Path], Any]) -> Any:
    """A data set, loaded; None where generated images are to be used. Says which, as every figure depends on it."""
    if options.generated:
        return None
    known, (directory, named_by) = _data_sets(options), data_directory(options.data)
    if folder := find(directory, named_by, name, known):
        found = load(folder)
        print(f"Data: {found.title} from {folder}")
        return found
    fault = f"there is no {known[name].title} in {directory}"
    if name == "norb" and options.airplane is not None:
        raise DataError(f"{printable(fault)}: pass --download {name} to fetch it, or leave --airplane out")
    print(f"Data: {known[name].stand_in}, because {fault}; --download {name} fetches it.")
    return None

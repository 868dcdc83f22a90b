"""Where data sets are found, and how they are fetched: what is taken, what is refused, and that no half is left."""

import errno
import gzip
import http.client
import io
import os
import sys
from contextlib import contextmanager
from dataclasses import replace
from email.message import Message
from pathlib import Path
from unittest.mock import Mock
from urllib.error import HTTPError, URLError
from urllib.request import BaseHandler
from urllib.response import addinfourl

import pytest

from drlim_np.checks.terminal import printable
from drlim_np.data import files, mnist, norb
from drlim_np.data.files import TIMEOUT, data_directory, fetch, find, folder_of
from drlim_np.data.mnist import MNIST
from drlim_np.errors import DataError
from tests.help.published import CAT, DAT, INFO, digits, hashes, norb_files, store, toys
from tests.help.refusals import refuses

NORB, OTHER_HALF = norb.published(4), norb.published(0)
ANYONE = pytest.mark.parametrize("named_by", ["--data", "DRLIM_DATA", None])
NO_FILE = "holds no file of MNIST or small NORB"
CLOSED = "{}: cannot be read (Permission denied): check permissions and disk"
CACHE, ELSEWHERE = os.path.abspath("cache"), os.path.abspath("other")


def put(folder, *names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


def found(directory, named_by, wanted):
    return find(directory, named_by, wanted.name, {"mnist": MNIST, "norb": NORB, wanted.name: wanted})


def refused(call, *arguments):
    """The call is refused for its first three arguments in one line that contains each of the others."""
    for message in arguments[3:]:
        refuses(lambda: call(*arguments[:3]), message, DataError)


@pytest.mark.parametrize(
    ("platform", "flag", "environ", "path", "named_by"),
    [
        ("linux", "of/flag", {"DRLIM_DATA": "/variable", "XDG_CACHE_HOME": CACHE}, "of/flag", "--data"),
        ("linux", None, {"DRLIM_DATA": "/variable", "XDG_CACHE_HOME": CACHE}, "/variable", "DRLIM_DATA"),
        ("linux", "~/a", {}, "/home/a", "--data"),
        ("linux", None, {"DRLIM_DATA": "~/b"}, "/home/b", "DRLIM_DATA"),
        ("linux", None, {"DRLIM_DATA": "", "XDG_CACHE_HOME": CACHE}, f"{CACHE}/drlim_np", None),  # empty is unset
        ("linux", None, {"XDG_CACHE_HOME": "relative"}, "/home/.cache/drlim_np", None),
        ("linux", None, {"XDG_CACHE_HOME": "", "LOCALAPPDATA": ELSEWHERE}, "/home/.cache/drlim_np", None),
        ("darwin", None, {"XDG_CACHE_HOME": ELSEWHERE}, "/home/Library/Caches/drlim_np", None),
        ("win32", None, {"XDG_CACHE_HOME": ELSEWHERE, "LOCALAPPDATA": CACHE}, f"{CACHE}/drlim_np", None),
        ("win32", None, {"XDG_CACHE_HOME": ELSEWHERE}, "/home/AppData/Local/drlim_np", None),
    ],
)
def test_the_flag_goes_first_then_the_variable_then_the_cache(monkeypatch, platform, flag, environ, path, named_by):
    monkeypatch.setattr(os, "environ", environ)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path.replace("~", "/home"))
    monkeypatch.setattr(Path, "home", lambda: Path("/home"))
    assert data_directory(flag) == (Path(path), named_by)


def test_an_empty_flag_and_a_user_without_home_folder_are_told_what_to_name(monkeypatch):
    refuses(lambda: data_directory(""), "--data is empty: name a folder after it, or leave it out", DataError)
    monkeypatch.setattr(Path, "home", Mock(side_effect=RuntimeError("Could not determine home directory.")))
    monkeypatch.setattr(os, "environ", {})
    remedy = "name a folder by --data or DRLIM_DATA, or pass --generated for generated images"
    refuses(data_directory, f"no home folder is known, so there is no cache folder for data: {remedy}", DataError)


@ANYONE
@pytest.mark.parametrize(
    ("wanted", "held", "folder"),
    [
        (MNIST, {".": MNIST.files}, "."),
        (MNIST, {"mnist": [f"{name}.gz" for name in MNIST.files]}, "mnist"),
        (MNIST, {".": MNIST.files, "mnist": MNIST.files[:2]}, "."),  # that with more of them
        (MNIST, {".": MNIST.files[:2], "mnist": MNIST.files}, "mnist"),
        (MNIST, {".": MNIST.files, "mnist": MNIST.files}, "mnist"),
        (MNIST, {".": MNIST.files + NORB.files}, "."),  # both may be in one folder
        (NORB, {".": MNIST.files + NORB.files}, "."),
        (NORB, {"norb": NORB.files}, "norb"),
        (NORB, {"norb": OTHER_HALF.files, ".": NORB.files}, "."),  # the half that is needed
        (NORB, {"norb": OTHER_HALF.files + NORB.files}, "norb"),
        (MNIST, {".": NORB.files}, None),  # no error, as the folder holds another data set
        (MNIST, {"norb": OTHER_HALF.files}, None),
        (NORB, {"mnist": MNIST.files}, None),
    ],
)
def test_files_are_found_in_the_folder_or_in_that_of_the_data_sets_name(tmp_path, named_by, wanted, held, folder):
    for place, names in held.items():
        put(tmp_path / place, *names)
    assert found(tmp_path, named_by, wanted) == (folder and tmp_path / folder)


def test_without_files_a_data_set_belongs_into_the_folder_of_its_name_and_the_cache_may_be_empty(tmp_path):
    assert folder_of(tmp_path, MNIST) == tmp_path / "mnist"
    assert found(tmp_path, None, MNIST) is found(tmp_path / "nothing", None, NORB) is None


@ANYONE
@pytest.mark.parametrize(
    ("wanted", "held", "place", "missing"),
    [
        (MNIST, [MNIST.files[0], f"{MNIST.files[3]}.gz", *NORB.files], ".", MNIST.files[1:3]),
        (MNIST, MNIST.files[1:], "mnist", MNIST.files[:1]),
        (NORB, NORB.files[:2], ".", NORB.files[2:]),
        (NORB, NORB.files[1:] + NORB.others, "norb", NORB.files[:1]),
        (NORB, NORB.others, ".", NORB.files),  # the other half is only part
        (OTHER_HALF, OTHER_HALF.others, "norb", OTHER_HALF.files),
    ],
)
def test_a_folder_with_part_of_the_files_is_told_which_are_missing(tmp_path, named_by, wanted, held, place, missing):
    folder = put(tmp_path / place, *held)
    half = ", or choose by --airplane one of the other half of small NORB" * (wanted is not MNIST)
    fault = f"{folder}: holds part of {wanted.title}, but not {', '.join(missing)}: put them there, or "
    remedy = f"pass --download {wanted.name} to fetch them{half}, or pass --generated for {wanted.stand_in}"
    refused(found, tmp_path, named_by, wanted, fault + remedy)


@pytest.mark.parametrize("inside", [".", "mnist"])
@pytest.mark.parametrize("closed", [".", "data", "data/mnist"])
@pytest.mark.parametrize("mode", [0, 0o600], ids=["closed", "to be listed alone"])
def test_a_folder_that_may_not_be_read_is_told_and_not_taken_for_one_without_the_files(owned, inside, closed, mode):
    put(owned / "data" / "mnist")
    put(owned / "data" / inside, *MNIST.files)
    (owned / closed).chmod(mode)
    refused(found, owned / "data", None, MNIST, CLOSED.format(owned / closed))
    (owned / closed).chmod(0o100)  # it may be entered, though not listed
    assert found(owned / "data", None, MNIST)
    (owned / closed).chmod(0o700)


def test_a_closed_folder_is_told_wherever_a_file_is_looked_for(owned):
    file = put(owned / "data", *MNIST.files) / MNIST.files[0]
    (owned / "data").chmod(0)
    for call in (mnist.load, norb.load, lambda folder: fetch(folder, MNIST)):
        refuses(lambda call=call: call(owned / "data"), CLOSED.format(owned / "data"), DataError)
    (owned / "data").chmod(0o700)
    file.chmod(0)
    for call in (lambda: mnist.load(owned / "data"), lambda: mnist.read_idx(file)):
        refuses(call, CLOSED.format(file), DataError)


@pytest.mark.skipif(os.name == "nt", reason="links need a right on Windows")
def test_a_link_to_itself_is_told_and_one_to_nothing_is_no_folder(tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    refused(found, tmp_path / "loop", "--data", MNIST, f"{tmp_path / 'loop'}: cannot be read (Too many levels")
    refused(found, tmp_path / "dangling", "--data", MNIST, "named by --data, is not a folder")
    message = f"cannot be read or stored ({tmp_path / 'dangling'} is a link that leads nowhere)"
    refuses(lambda: fetch(tmp_path / "dangling", MNIST), message, DataError)


@pytest.mark.parametrize(("wanted", "named_by"), [(MNIST, "--data"), (NORB, "DRLIM_DATA")])
@pytest.mark.parametrize(("name", "fault"), [("no", "does not exist"), ("a", "is not a folder"), ("strange", NO_FILE)])
def test_a_named_folder_without_data_is_an_error_that_says_who_named_it(tmp_path, wanted, named_by, name, fault):
    put(tmp_path, "a")
    put(tmp_path / "strange", "notes.txt")
    looked = f"looked there and in its folder {wanted.name} for {', '.join(wanted.files)}, with or without .gz: "
    message = f"{tmp_path / name}, named by {named_by}, {fault}; {looked}"
    refused(found, tmp_path / name, named_by, wanted, message, f"--download {wanted.name} ", "--generated")


@pytest.mark.skipif(os.name == "nt", reason="Windows allows no line break in a name")
def test_a_line_break_in_the_name_of_a_folder_does_not_break_the_message(tmp_path):
    refused(found, tmp_path / "two\nlines", "--data", MNIST, "two\\nlines")
    put(tmp_path / "two\nlines", *MNIST.files[1:])
    refused(found, tmp_path / "two\nlines", None, MNIST, "two\\nlines")


FIRST, SECOND = MNIST.mirrors
CONTENTS, PARTS = digits(), norb_files(toys()[:2])
HASHES = hashes(CONTENTS)
_, NAME, _, OTHER = CONTENTS
BOTH, ONE = replace(MNIST, files=(NAME, OTHER)), replace(MNIST, files=(NAME,))
ADDRESS = f"{FIRST}{NAME}.gz"
SENT = gzip.compress(CONTENTS[NAME])
TWO = gzip.compress(CONTENTS[OTHER])
THERE = [(BOTH, f"{NAME}.gz", SENT[:-1]), (BOTH, f"{NAME}.gz", TWO), (BOTH, NAME, b""), (NORB, DAT, PARTS[DAT][:-1])]
DENIED = Mock(side_effect=PermissionError(errno.EACCES, "reason"))


class Mirrors:
    """Mirrors that send the files' contents unless given others for an address: bytes and exceptions."""

    def __init__(self, instead=()):
        mirrors, contents = {*MNIST.mirrors, *NORB.mirrors}, CONTENTS | PARTS
        self.sent = {f"{mirror}{name}.gz": [gzip.compress(contents[name])] for mirror in mirrors for name in contents}
        self.sent.update(instead)
        self.asked, self.closed = [], 0

    @contextmanager
    def open(self, address, timeout):
        assert timeout == TIMEOUT
        self.asked.append(address)
        pieces = iter(self.sent[address])

        def read(size):
            piece = next(pieces, b"")
            if isinstance(piece, BaseException):
                raise piece
            return piece[:size]

        try:
            yield Mock(read=read)
        finally:
            self.closed += 1


@pytest.fixture
def fetched(monkeypatch, capsys):
    """fetched(folder, wanted, opener) downloads what was wanted from the opener's mirrors: the lines of progress."""
    monkeypatch.setattr(mnist, "FILES", HASHES)

    def download_from(folder, wanted=ONE, opener=None):
        monkeypatch.setattr(files, "urlopen", (opener or Mirrors()).open)
        capsys.readouterr()
        fetch(folder, wanted)
        return capsys.readouterr().err.splitlines()

    return download_from


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(("wanted", "known"), [(MNIST, "verified"), (NORB, "complete")])
def test_files_come_from_the_first_mirror_and_those_already_there_are_verified_and_not_asked_for(
    tmp_path, fetched, wanted, known
):
    folder, opener = tmp_path / "new" / wanted.name, Mirrors()
    addresses = [f"{wanted.mirrors[0]}{name}.gz" for name in wanted.files]
    said = [f"{name}.gz: {told}" for name in wanted.files for told in (f"from {wanted.mirrors[0]}", f"0.0 MB, {known}")]
    assert fetched(folder, wanted, opener) == said
    assert (opener.asked, opener.closed) == (addresses, len(addresses))
    assert names(folder) == sorted(f"{name}.gz" for name in wanted.files)
    for name in wanted.files:
        assert gzip.decompress((folder / f"{name}.gz").read_bytes()) == (CONTENTS | PARTS)[name]
    (tmp_path / "mine").touch()  # whom the umask lets may read it
    assert (folder / f"{wanted.files[0]}.gz").stat().st_mode == (tmp_path / "mine").stat().st_mode
    (folder / f"{wanted.files[0]}.gz").unlink()
    store(folder, {wanted.files[0]: (CONTENTS | PARTS)[wanted.files[0]]})
    assert fetched(folder, wanted, opener) == [f"{name}.gz: already there, {known}" for name in wanted.files]
    (folder / f"{wanted.files[1]}.gz").unlink()
    fetched(folder, wanted, opener)
    assert opener.asked == [*addresses, addresses[1]]


def test_a_file_of_just_the_limit_is_taken_and_a_mirror_that_never_ends_is_left_soon_after_it(tmp_path, fetched):
    fetched(tmp_path, replace(ONE, limit=len(SENT)), Mirrors({ADDRESS: [SENT]}))
    assert (tmp_path / f"{NAME}.gz").read_bytes() == SENT
    opener = Mirrors({ADDRESS: [bytes(100)] * 11 + [MemoryError()]})
    refused(fetched, tmp_path / "b", replace(ONE, mirrors=(FIRST,), limit=1000), opener, "sent more than 1000 bytes")
    assert 24 + 24300 * 2 * 96 * 96 < NORB.limit < 1.25 * 24300 * 2 * 96 * 96


@pytest.mark.parametrize(("wanted", "name", "content"), THERE)
def test_a_file_there_with_other_content_is_left_alone_and_reported(tmp_path, fetched, wanted, name, content):
    (tmp_path / name).write_bytes(content)
    opener = Mirrors()
    remedy = f": delete it or move it away, then pass --download {wanted.name} again"
    refused(fetched, tmp_path, wanted, opener, f"{tmp_path / name}: expected ", remedy)
    assert (opener.asked, (tmp_path / name).read_bytes()) == ([], content)


FAULTS = [
    (NAME, "HTTP Error 403: Forbidden", [HTTPError(FIRST, 403, "Forbidden", None, io.BytesIO())]),
    (NAME, "urlopen error no route", [URLError("no route")]),
    (NAME, "timed out", [SENT[:9], TimeoutError("timed out")]),
    (NAME, "[Errno 104] reset", [SENT[:9], ConnectionResetError(104, "reset")]),
    (NAME, "ConnectionAbortedError", [ConnectionAbortedError()]),
    (NAME, "IncompleteRead(9 bytes read)", [SENT[:9], http.client.IncompleteRead(b"123456789")]),
    (NAME, "unknown url type", [ValueError("unknown url type")]),
    (NAME, "'urlopen error two\\r\\nlines\\x1b[2J'", [URLError("two\r\nlines\x1b[2J")]),
    (NAME, "expected a whole gzip stream, found damage", [SENT[:-1]]),
    (NAME, "expected IDX magic", [b"403 Forbidden"]),
    (NAME, "expected the data, found a web page", [b"<html>"]),
    (NAME, "of its magic number, found 0", []),
    (NAME, f"expected SHA-256 {HASHES[NAME]}, found {HASHES[OTHER]}", [TWO]),
    (NAME, "sent more than 67108864 bytes", [bytes(2**16)] * 1100),
    (DAT, "expected 18432 bytes of row 2 of 2, found 18431", [gzip.compress(PARTS[DAT][:-1])]),
    (CAT, "expected 1 dimensions and sizes Nx1x1 with N", [gzip.compress(PARTS[INFO])]),
]


@pytest.mark.parametrize(("name", "reason", "sent"), FAULTS, ids=map(str, range(len(FAULTS))))
def test_when_a_mirror_fails_its_reason_is_given_and_the_next_is_asked_and_when_all_fail_nothing_is_left(
    tmp_path, fetched, name, reason, sent
):
    of, known = (MNIST, "verified") if name == NAME else (NORB, "complete")
    wanted = replace(of, files=(name,), mirrors=MNIST.mirrors)
    first, second = (f"{mirror}{name}.gz" for mirror in MNIST.mirrors)
    opener = Mirrors({first: sent, second: [URLError("second fault")]})
    remedy = f"put it into {tmp_path} by hand, or run without --download on {wanted.stand_in}"
    asked = f"; {SECOND}: urlopen error second fault): check the network, or {remedy}"
    refused(fetched, tmp_path, wanted, opener, f"{name}.gz: no mirror sent it ({FIRST}: ", reason, asked)
    assert names(tmp_path) == []
    opener = Mirrors({first: sent})
    _, failed, *others = fetched(tmp_path, wanted, opener)
    assert failed.startswith(f"{name}.gz: not from {FIRST}: ") and failed.isprintable() and reason in failed
    assert others == [f"{name}.gz: from {SECOND}", f"{name}.gz: 0.0 MB, {known}"]
    assert (opener.asked, opener.closed, names(tmp_path)) == ([first, second], 2, [f"{name}.gz"])
    assert all(fault.closed for fault in sent if isinstance(fault, HTTPError))


def test_on_a_terminal_the_bytes_that_came_are_counted_on_a_line_that_is_cleared(tmp_path, fetched, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    _, *counted = fetched(tmp_path, ONE)
    assert counted == ["", f"{NAME}.gz: 0.0 MB ", f"\x1b[K{NAME}.gz: 0.0 MB, verified"]


def test_nothing_has_the_final_name_before_all_of_it_is_there_and_verified(tmp_path, fetched):
    seen = []
    fetched(tmp_path, replace(ONE, verify=lambda *_: seen.append(names(tmp_path))))
    assert seen == [[f"{NAME}.gz.{os.getpid()}.part"]]


@pytest.mark.parametrize("during", ["download", "verification"])
def test_an_interruption_passes_through_and_leaves_no_partial_file(tmp_path, fetched, during):
    opener = Mirrors({ADDRESS: [SENT[:9], KeyboardInterrupt()] if during == "download" else [SENT]})
    with pytest.raises(KeyboardInterrupt):
        fetched(tmp_path, replace(ONE, verify=Mock(side_effect=KeyboardInterrupt())), opener)
    assert (opener.asked, names(tmp_path)) == ([ADDRESS], [])


class Full(io.FileIO):
    def write(self, _):
        raise OSError(errno.ENOSPC, "reason")


@pytest.mark.parametrize(("opens", "asked"), [(Full, [ADDRESS]), (DENIED, [])])
def test_a_full_disk_and_a_folder_that_may_not_be_written_are_reported_without_asking_further(
    tmp_path, monkeypatch, fetched, opens, asked
):
    opener = Mirrors()
    monkeypatch.setattr(files, "open", opens, raising=False)
    remedy = "check the folder, its permissions and free space, or name another by --data"
    refused(fetched, tmp_path, ONE, opener, f"{tmp_path / NAME}.gz: cannot be read or stored (reason): {remedy}")
    assert (opener.asked, names(tmp_path)) == (asked, [])


@pytest.mark.parametrize("place", ["file", "file/deeper"] + ["two\nlines"] * (os.name != "nt"))
def test_a_folder_that_cannot_be_made_is_reported_in_one_line(tmp_path, fetched, place):
    (tmp_path / place.removesuffix("/deeper")).touch()
    opener, shown = Mirrors(), printable(tmp_path / place / f"{NAME}.gz")
    refused(fetched, tmp_path / place, ONE, opener, f"{shown}: cannot be read or stored (", "another by --data")
    assert opener.asked == []
    refused(fetched, tmp_path / "more\nlines", replace(ONE, mirrors=()), opener, "more\\nlines")


class Redirect(BaseHandler):
    """Answers at https://a.example by a redirect to an address, and anywhere else by a greeting."""

    handler_order = 0

    def __init__(self, address):
        self.address = address

    def https_open(self, asked):
        moved = asked.full_url == "https://a.example/"
        response = addinfourl(io.BytesIO(b"hello"), Message(), asked.full_url, 302 if moved else 200)
        response.headers["location"], response.msg = self.address, ""
        return response


def test_mirrors_are_over_https_a_redirect_to_it_is_followed_and_to_anything_else_refused_before_it_is_asked():
    assert all(mirror.startswith("https://") and mirror.endswith("/") for mirror in [*MNIST.mirrors, *NORB.mirrors])
    with files.urlopen("https://a.example/", TIMEOUT, Redirect("https://b.example/to")) as response:
        assert (response.url, response.read()) == ("https://b.example/to", b"hello")
    for scheme in ("http", "ftp", "HTTP"):
        with pytest.raises(URLError, match=f"unknown url type: {scheme.lower()}"):
            files.urlopen("https://a.example/", TIMEOUT, Redirect(f"{scheme}://b.example/to"))

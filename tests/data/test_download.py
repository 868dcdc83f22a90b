"""Data sets fetched from their mirrors: what is taken, what is refused, and that nothing half fetched is left."""

import errno
import gzip
import http.client
import io
import os
from contextlib import contextmanager
from dataclasses import replace
from email.message import Message
from unittest.mock import Mock
from urllib.error import HTTPError, URLError
from urllib.request import BaseHandler
from urllib.response import addinfourl

import pytest

from drlim_np.checks.terminal import printable
from drlim_np.data import files, mnist, norb
from drlim_np.data.files import TIMEOUT, fetch
from drlim_np.data.mnist import MNIST
from drlim_np.errors import DataError
from tests.help.published import CAT, DAT, INFO, digits, hashes, norb_files, store, toys
from tests.help.refusals import refuses

FIRST, SECOND = MNIST.mirrors
NORB = norb.published()
CONTENTS, PARTS = digits(), norb_files(toys()[:2])
HASHES = hashes(CONTENTS)
_, NAME, _, OTHER = CONTENTS
BOTH, ONE = replace(MNIST, files=(NAME, OTHER)), replace(MNIST, files=(NAME,))
ADDRESS = f"{FIRST}{NAME}.gz"
SENT = gzip.compress(CONTENTS[NAME])


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


def refused(fetched, folder, wanted, opener, *messages):
    for message in messages:
        refuses(lambda: fetched(folder, wanted, opener), message, DataError)


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
    assert all(mirror.startswith("https://") and mirror.endswith("/") for mirror in [*MNIST.mirrors, *NORB.mirrors])


TWO = gzip.compress(CONTENTS[OTHER])
THERE = [(BOTH, f"{NAME}.gz", SENT[:-1]), (BOTH, f"{NAME}.gz", TWO), (BOTH, NAME, b""), (NORB, DAT, PARTS[DAT][:-1])]


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


def test_nothing_has_the_final_name_before_all_of_it_is_there(tmp_path, fetched):
    seen = []

    def pieces():
        for k in range(len(SENT)):
            seen.append(names(tmp_path))
            yield SENT[k : k + 1]

    fetched(tmp_path, ONE, Mirrors({ADDRESS: pieces()}))
    assert seen == [[f"{NAME}.gz.{os.getpid()}.part"]] * len(SENT)


@pytest.mark.parametrize("during", ["download", "verification"])
def test_an_interruption_passes_through_and_leaves_no_partial_file(tmp_path, fetched, during):
    opener = Mirrors({ADDRESS: [SENT[:9], KeyboardInterrupt()] if during == "download" else [SENT]})
    with pytest.raises(KeyboardInterrupt):
        fetched(tmp_path, replace(ONE, verify=Mock(side_effect=KeyboardInterrupt())), opener)
    assert (opener.asked, names(tmp_path)) == ([ADDRESS], [])


class Full(io.FileIO):
    def write(self, _):
        raise OSError(errno.ENOSPC, "reason")


DENIED = Mock(side_effect=PermissionError(errno.EACCES, "reason"))


@pytest.mark.parametrize(("opens", "asked"), [(Full, [ADDRESS]), (DENIED, [])])
def test_a_full_disk_and_a_folder_that_may_not_be_written_are_reported_without_asking_further(
    tmp_path, monkeypatch, fetched, opens, asked
):
    opener = Mirrors()
    monkeypatch.setattr(files, "open", opens, raising=False)
    remedy = "check the folder, its permissions and free space, or name another by --data"
    refused(fetched, tmp_path, ONE, opener, f"{tmp_path / NAME}.gz: cannot be read or stored (reason): {remedy}")
    assert (opener.asked, names(tmp_path)) == (asked, [])


NOT_ON_WINDOWS = pytest.mark.skipif(os.name == "nt", reason="Windows allows no line break in a name")


@pytest.mark.parametrize("place", ["file", "file/deeper", pytest.param("two\nlines", marks=NOT_ON_WINDOWS)])
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


def test_a_redirect_to_https_is_followed_and_to_anything_else_refused_before_it_is_asked():
    with files.urlopen("https://a.example/", TIMEOUT, Redirect("https://b.example/to")) as response:
        assert (response.url, response.read()) == ("https://b.example/to", b"hello")
    for scheme in ("http", "ftp", "HTTP"):
        with pytest.raises(URLError, match=f"unknown url type: {scheme.lower()}"):
            files.urlopen("https://a.example/", TIMEOUT, Redirect(f"{scheme}://b.example/to"))

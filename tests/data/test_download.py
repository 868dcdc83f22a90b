import errno
import gzip
import hashlib
import http.client
import io
import os
import struct
import urllib.request
from dataclasses import replace
from email.message import Message
from functools import partial
from urllib.error import HTTPError, URLError
from urllib.response import addinfourl

import numpy as np
import pytest

from drlim_np.data import download, norb
from drlim_np.data.download import TIMEOUT, fetch, open_https
from drlim_np.data.mnist import FILES, MNIST, load, verify
from drlim_np.errors import DataError

MIRRORS = FIRST, SECOND = MNIST.mirrors


def labels(number):
    return b"\0\0\x08\x01\0\0\0\x05" + bytes([number] * 5)


CONTENTS = {"one-labels": labels(1), "two-labels": labels(2)}
HASHES = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENTS.items()}


def holding(hashes, mirrors=MIRRORS):
    """A data set like MNIST with other files: name -> SHA-256 of the content."""
    check = partial(verify, files=hashes)
    return replace(MNIST, files=tuple(hashes), mirrors=tuple(mirrors), verify=check)


BOTH, ONE = holding(HASHES), holding({"one-labels": HASHES["one-labels"]})
SENT = gzip.compress(CONTENTS["one-labels"])


class Mirrors:
    """An opener that sends the files' contents unless told what else an address sends: bytes and exceptions."""

    def __init__(self, instead=None, contents=CONTENTS):
        self.sent = {f"{mirror}{name}.gz": [gzip.compress(contents[name])] for mirror in MIRRORS for name in contents}
        self.sent.update(instead or {})
        self.asked, self.closed, self.reads = [], 0, 0

    def __call__(self, address, timeout):
        assert timeout == TIMEOUT
        self.asked.append(address)
        self.pieces = iter(self.sent[address])
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.closed += 1

    def read(self, size):
        self.reads += 1
        piece = next(self.pieces, b"")
        if isinstance(piece, BaseException):
            raise piece
        return piece[:size]


class Terminal(io.StringIO):
    def isatty(self):
        return True


def complaint(*arguments, **options):
    """The message of the DataError that fetching must raise."""
    with pytest.raises(DataError) as caught:
        fetch(*arguments, **options)
    assert str(caught.value).isprintable(), "more than one line"
    return str(caught.value)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_four_files_come_from_the_first_mirror_and_can_be_loaded(tmp_path):
    images = b"\0\0\x08\x03\0\0\0\x05\0\0\0\x1c\0\0\0\x1c" + bytes(range(245)) * 16
    contents = dict(zip(FILES, (images, labels(4), images[:-1] + b"\xff", labels(9)), strict=True))
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    opener = Mirrors(contents=contents)
    folder = fetch(f"{tmp_path}/new/mnist", holding(hashes), stream=io.StringIO(), opener=opener)
    assert folder == tmp_path / "new" / "mnist"
    assert opener.asked == [f"{FIRST}{name}.gz" for name in FILES]
    assert opener.closed == 4
    assert names(folder) == sorted(f"{name}.gz" for name in FILES)
    digits = load(folder, files=hashes)
    assert digits.name == "mnist"
    np.testing.assert_array_equal(digits.test.labels, [9] * 5)


def test_a_file_already_there_is_verified_and_not_asked_for(tmp_path):
    (tmp_path / "one-labels").write_bytes(CONTENTS["one-labels"])
    opener, stream = Mirrors(), io.StringIO()
    fetch(tmp_path, BOTH, stream=stream, opener=opener)
    assert opener.asked == [f"{FIRST}two-labels.gz"]
    assert names(tmp_path) == ["one-labels", "two-labels.gz"]
    assert stream.getvalue().startswith("one-labels.gz: already there, verified\n")


@pytest.mark.parametrize("content", [SENT[:-1], gzip.compress(labels(3)), b""])
def test_a_file_there_with_other_content_is_left_alone_and_reported(tmp_path, content):
    (tmp_path / "one-labels.gz").write_bytes(content)
    opener = Mirrors()
    message = complaint(tmp_path, BOTH, stream=io.StringIO(), opener=opener)
    assert message.startswith(f"{tmp_path / 'one-labels.gz'}: expected ")
    assert message.endswith(": delete it or move it away, then pass --download mnist again")
    assert opener.asked == []
    assert (tmp_path / "one-labels.gz").read_bytes() == content


FAULTS = {
    "HTTP Error 403: Forbidden": [HTTPError(FIRST, 403, "Forbidden", Message(), None)],
    "urlopen error no route": [URLError("no route")],
    "timed out": [SENT[:9], TimeoutError("timed out")],
    "[Errno 104] reset": [SENT[:9], ConnectionResetError(104, "reset")],
    "ConnectionAbortedError": [ConnectionAbortedError()],
    "IncompleteRead(9 bytes read)": [SENT[:9], http.client.IncompleteRead(b"123456789")],
    "unknown url type": [ValueError("unknown url type")],
    "'urlopen error two\\r\\nlines\\x1b[2J'": [URLError("two\r\nlines\x1b[2J")],
    "expected a whole gzip stream, found damage": [SENT[:-1]],
    "expected IDX magic": [b"403 Forbidden"],
    "expected the data, found a web page": [b"<html>"],
    "found no bytes": [],
    "expected SHA-256 " + HASHES["one-labels"] + ", found " + HASHES["two-labels"]: [gzip.compress(labels(2))],
    "sent more than 67108864 bytes": [bytes(2**16)] * 1100,
}


@pytest.mark.parametrize("reason", FAULTS)
def test_when_a_mirror_fails_its_reason_is_told_in_a_line_and_the_next_is_asked(tmp_path, reason):
    opener, stream = Mirrors({f"{FIRST}one-labels.gz": FAULTS[reason]}), io.StringIO()
    fetch(tmp_path, ONE, stream=stream, opener=opener)
    told, done = stream.getvalue().splitlines()
    assert told.startswith(f"one-labels.gz: not from {FIRST}: ")
    assert reason in told
    assert done == "one-labels.gz: 0.0 MB, verified"
    assert opener.asked == [f"{FIRST}one-labels.gz", f"{SECOND}one-labels.gz"]
    assert opener.closed == 2
    assert names(tmp_path) == ["one-labels.gz"]


@pytest.mark.parametrize("reason", FAULTS)
def test_when_every_mirror_fails_all_reasons_and_remedies_are_told_and_nothing_is_left(tmp_path, reason):
    instead = {f"{FIRST}one-labels.gz": FAULTS[reason], f"{SECOND}one-labels.gz": [URLError("second fault")]}
    message = complaint(tmp_path, BOTH, stream=io.StringIO(), opener=Mirrors(instead))
    assert message.startswith(f"one-labels.gz: no mirror sent it ({FIRST}: ")
    assert reason in message
    assert f"; {SECOND}: urlopen error second fault): check the network, or put it into {tmp_path} by hand" in message
    assert message.endswith(", or run without --download on generated handwriting")
    assert names(tmp_path) == []


def test_a_mirror_that_never_ends_is_left_soon_after_the_limit(tmp_path):
    opener = Mirrors({f"{FIRST}one-labels.gz": [bytes(100)] * 99})
    wanted = replace(ONE, mirrors=(FIRST,), limit=1000)
    message = complaint(tmp_path, wanted, stream=io.StringIO(), opener=opener)
    assert "sent more than 1000 bytes" in message
    assert opener.reads == 11


def test_a_file_of_just_the_limit_is_taken(tmp_path):
    fetch(
        tmp_path, replace(ONE, limit=len(SENT)), stream=io.StringIO(), opener=Mirrors({f"{FIRST}one-labels.gz": [SENT]})
    )
    assert (tmp_path / "one-labels.gz").read_bytes() == SENT


def test_nothing_has_the_final_name_before_all_of_it_is_there(tmp_path):
    seen = []

    def pieces():
        for k in range(len(SENT)):
            seen.append(names(tmp_path))
            yield SENT[k : k + 1]

    fetch(tmp_path, ONE, stream=io.StringIO(), opener=Mirrors({f"{FIRST}one-labels.gz": pieces()}))
    assert len(seen) == len(SENT)
    for (name,) in seen:
        assert name.startswith("one-labels.gz.")
        assert name.endswith(".part")


@pytest.mark.parametrize("fault", [KeyboardInterrupt(), MemoryError()])
def test_an_interruption_passes_through_and_leaves_no_partial_file(tmp_path, fault):
    opener = Mirrors({f"{FIRST}one-labels.gz": [SENT[:9], fault]})
    with pytest.raises(type(fault)):
        fetch(tmp_path, ONE, stream=io.StringIO(), opener=opener)
    assert opener.asked == [f"{FIRST}one-labels.gz"]
    assert names(tmp_path) == []


def test_an_interruption_during_verification_leaves_no_partial_file(tmp_path):
    def interrupt(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(tmp_path, replace(ONE, verify=interrupt), stream=io.StringIO(), opener=Mirrors())
    assert names(tmp_path) == []


def test_a_full_disk_is_reported_without_asking_the_next_mirror(tmp_path, monkeypatch):
    class Full(io.FileIO):
        def write(self, _):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(download, "open", Full, raising=False)
    opener = Mirrors()
    message = complaint(tmp_path, ONE, stream=io.StringIO(), opener=opener)
    assert message.startswith(f"{tmp_path / 'one-labels.gz'}: cannot be read or stored (No space left on device): ")
    assert "check the folder, its permissions and free space, or name another by --data" in message
    assert opener.asked == [f"{FIRST}one-labels.gz"]
    assert names(tmp_path) == []


@pytest.mark.parametrize("inside", ["", "deeper"])
def test_a_folder_that_cannot_be_made_is_reported(tmp_path, inside):
    (tmp_path / "file").touch()
    opener = Mirrors()
    message = complaint(tmp_path / "file" / inside, ONE, stream=io.StringIO(), opener=opener)
    assert message.startswith(f"{tmp_path / 'file' / inside / 'one-labels.gz'}: cannot be read or stored (")
    assert "name another by --data" in message
    assert opener.asked == []


def test_a_folder_that_may_not_be_written_is_reported(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(download, "open", refuse, raising=False)
    opener = Mirrors()
    message = complaint(tmp_path, ONE, stream=io.StringIO(), opener=opener)
    assert message.startswith(f"{tmp_path / 'one-labels.gz'}: cannot be read or stored (Permission denied): ")
    assert opener.asked == []


@pytest.mark.skipif(os.name == "nt", reason="Windows allows no line break in a name")
def test_a_line_break_in_the_name_of_the_folder_does_not_break_the_message(tmp_path):
    (tmp_path / "two\nlines").touch()
    assert "two\\nlines" in complaint(tmp_path / "two\nlines", ONE, stream=io.StringIO(), opener=Mirrors())
    (tmp_path / "more\nlines").mkdir()
    assert "more\\nlines" in complaint(
        tmp_path / "more\nlines", replace(ONE, mirrors=()), stream=io.StringIO(), opener=Mirrors()
    )


@pytest.mark.parametrize("mirror", ["http://a.example/", "ftp://a.example/", "file:///", "HTTPS+x://a.example/"])
def test_a_mirror_without_https_is_never_asked(tmp_path, mirror):
    opener = Mirrors()
    message = complaint(tmp_path, replace(ONE, mirrors=(mirror,)), stream=io.StringIO(), opener=opener)
    assert f"({mirror}: refused, since it is not https)" in message
    assert opener.asked == []


@pytest.mark.parametrize("published", [MNIST, norb.published()], ids=["mnist", "norb"])
def test_the_published_mirrors_use_https(published):
    assert published.mirrors
    assert all(mirror.startswith("https://") and mirror.endswith("/") for mirror in published.mirrors)


class Redirecting(urllib.request.HTTPSHandler, urllib.request.HTTPHandler):
    """Answers instead of the network: /from redirects to an address, anything else is "content"."""

    def __init__(self, address):
        super().__init__()
        self.address, self.asked = address, []

    def https_open(self, request):
        self.asked.append((request.full_url, request.timeout))
        headers = Message()
        headers["Location"] = self.address
        code = 302 if request.full_url.endswith("/from") else 200
        response = addinfourl(io.BytesIO(b"content"), headers, request.full_url, code)
        response.msg = ""
        return response

    http_open = ftp_open = https_open


def test_without_an_opener_the_one_for_https_is_used(tmp_path, monkeypatch):
    monkeypatch.setattr(download, "open_https", Mirrors())
    fetch(tmp_path, ONE, stream=io.StringIO())
    assert names(tmp_path) == ["one-labels.gz"]


def test_a_redirect_to_https_is_followed():
    handler = Redirecting("https://b.example/to")
    with open_https("https://a.example/from", 7, handler) as response:
        assert response.read() == b"content"
    assert handler.asked == [("https://a.example/from", 7), ("https://b.example/to", 7)]


@pytest.mark.parametrize("address", ["http://b.example/to", "ftp://b.example/to", "HTTP://b.example/to"])
def test_a_redirect_to_anything_but_https_is_refused(tmp_path, address):
    handler = Redirecting(address)
    message = complaint(
        tmp_path,
        replace(ONE, mirrors=(FIRST,)),
        stream=io.StringIO(),
        opener=lambda _, timeout: open_https("https://a.example/from", timeout, handler),
    )
    assert "b.example/to refused, since it is not https" in message
    assert handler.asked == [("https://a.example/from", TIMEOUT)]


def test_without_a_terminal_each_file_has_one_plain_line(tmp_path):
    stream = io.StringIO()
    fetch(tmp_path, BOTH, stream=stream, opener=Mirrors())
    assert stream.getvalue() == "one-labels.gz: 0.0 MB, verified\ntwo-labels.gz: 0.0 MB, verified\n"


def test_on_a_terminal_a_line_moves_while_a_file_comes(tmp_path):
    stream, half = Terminal(), gzip.compress(CONTENTS["one-labels"]) + bytes(50000)
    opener = Mirrors({f"{FIRST}one-labels.gz": [half, bytes(50000), bytes(50000)]})
    fetch(tmp_path, ONE, stream=stream, opener=opener)
    lines = stream.getvalue().split("\r")
    assert [line.rstrip(" ") for line in lines] == [
        "",
        "one-labels.gz: 0.1 MB",
        "one-labels.gz: 0.1 MB",
        "one-labels.gz: 0.2 MB",
        "one-labels.gz: 0.2 MB, verified" + " " * 29 + "\n",
    ]
    assert min(map(len, lines[1:])) == 60, "each must cover the line before it"


def test_progress_goes_to_stderr_unless_told_otherwise(tmp_path, capsys):
    fetch(tmp_path, ONE, opener=Mirrors())
    assert capsys.readouterr() == ("", "one-labels.gz: 0.0 MB, verified\n")


def test_a_progress_stream_that_breaks_does_not_stop_the_download(tmp_path):
    class Broken(io.StringIO):
        def write(self, _):
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    fetch(tmp_path, ONE, stream=Broken(), opener=Mirrors())
    assert names(tmp_path) == ["one-labels.gz"]


@pytest.mark.skipif(os.name != "posix", reason="only POSIX systems have a umask")
def test_a_downloaded_file_can_be_read_by_whom_the_umask_lets_read(tmp_path):
    before = os.umask(0o022)
    try:
        fetch(tmp_path, ONE, stream=io.StringIO(), opener=Mirrors())
    finally:
        os.umask(before)
    assert (tmp_path / "one-labels.gz").stat().st_mode & 0o777 == 0o644


# ---- small NORB, whose files have no published hashes ----


def integers(sizes, rows):
    stored = (*sizes, 1, 1)[:3]
    return b"\x54\x4c\x3d\x1e" + struct.pack(f"<4i{4 * rows}x", len(sizes), *stored)


NORB = norb.published()
DAT, CAT, INFO = NORB.files
PARTS = {
    DAT: b"\x55\x4c\x3d\x1e" + struct.pack("<5i", 4, 2, 2, 96, 96) + bytes(2 * 18432),
    CAT: integers((3,), 3),
    INFO: integers((3, 4), 12),
}


def sending(**instead):
    """The mirror of small NORB: what it sends for a file is named by the file's last part."""
    parts = {name: gzip.compress(content) for name, content in PARTS.items()}
    parts |= {name: instead[part] for name in PARTS for part in instead if name.endswith(f"-{part}.mat")}
    return Mirrors({f"{NORB.mirrors[0]}{name}.gz": [content] for name, content in parts.items()}, {})


def test_the_three_files_of_a_half_of_norb_are_complete_once_their_length_is_that_of_their_header(tmp_path):
    stream, opener = io.StringIO(), sending()
    assert fetch(tmp_path, NORB, stream=stream, opener=opener) == tmp_path
    assert opener.asked == [f"{NORB.mirrors[0]}{name}.gz" for name in (DAT, CAT, INFO)]
    assert stream.getvalue() == "".join(f"{name}.gz: 0.0 MB, complete\n" for name in (DAT, CAT, INFO))
    for name, content in PARTS.items():
        assert gzip.decompress((tmp_path / f"{name}.gz").read_bytes()) == content
    fetch(tmp_path, NORB, stream=stream, opener=opener)
    assert stream.getvalue().count("already there, complete\n") == len(opener.asked) == 3


NORB_FAULTS = {
    "expected 2 rows of 18432 bytes, found 36863 bytes": {"dat": gzip.compress(PARTS[DAT][:-1])},
    "expected 3 rows of 4 bytes, found more": {"cat": gzip.compress(PARTS[CAT] + b"\0")},
    "expected a whole gzip stream, found damage": {"info": gzip.compress(PARTS[INFO])[:-1]},
    "expected 1 as the number of dimensions of a cat file, found 2": {"cat": gzip.compress(PARTS[INFO])},
    "expected the magic number 1e3d4c55 of a dat file": {"dat": b"403 Forbidden"},
    "expected the data, found a web page": {"dat": b"<html>403 Forbidden</html>"},
}


@pytest.mark.parametrize("reason", NORB_FAULTS)
def test_a_norb_file_that_is_not_as_its_header_says_never_gets_its_name(tmp_path, reason):
    (part,) = NORB_FAULTS[reason]
    message = complaint(tmp_path, NORB, stream=io.StringIO(), opener=sending(**NORB_FAULTS[reason]))
    assert f"-{part}.mat.gz: no mirror sent it ({NORB.mirrors[0]}: {reason}" in message
    assert message.endswith("or run without --download on the rendered airplane")
    assert not [name for name in names(tmp_path) if part in name]


def test_the_limit_lets_the_largest_file_of_norb_pass_but_little_more():
    assert 24 + 24300 * 2 * 96 * 96 < NORB.limit < 1.25 * 24300 * 2 * 96 * 96


def test_a_norb_file_there_that_was_cut_short_is_left_alone_and_reported(tmp_path):
    (tmp_path / DAT).write_bytes(PARTS[DAT][:-1])
    opener = sending()
    message = complaint(tmp_path, NORB, stream=io.StringIO(), opener=opener)
    assert message.startswith(f"{tmp_path / DAT}: expected 2 rows of 18432 bytes, found 36863 bytes: delete it ")
    assert message.endswith("then pass --download norb again")
    assert opener.asked == []

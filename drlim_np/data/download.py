"""MNIST fetched from its mirrors: over https only, and under its name only once its content has been verified."""

import contextlib
import http.client
import os
import secrets
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TextIO
from urllib.error import URLError

from drlim_np.data.mnist import FILES, locate, read_content
from drlim_np.errors import DataError, shown

MIRRORS = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/")
LIMIT = 2**26  # bytes a mirror may send for one file: six times MNIST's largest
TIMEOUT = 30  # seconds a mirror may stay silent
CHUNK = 2**16  # bytes read at once


def fetch(
    directory: str | os.PathLike,
    files: Mapping[str, str] = FILES,
    mirrors: Sequence[str] = MIRRORS,
    *,
    stream: TextIO | None = None,
    opener: Callable | None = None,
) -> Path:
    """Download those of the files that a folder lacks, each from the first mirror that sends it whole; name the folder.

    directory: made if need be. A file there is kept and never overwritten, and must have the right content.
    files:     name -> SHA-256 of the decompressed content. mirrors: https addresses that hold NAME.gz.
    stream:    where progress goes, sys.stderr by default: a moving line on a terminal, else one line a file.
    opener:    opener(address, timeout) returns a context manager whose read(n) gives at most n bytes; `open_https`.

    Raises DataError for a file there with other content, a file that no mirror sends, and a folder that cannot be
    written. No partial file outlives the call.
    """
    folder, report = Path(directory), _Report(sys.stderr if stream is None else stream)
    for name, wanted in files.items():
        target = folder / f"{name}.gz"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if present := locate(folder, name):
                if fault := _fault(present, wanted):
                    raise DataError(f"{shown(present)}: {fault}: delete it or move it away, then pass --download again")
                report.line(f"{target.name}: already there, verified")
            else:
                _from_first_mirror(target, wanted, mirrors, opener or open_https, report)
        except OSError as fault:
            remedy = "check the folder, its permissions and free space, or name another by --data"
            raise DataError(f"{shown(target)}: cannot be read or stored ({fault.strerror}): {remedy}") from fault
    return folder


def open_https(address: str, timeout: float, *handlers: urllib.request.BaseHandler):
    """The response to a request over https; a redirect to anything else is refused with URLError."""
    return urllib.request.build_opener(_HttpsRedirects, *handlers).open(address, timeout=timeout)


class _HttpsRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, request, response, code, message, headers, address):
        if not address.startswith("https://"):
            raise URLError(f"redirect to {address} refused, since it is not https")
        return super().redirect_request(request, response, code, message, headers, address)


class _Report:
    """Lines of progress; between them, on a terminal only, a line that moves."""

    def __init__(self, stream: TextIO):
        self.stream, self.terminal = stream, stream.isatty()

    def line(self, text: str, end: str = "\n") -> None:
        with contextlib.suppress(OSError):  # a reader gone away is no reason to stop downloading
            print(f"\r{text:<60}" if self.terminal else text, end=end, file=self.stream, flush=True)

    def moving(self, text: str) -> None:
        if self.terminal:
            self.line(text, end="")


def _from_first_mirror(target: Path, wanted: str, mirrors, opener, report: _Report) -> None:
    reasons = []
    for mirror in mirrors:
        part = target.with_name(f"{target.name}.{secrets.token_hex(4)}.part")
        try:
            size = _save(mirror + target.name, part, opener, report)
            if fault := _fault(part, wanted):
                raise DataError(fault)
            os.replace(part, target)
            report.line(f"{target.name}: {size / 1e6:.1f} MB, verified")
            return
        except DataError as fault:
            reasons.append(f"{mirror}: {fault}")
            report.line(f"{target.name}: not from {reasons[-1]}")
        finally:
            with contextlib.suppress(OSError):
                part.unlink()
    remedy = f"check the network, or put it into {shown(target.parent)} by hand, or run without --download"
    raise DataError(f"{target.name}: no mirror sent it ({'; '.join(reasons)}): {remedy} on generated handwriting")


def _save(address: str, part: Path, opener, report: _Report) -> int:
    size = 0
    with open(part, "xb") as file:
        for chunk in _chunks(address, opener):
            size += len(chunk)
            if size > LIMIT:
                raise DataError(f"sent more than {LIMIT} bytes")
            file.write(chunk)
            report.moving(f"{address.rpartition('/')[2]}: {size / 1e6:.1f} MB")
    return size


def _chunks(address: str, opener) -> Iterator[bytes]:
    """What a mirror sends. Its faults become DataErrors, so that an OSError is always the fault of our own disk."""
    if not address.startswith("https://"):
        raise DataError("refused, since it is not https")
    try:
        with opener(address, timeout=TIMEOUT) as response:
            while chunk := response.read(CHUNK):
                yield chunk
    except (OSError, ValueError, http.client.HTTPException) as fault:
        raise DataError(shown(str(fault).strip("<>") or type(fault).__name__)) from fault


def _fault(path: Path, wanted: str) -> str | None:
    """Why a file does not hold the wanted content; None where it does."""
    try:
        found = read_content(path)[1]
    except DataError as fault:
        return str(fault)
    return None if found == wanted else f"expected SHA-256 {wanted}, found {found}"

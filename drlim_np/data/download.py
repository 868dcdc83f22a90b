"""Data sets fetched from their mirrors: over https only, and under its name only what has been verified."""

import contextlib
import http.client
import os
import secrets
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO
from urllib.error import URLError

from drlim_np.checks.terminal import printable
from drlim_np.data.files import DataSet, locate
from drlim_np.errors import DataError

TIMEOUT = 30  # seconds a mirror may stay silent
CHUNK = 2**16  # bytes read at once


def fetch(
    directory: str | os.PathLike,
    wanted: DataSet,
    *,
    stream: TextIO | None = None,
    opener: Callable | None = None,
) -> Path:
    """Download the files that a folder lacks, each from the first mirror that sends it whole; name the folder.

    directory: made if need be. A file there is kept and never overwritten, and must be what its name says.
    wanted:    the files needed, their mirrors, and how a file is verified.
    stream:    where progress goes, sys.stderr by default: a moving line on a terminal, else one line a file.
    opener:    opener(address, timeout) returns a context manager whose read(n) gives at most n bytes; `open_https`.

    Raises DataError for a file there with other content, a file that no mirror sends, and a folder that cannot be
    written. No partial file outlives the call.
    """
    folder, report = Path(directory), _Report(sys.stderr if stream is None else stream)
    for name in wanted.files:
        target = folder / f"{name}.gz"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if present := locate(folder, name):
                try:
                    known = wanted.verify(present, name)
                except DataError as fault:
                    remedy = f"delete it or move it away, then pass --download {wanted.name} again"
                    raise DataError(f"{printable(present)}: {fault}: {remedy}") from fault
                report.line(f"{target.name}: already there, {known}")
            else:
                _from_first_mirror(target, name, wanted, opener or open_https, report)
        except OSError as fault:
            remedy = "check the folder, its permissions and free space, or name another by --data"
            raise DataError(f"{printable(target)}: cannot be read or stored ({fault.strerror}): {remedy}") from fault
    return folder


def open_https(address: str, timeout: float, *handlers: urllib.request.BaseHandler) -> Any:
    """The response to a request over https; a redirect to anything else is refused with URLError."""
    return urllib.request.build_opener(_HttpsRedirects, *handlers).open(address, timeout=timeout)


class _HttpsRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, request, response, code, message, headers, address):
        if not address.startswith("https://"):
            raise URLError(f"redirect to {address} refused, since it is not https")
        return super().redirect_request(request, response, code, message, headers, address)


class _Report:
    """Lines of progress; between them, on a terminal only, a line that moves."""

    def __init__(self, stream: TextIO | None):
        self.stream, self.terminal = stream, stream is not None and stream.isatty()

    def line(self, text: str, end: str = "\n") -> None:
        with contextlib.suppress(OSError):  # a reader gone away is no reason to stop downloading
            print(f"\r{text:<60}" if self.terminal else text, end=end, file=self.stream, flush=True)

    def moving(self, text: str) -> None:
        if self.terminal:
            self.line(text, end="")


def _from_first_mirror(target: Path, name: str, wanted: DataSet, opener: Callable, report: _Report) -> None:
    reasons = []
    for mirror in wanted.mirrors:
        part = target.with_name(f"{target.name}.{secrets.token_hex(4)}.part")
        try:
            size = _save(mirror + target.name, part, wanted.limit, opener, report)
            known = wanted.verify(part, name)
            os.replace(part, target)
            report.line(f"{target.name}: {size / 1e6:.1f} MB, {known}")
            return
        except DataError as fault:
            reasons.append(f"{mirror}: {fault}")
            report.line(f"{target.name}: not from {reasons[-1]}")
        finally:
            with contextlib.suppress(OSError):
                part.unlink()
    remedy = f"check the network, or put it into {printable(target.parent)} by hand, or run without --download"
    raise DataError(f"{target.name}: no mirror sent it ({'; '.join(reasons)}): {remedy} on {wanted.stand_in}")


def _save(address: str, part: Path, limit: int, opener: Callable, report: _Report) -> int:
    size = 0
    with open(part, "xb") as file:
        for chunk in _chunks(address, opener):
            size += len(chunk)
            if size > limit:
                raise DataError(f"sent more than {limit} bytes")
            file.write(chunk)
            report.moving(f"{address.rpartition('/')[2]}: {size / 1e6:.1f} MB")
    return size


def _chunks(address: str, opener: Callable) -> Iterator[bytes]:
    """What a mirror sends. Its faults become DataErrors, so that an OSError is always the fault of our own disk."""
    if not address.startswith("https://"):
        raise DataError("refused, since it is not https")
    try:
        with opener(address, timeout=TIMEOUT) as response:
            while chunk := response.read(CHUNK):
                yield chunk
    except (OSError, ValueError, http.client.HTTPException) as fault:
        raise DataError(printable(str(fault).strip("<>") or type(fault).__name__)) from fault

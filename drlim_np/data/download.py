"""Data sets fetched from their mirrors: over https only, and a file gets its name only once it is verified."""

import contextlib
import http.client
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, build_opener

from drlim_np.checks.terminal import ProgressLine, printable
from drlim_np.data.files import DataSet, blaming, locate
from drlim_np.errors import DataError
from drlim_np.files.atomic import make_folder

TIMEOUT = 30  # seconds a mirror may stay silent
CHUNK = 2**16  # bytes read at once


def fetch(folder: Path, wanted: DataSet) -> None:
    """Download the files that a folder lacks, each from the first mirror that sends it whole.

    The folder is made if need be. Its files are never overwritten, and must be as named. No partial file is left in it.
    Progress goes to standard error: a line that moves on a terminal, else one line a file.
    """
    line = ProgressLine()
    for name in wanted.files:
        target = folder / f"{name}.gz"
        try:
            make_folder(folder)
            if present := locate(folder, name):
                with blaming(present, f"delete it or move it away, then pass --download {wanted.name} again"):
                    known = wanted.verify(present, name)
                _report(line, f"{target.name}: already there, {known}")
            else:
                _from_first_mirror(target, name, wanted, line)
        except OSError as fault:
            remedy = "check the folder, its permissions and free space, or name another by --data"
            raise DataError(f"{printable(target)}: cannot be read or stored ({fault.strerror}): {remedy}") from fault


class HttpsRedirects(HTTPRedirectHandler):
    """Refuses a redirect to anything else than https."""

    def redirect_request(self, request, response, code, message, headers, address):
        if not address.startswith("https://"):
            response.close()
            raise URLError(f"redirect to {address} refused, since it is not https")
        return super().redirect_request(request, response, code, message, headers, address)


def _from_first_mirror(target: Path, name: str, wanted: DataSet, line: ProgressLine) -> None:
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    reasons = []
    try:
        for mirror in wanted.mirrors:
            try:
                with open(part, "wb") as file:
                    for chunk in _chunks(mirror + target.name, wanted.limit):
                        file.write(chunk)
                        with contextlib.suppress(OSError):
                            line.show(f"{target.name}: {file.tell() / 1e6:.1f} MB")
                known = wanted.verify(part, name)
            except DataError as fault:
                reasons.append(f"{mirror}: {fault}")
                _report(line, f"{target.name}: not from {reasons[-1]}")
            else:
                _report(line, f"{target.name}: {part.stat().st_size / 1e6:.1f} MB, {known}")
                os.replace(part, target)
                return
    finally:
        part.unlink(missing_ok=True)
    remedy = f"check the network, or put it into {printable(target.parent)} by hand, or run without --download"
    raise DataError(f"{target.name}: no mirror sent it ({'; '.join(reasons)}): {remedy} on {wanted.stand_in}")


def _chunks(address: str, limit: int) -> Iterator[bytes]:
    """The chunks that a mirror sends. Its faults become DataErrors: an OSError is always the fault of our own disk."""
    sent = 0
    try:
        with build_opener(HttpsRedirects).open(address, timeout=TIMEOUT) as response:
            while chunk := response.read(CHUNK):
                sent += len(chunk)
                if sent > limit:
                    raise DataError(f"sent more than {limit} bytes")
                yield chunk
    except (OSError, ValueError, http.client.HTTPException) as fault:
        if isinstance(fault, HTTPError):
            fault.close()  # it is the response too
        raise DataError(printable(str(fault).strip("<>") or type(fault).__name__)) from fault


def _report(line: ProgressLine, text: str) -> None:
    """A line that stays, in place of the moving one."""
    with contextlib.suppress(OSError):  # the download goes on if the reader of its progress has gone
        line.clear()
        print(text, file=line.stream, flush=True)

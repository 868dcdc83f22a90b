"""Common wrong downloads: a web page, or a Git LFS pointer instead of the file."""

HEAD = 256  # bytes that are enough to tell
BEGINNINGS = {
    b"version https://git-lfs": "a pointer of Git LFS: git lfs pull fetches the file",
    b"<!doctype": "a web page",
    b"<html": "a web page",
    b"<?xml": "a web page",
}


def mistaken_for(head: bytes) -> str | None:
    """What a file with these first bytes is, for a message: "found …". None if it is none of these."""
    start = head[:HEAD].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return next((name for beginning, name in BEGINNINGS.items() if start.startswith(beginning)), None)

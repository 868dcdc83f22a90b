"""What often lies in the place of a file: the page that a link led to, or the pointer that Git LFS keeps for it."""

HEAD = 256  # bytes that are enough to tell
BEGINNINGS = {
    b"version https://git-lfs": "a pointer of Git LFS, whose file git lfs pull fetches",
    b"<!doctype": "a web page",
    b"<html": "a web page",
    b"<?xml": "a web page",
}


def mistaken_for(head: bytes) -> str | None:
    """What a file that begins so is, for a message: "found …". None if it is none of these."""
    start = head[:HEAD].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return next((what for beginning, what in BEGINNINGS.items() if start.startswith(beginning)), None)

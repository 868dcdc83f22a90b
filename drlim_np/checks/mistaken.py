"""Common wrong downloads: a web page, or a Git LFS pointer instead of the file."""

HEAD = 256  # bytes that are enough to tell


def mistaken_for(head: bytes) -> str | None:
    """What a file with these first bytes is, for a message: "found …". None if it is none of these."""
    start = head[:HEAD].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith(b"version https://git-lfs"):
        return "a pointer of Git LFS: git lfs pull fetches the file"
    return "a web page" if start.startswith((b"<!doctype", b"<html", b"<?xml")) else None

"""Time and memory of the project on this machine, next to PyTorch and scikit-learn: `python -m drlim_np.bench --list`.

cases: the work, in pytorch the same there; race: runs in alternation; machine: bounds, layers, memory; peers: maps.
"""


def row(*cells) -> str:
    """A line of a table."""
    return "| " + " | ".join(map(str, cells)) + " |"


def heading(title: str, *columns: str) -> str:
    """A table's title and its first two lines."""
    return f"\n{title}\n\n{row(*columns)}\n{row(*('---' for _ in columns))}"


def duration(seconds: float) -> str:
    """Three digits, in the unit that suits them."""
    scale, unit = next((s, u) for s, u in ((1, "s"), (1e-3, "ms"), (1e-6, "µs")) if seconds >= s or u == "µs")
    return f"{seconds / scale:#.3g}".rstrip(".") + f" {unit}"

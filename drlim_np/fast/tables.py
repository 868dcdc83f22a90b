"""A graph's pairs as tables by sample, so that sums over pairs need no loop. Index work, done on the host."""

import numpy as np


def by_sample(pairs: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Both directions of every pair: those paired with sample i are others[offsets[i] : offsets[i + 1]]."""
    both = np.concatenate([pairs, pairs[:, ::-1]])
    both = both[np.argsort(both[:, 0], kind="stable")]
    return np.searchsorted(both[:, 0], np.arange(size + 1)), both[:, 1]


def partners(pairs: np.ndarray, size: int) -> np.ndarray:
    """(size, largest degree): the samples that each is paired with, on either side, as often as it is.

    Short rows are padded with the sample itself, which exerts no force on itself.
    """
    offsets, others = by_sample(pairs, size)
    degree = np.diff(offsets)
    table = np.repeat(np.arange(size)[:, None], degree.max(initial=0), axis=1)
    table[np.arange(table.shape[1]) < degree[:, None]] = others
    return table


def edges_within(samples: np.ndarray, offsets: np.ndarray, neighbours: np.ndarray) -> np.ndarray:
    """The edges among some distinct samples, each once, as places in `samples`; offsets, neighbours by `by_sample`."""
    place = np.full(len(offsets) - 1, -1)
    place[samples] = np.arange(len(samples))
    lengths = offsets[samples + 1] - offsets[samples]
    starts = np.cumsum(lengths) - lengths
    position = np.arange(lengths.sum()) + np.repeat(offsets[samples] - starts, lengths)
    one = np.repeat(np.arange(len(samples)), lengths)
    other = place[neighbours[position]]
    inside = other > one
    return np.stack([one[inside], other[inside]], axis=1)

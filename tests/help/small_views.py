"""Views that are quickly made, instead of an airplane's."""

from dataclasses import replace

import numpy as np

from drlim_np.data import AZIMUTHS, VIEW_SIDE, Views

UNSEEN = np.sort(np.random.default_rng(8).permutation(972)[660:])  # rows that a training leaves out


def blobs() -> Views:
    """A blob that goes around with azimuth, farther out with elevation, and changes its grey with lighting."""
    empty = Views("airplane", "blobs", np.zeros((972, VIEW_SIDE, VIEW_SIDE), np.uint8), {})
    turn, out = 2 * np.pi * empty.azimuth / AZIMUTHS, 12 + 2.5 * empty.elevation
    at = np.arange(VIEW_SIDE)
    x = np.exp(-((at - 48 - (out * np.cos(turn))[:, None]) ** 2) / 40)
    y = np.exp(-((at - 48 - (out * np.sin(turn))[:, None]) ** 2) / 40)
    grey = (60 + 30 * empty.lighting)[:, None, None] * y[:, :, None] * x[:, None, :]
    return replace(empty, images=np.rint(grey).astype(np.uint8))

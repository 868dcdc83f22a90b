"""What every drawing shares: panels, colours, views in space, thumbnails, magnifiers, small files, and a spring."""

import numpy as np


def zigzag(start: np.ndarray, end: np.ndarray, turns: int = 12, width: float = 0.08) -> np.ndarray:
    """A spring as a polyline (turns + 4, 2), straight over an eighth of its length at both ends, which are exact."""
    along = end - start
    across = np.array([-along[1], along[0]]) / np.linalg.norm(along)
    place = np.concatenate([[0, 1 / 8], 1 / 8 + 6 / 8 * (np.arange(turns) + 0.5) / turns, [7 / 8, 1]])
    side = np.concatenate([[0, 0], width * (-1.0) ** np.arange(turns), [0, 0]])
    return (1 - place[:, None]) * start + place[:, None] * end + side[:, None] * across

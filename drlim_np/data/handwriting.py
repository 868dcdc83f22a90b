"""Handwritten 4s and 9s drawn by a small model of a pen, for anyone without MNIST at hand.

A digit is two strokes, a bowl and a stem: bend the bowl of a 4 round and close its top, and it is a 9, so that the two
classes touch as in MNIST. Style is drawn from continuous distributions, most varied in slant, and known of each sample.
"""

import hashlib
from collections.abc import Callable
from itertools import pairwise, product

import numpy as np

from drlim_np.checks.numbers import whole_number
from drlim_np.data import Digits, Split
from drlim_np.errors import require

SIDE = 28  # pixels
BOX = 20  # pixels: MNIST scales its digits into this box, then centres them by mass in the image
SOFT = 0.7  # pixels from the edge of a stroke inwards to full ink, and outwards to none
PRESSURE = 0.5, 1.4  # the least and the greatest, in parts of the pen's radius
PER_SPAN = 4  # straight segments between two control points
CHUNK = 256  # images drawn at once: few enough that the working arrays stay in cache

# Control points (x, y) in hundredths of the digit's height, y downwards. Tables that are mixed have their points in the
# same order along the pen, so that every mixture is a plausible digit.
FOUR_OPEN = [(10, 3), (7, 18), (3, 36), (0, 52), (6, 57), (28, 57), (55, 55), (80, 53)]
FOUR_SHUT = [(57, 2), (42, 16), (23, 33), (2, 51), (5, 57), (28, 57), (55, 56), (80, 54)]
NINE_OPEN = [(26, 5), (12, 8), (3, 19), (0, 33), (8, 46), (26, 50), (44, 44), (58, 30)]
NINE_SHUT = [(57, 13), (42, 1), (19, 4), (4, 20), (8, 39), (26, 47), (45, 38), (58, 18)]
STEM_FOUR = [(58, 3), (57, 27), (56, 52), (55, 77), (54, 100)]
STEM_NINE = [(58, 9), (59, 30), (58, 52), (55, 76), (50, 100)]
STEM_HOOK = [(58, 9), (60, 36), (58, 68), (42, 94), (14, 92)]
BOWL, STEM = len(FOUR_OPEN), len(STEM_FOUR)


def strokes(roundness, openness, hook=0.0, bowl=1.0, bar=1.0, width=1.0, slant=0.0, tilt=0.0, jitter=0.0):
    """The bowl and the stem of digits of a given style. Each argument but the last is a number or (samples,) floats.

    roundness: 0 the angular bowl of a 4, 1 the loop of a 9.    openness: of the top, 0 closed, 1 wide open.
    hook:      of a 9's tail, 0 straight, 1 curled.             bowl: its height in parts of the usual one.
    bar:       a 4's bar beyond the stem, in parts of the usual. width: in parts of the usual one.
    slant:     dx/dy of the shear, positive leans right.        tilt: dy/dx of the bar, positive rises to the right.
    jitter:    (samples, 13, 3), added to each control point: x and y in heights of the digit, and pen pressure.
    Returns [bowl, stem], each (samples, points, 3) float64: x, y in heights of the digit, y downwards; pen pressure.
    """
    style = np.broadcast_arrays(*map(np.atleast_1d, (roundness, openness, hook, bowl, bar, width, slant, tilt)))
    roundness, openness, hook, bowl, bar, width, slant, tilt = (a[:, None].astype(float) for a in style)
    loop = _mix(roundness, _mix(openness, FOUR_SHUT, FOUR_OPEN), _mix(openness, NINE_SHUT, NINE_OPEN)) / 100
    loop[:, -1:, 0] += (bar - 1) * (1 - roundness) * 0.25
    loop[:, :, 1] *= bowl
    stem = _mix(roundness, STEM_FOUR, _mix(hook, STEM_NINE, STEM_HOOK)) / 100
    control = np.pad(np.concatenate([loop, stem], axis=1), [(0, 0), (0, 0), (0, 1)], constant_values=1) + jitter
    x, y, pressure = np.moveaxis(control, 2, 0)
    x = x * width
    y = y - tilt * x
    control = np.stack([x + slant * (0.5 - y), y, pressure], axis=2)
    return [catmull_rom(control[:, :BOWL]), catmull_rom(control[:, BOWL:])]


def catmull_rom(control):
    """The smooth curve through control points, (samples, points, coordinates), as PER_SPAN segments per span."""
    padded = np.concatenate([control[:, :1], control, control[:, -1:]], axis=1)
    a, b, c, d = (padded[:, k : padded.shape[1] - 3 + k, None] for k in range(4))
    t = np.arange(PER_SPAN)[:, None] / PER_SPAN
    curve = b + t / 2 * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
    return np.concatenate([curve.reshape(len(control), -1, control.shape[2]), control[:, -1:]], axis=1)


def place(curves, radius):
    """Scale strokes into MNIST's box and centre them by mass, or as nearly as the image's empty border allows.

    radius: (samples,), the pen's at pressure 1. Returns curves in pixels: x, y from the top left; the pen's radius.
    """
    radius = radius[:, None]
    points = np.concatenate(curves, axis=1)[:, :, :2]
    low, high = points.min(axis=1), points.max(axis=1)
    scale = (BOX - SOFT - 2 * radius) / (high - low).max(axis=1, keepdims=True)
    length = [np.sqrt((np.diff(c[:, :, :2], axis=1) ** 2).sum(axis=2, keepdims=True)) for c in curves]
    moment = [n * (c[:, 1:, :2] + c[:, :-1, :2]) / 2 for n, c in zip(length, curves, strict=True)]
    mass = sum(m.sum(axis=1) for m in moment) / sum(n.sum(axis=1) for n in length)
    border = 1 + PRESSURE[1] * radius + SOFT
    shift = np.clip(SIDE / 2 - scale * mass, border - scale * low, SIDE - border - scale * high)[:, None]
    pen = [np.clip(c[:, :, 2:], *PRESSURE) * radius[:, None] for c in curves]
    return [np.concatenate([c[:, :, :2] * scale[:, None] + shift, p], axis=2) for c, p in zip(curves, pen, strict=True)]


def draw(curves):
    """Images of strokes as `place` returns them, (samples, 28, 28) uint8: ink follows the distance to the edge."""
    centre = np.arange(SIDE, dtype=np.float32) + np.float32(0.5)
    edge = np.full((len(curves[0]), SIDE, SIDE), SIDE, np.float32)  # distance to it, negative inside a stroke
    for first, curve in product(range(0, len(edge), CHUNK), curves):
        points = curve[first : first + CHUNK].swapaxes(0, 1).astype(np.float32)
        for start, end in pairwise(points):
            # Beyond this box of pixels, where no sample's segment leaves ink, the distance may stay what it was.
            reach = SOFT + max(start[:, 2].max(), end[:, 2].max())
            low = np.floor(np.minimum(start, end)[:, :2].min(axis=0) - reach).astype(int).clip(0)
            high = np.ceil(np.maximum(start, end)[:, :2].max(axis=0) + reach).astype(int)
            columns, lines = map(slice, low, high)
            x, y, radius = start.T[:, :, None]
            u, v, swell = (end - start).T[:, :, None]
            x, y = centre[columns] - x, centre[lines] - y
            square = np.maximum(u * u + v * v, np.float32(1e-9))  # a segment may have no length
            t = np.clip((x * u / square)[:, None, :] + (y * v / square)[:, :, None], 0, 1)  # nearest along the segment
            across, down = x[:, None, :] - t * u[:, None], y[:, :, None] - t * v[:, None]
            away = np.sqrt(across**2 + down**2) - (radius[:, None] + t * swell[:, None])
            near = edge[first : first + CHUNK, lines, columns]
            np.minimum(near, away, out=near)
    return np.rint(255 * np.clip(0.5 - edge / (2 * SOFT), 0, 1)).astype(np.uint8)


def generate(seed: int = 0, train=(3000, 3000), test=(982, 1009), draw: Callable = draw) -> Digits:
    """Generated handwriting: the same arguments give the same images, and neither split depends on the other's counts.

    train, test: the numbers of 4s and of 9s; the defaults are those of Fig. 4, with MNIST's own numbers for the test.
    truth holds the arguments of `strokes` other than jitter, and "thickness", the pen's width in pixels.
    """
    for_train, for_test = map(np.random.default_rng, np.random.SeedSequence(whole_number("seed", seed, 0)).spawn(2))
    halves = {"train": _split("train", train, for_train, draw), "test": _split("test", test, for_test, draw)}
    sha256 = {f"{name}-images": hashlib.sha256(half.images.tobytes()).hexdigest() for name, half in halves.items()}
    return Digits("handwriting", "generated handwriting", **halves, sha256=sha256)


def _split(name, counts, rng, draw):
    fault = f"{name} is {counts!r}: give two whole numbers, how many 4s and how many 9s"
    require(isinstance(counts, tuple | list) and len(counts) == 2, fault)
    counts = [whole_number(f"a number of digits in {name}", count, 1) for count in counts]
    labels = rng.permutation(np.repeat(np.array([4, 9], np.uint8), counts))
    # The spreads are set by eye and by MNIST's: of slant, of ink, and of what neighbours tell of the digit and slant.
    n, nine = len(labels), labels == 9
    stray = np.abs(rng.normal(0, 0.17, n))  # from the digit's own shape towards the other's
    style = {
        "roundness": np.where(nine, 1 - stray, stray),
        "openness": np.clip(np.where(nine, np.abs(rng.normal(0, 0.2, n)), rng.normal(0.65, 0.3, n)), 0, 1.1),
        "hook": np.clip(rng.normal(0.1, 0.25, n), -0.2, 1),
        "bowl": rng.normal(1, 0.1, n),
        "bar": rng.normal(0.8, 0.45, n),
        "width": np.exp(rng.normal(-0.12, 0.17, n)),
        "slant": rng.normal(0.22, 0.26, n),
        "tilt": rng.normal(0.04, 0.06, n),
    }
    jitter = rng.normal(0, 1, (n, BOWL + STEM, 3)) * (0.038, 0.034, 0.15)
    radius = np.clip(np.exp(rng.normal(0.15, 0.22, n)), 0.7, 2.3)
    images = draw(place(strokes(**style, jitter=jitter), radius))
    return Split(images, labels, {**style, "thickness": 2 * radius})


def _mix(share, start, end):
    return np.asarray(start) + share[:, :, None] * (np.asarray(end) - np.asarray(start))

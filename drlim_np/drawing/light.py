"""How a figure's files stay light: clouds of points as pictures, pictures with a palette, numbers in float32."""

import base64
import io
import re
from collections.abc import Mapping

import numpy as np
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from PIL import Image

from drlim_np.files.weights import portable

DPI = {"png": 110, "svg": 80}  # points per inch; with more, the shipped figures together would exceed 8 MB
CLOUD = 250  # points in one panel, from which they are drawn as a picture in the SVG
COLOURS = 256
FAR = 24  # levels of 255: largest allowed colour error; beyond it the picture keeps its full colours


def clouds_as_pictures(figure: Figure) -> None:
    """Marks the points of every panel that has many, so that an SVG holds one picture of them: all else stays lines."""
    for axes in figure.axes:
        clouds = [drawn for drawn in axes.collections if isinstance(drawn, PathCollection)]
        many = sum(len(cloud.get_offsets()) for cloud in clouds) >= CLOUD
        for cloud in clouds:
            cloud.set_rasterized(many)


def with_palette(png: bytes) -> bytes:
    """The PNG with a palette of 256 colours, dithered, where that shows no difference and saves room; else as it is."""
    given = Image.open(io.BytesIO(png)).convert("RGBA")
    clear = np.asarray(given)[:, :, 3] == 0  # these stay clear, and white stays white
    opaque = Image.alpha_composite(Image.new("RGBA", given.size, "white"), given).convert("RGB")
    nearest = opaque.quantize(COLOURS - 1, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    if np.abs(np.int16(opaque) - np.int16(nearest.convert("RGB"))).max() > FAR:
        return png
    spread = opaque.quantize(palette=nearest, dither=Image.Dither.FLOYDSTEINBERG)
    white = np.asarray(opaque).min(axis=2) == 255
    index, palette, options = np.where(white, nearest, spread), nearest.getpalette(), {}
    if clear.any():
        options["transparency"] = index[clear] = len(palette) // 3
        palette += [255, 255, 255]
    reduced, buffer = Image.fromarray(index), io.BytesIO()
    reduced.putpalette(palette)
    reduced.save(buffer, "png", compress_level=8, **options)  # 9 takes twice the time for a hundredth of the size
    return min(buffer.getvalue(), png, key=len)


def with_palettes(svg: bytes) -> bytes:
    """The SVG with each picture inside it made lighter by `with_palette`."""

    def lighter(picture: re.Match) -> bytes:
        return base64.b64encode(with_palette(base64.b64decode(picture[0])))

    return re.sub(rb"(?<=data:image/png;base64,)[^\"]+", lighter, svg)


def packed(arrays: Mapping[str, np.ndarray]) -> bytes:
    """The arrays as a compressed .npz, floating numbers in float32."""
    buffer = io.BytesIO()
    floating = {name: np.float32(array) for name, array in arrays.items() if np.issubdtype(array.dtype, np.floating)}
    np.savez_compressed(buffer, **{name: portable(array) for name, array in (arrays | floating).items()})
    return buffer.getvalue()

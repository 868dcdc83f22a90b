"""What the gallery says of each figure: one line of claim, its numbers taken from the record by `results`.

{drlim/accuracy} is a number of `measured`, {claims/TEXT} the value of the claim that reads TEXT.
"""

from typing import Literal, NamedTuple


class Shown(NamedTuple):
    """A figure by its heading, the stems of its files, first the one that is shown, and what is said of it.

    A stem of which there is no record is passed over. kind: of the file that the picture leads to.
    """

    heading: str
    stems: tuple[str, ...]
    says: str
    kind: Literal["svg", "png"] = "svg"


def _both(name: str) -> tuple[str, str]:
    return f"{name}-mnist", f"{name}-handwriting"


ON_DIGITS = "5-NN accuracy {drlim/accuracy}, slant R² {drlim/slant_r2}, unevenness {drlim/unevenness}"
GALLERY = (
    Shown("Figure 1", ("figure1",), "What a similar and a dissimilar pair cost, against their distance D_W."),
    Shown(
        "Figure 2",
        ("figure2",),
        "The loss as springs: every arrow is −∂L/∂z as the library computes it, there is none beyond m, and at the"
        " equilibrium in (e) they cancel.",
    ),
    Shown(
        "Figure 3", _both("figure3"), "The architecture of G_W, read off the trained network, and what it makes of a 4."
    ),
    Shown(
        "Figure 4",
        _both("figure4"),
        "Unseen 4s and 9s, mapped from nothing but each training digit's five nearest neighbours: two overlapping"
        f" regions, evenly spread, organised by slant. {ON_DIGITS}.",
    ),
    Shown(
        "Figure 4, exact",
        _both("figure4-exact"),
        f"The same from the paper's plain sum over all pairs: the digits mix more. {ON_DIGITS}.",
        "png",
    ),
    Shown(
        "Figure 4, pair by pair",
        _both("figure4-verbatim"),
        f"The same by the paper's own descent, which changes W after every pair; drawn on request. {ON_DIGITS}.",
        "png",
    ),
    Shown(
        "Figure 5",
        _both("figure5"),
        "Digits shifted by up to 6 pixels, with neighbours found in pixels: the map falls apart into five clusters,"
        " each organised inside. Shift ratio {drlim/shift_ratio}, {drlim/same_shift_neighbours} of neighbours shifted"
        " alike (chance .2), silhouette {drlim/silhouette_by_shift}.",
    ),
    Shown(
        "Figure 6",
        _both("figure6"),
        "LLE on that graph: separated by shift, without coherence. Silhouette {lle/silhouette_by_shift}.",
    ),
    Shown(
        "Figure 7",
        _both("figure7"),
        "DrLIM told that a shifted character stays the same: its five copies lie together on one coherent map. Shift"
        " ratio {drlim/shift_ratio}, {drlim/same_shift_neighbours} of neighbours shifted alike (chance .2), slant R²"
        " {drlim/slant_r2}, accuracy {drlim/accuracy}.",
    ),
    Shown(
        "Invariance",
        _both("invariance"),
        "How far a moved digit goes on the map of Figure 7, where 1 is as far as another digit: at most"
        " {claims/between trained shifts it holds: Figure 7's displacement at ±1.5 and ±4.5} between trained shifts,"
        " {displacement/figure7/right/8.0} at 8 pixels, beyond them, {displacement/figure7/down/3.0} at 3 pixels down,"
        " of which it was never told. Not a figure of the paper.",
    ),
    Shown(
        "Figure 8",
        ("figure8-airplane",),
        "Unseen views of one airplane, learned from which camera positions adjoin: a cylinder, azimuth around it,"
        " elevation along it, whatever the light. Elevation R² {drlim/elevation_r2}, resultant length of azimuth"
        " {drlim/azimuth_resultant}, lighting's share of variance {drlim/share_of_lighting}.",
    ),
    Shown(
        "Figure 9",
        ("figure9-airplane",),
        "LLE with that graph shows no cylinder and follows the lighting. Elevation R² {lle/elevation_r2},"
        " {lle/same_lighting_neighbours} of neighbours lit alike (chance .167).",
    ),
    Shown(
        "Figure 10",
        ("figure10-airplane",),
        "First-layer weights of the 20 hidden units: edges where the airplane's outline runs, nothing beyond."
        " Adjoining weights correlate by"
        " {claims/structure, not noise: correlation of weights of adjoining pixels inside}.",
    ),
    Shown(
        "Collapse",
        ("collapse-airplane",),
        "The same training without dissimilar pairs: all points run together (Sec. 2). Not a figure of the paper.",
    ),
    Shown("Unfolding", ("unfolding-airplane",), "The map of Figure 8 while it is learned, from a blob to a cylinder."),
    Shown("Sheet of digits", ("sheet-handwriting",), "The generated 4s and 9s, of known slant, width and openness."),
    Shown("Sheet of views", ("sheet-airplane",), "The rendered airplane under its lights."),
    Shown("Two towers", ("towers",), "Two copies of G_W share one W, and their gradients meet in a sum."),
)
GLANCE = tuple(shown for shown in GALLERY if shown.heading in ("Figure 2", "Figure 4", "Figure 7", "Figure 8"))

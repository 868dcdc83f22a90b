"""Invariance, measured: how far moved digits go on the maps of Figures 5 and 7. Not a figure of the paper."""

import tomllib
from collections.abc import Callable, Mapping
from functools import partial
from importlib.resources import files

import numpy as np

from drlim_np.data import SHIFTS, Digits, moved
from drlim_np.drawing.panels import box, place, sheet
from drlim_np.drawing.style import BLUE, FAINT, INK, VERMILLION
from drlim_np.figures import Claim, Result, Train, figure, figure5, figure7
from drlim_np.figures.digits import KNOWN
from drlim_np.figures.figure5 import trained, unseen_digits
from drlim_np.training import embed

PER_CLASS = 150  # unseen digits; in a quick run as many as the other figures take
# How the digits are moved, by the names that `moved` has for it, and the amounts that Figure 7's network was told of.
MOVES = {"right": np.arange(-8, 8.5, 0.5), "down": np.arange(0, 3.5, 0.5), "turn": np.arange(-15, 17.5, 2.5)}
TOLD = {"right": SHIFTS, "down": (0,), "turn": (0,)}
BETWEEN = (-4.5, -1.5, 1.5, 4.5)  # shifts that nobody trained on, each in the middle of two that were

# Bounds by quick: Figure 7's displacement between trained shifts, at most; at least: Figure 5's at ±3, Figure 7's at ±8
# over that between, and over Figure 5's where digits are lowered by 3 pixels or turned by 15°.
BOUNDS = {False: (0.10, 1.0, 2.0, 0.4), True: (0.25, 0.8, 1.5, 0.3)}

TITLE = "The invariance holds where it was told of and between,\nfrays beyond, and is absent elsewhere"
PANELS = {  # by kind of move: inches from the left, inches wide, the amounts on the axis, and its label
    "right": (0.85, 3.6, (-8, -6, -3, 0, 3, 6, 8), "pixels to the right (● trained)"),
    "down": (4.95, 0.85, (0, 3), "down"),
    "turn": (6.35, 1.35, (-15, 0, 15), "degrees turned"),
}

Curves = Mapping[str, np.ndarray]

# Peers of today on MNIST, told the same as Figure 7: curves by name and kind of move, as `drlim_np.bench` printed them.
PEERS = tomllib.loads((files(__package__) / "peers.toml").read_text("utf-8"))


@figure("invariance", needs="digits", after=("figure5", "figure7"), seconds=10)
def make(digits: Digits, train: Train) -> Result:
    """How far shifted, lowered and turned digits move on the maps of Figures 5 and 7; not a figure of the paper."""
    unseen = unseen_digits(digits, train, PER_CLASS)
    images = unseen.inputs[unseen.shift == 0]
    networks = [trained(story, digits, train) for story in (figure5.STORY, figure7.STORY)]
    five, seven = (curves(partial(embed, of.network, of.params), images) for of in networks)
    claimed = claims(five, seven, train.quick) if digits.name in KNOWN else []
    displacement = {}
    for name, of in (("figure5", five), ("figure7", seven)):
        displacement[name] = {kind: dict(zip(map(str, MOVES[kind]), y.tolist(), strict=True)) for kind, y in of.items()}
    peers = PEERS if digits.name == "mnist" else {}

    # All maps' curves, a panel for each kind of move on one scale; above each a digit as it is moved.
    words = f"Figure 7's map, {digits.title}: at most {max(at(seven, 'right', *BETWEEN)):.2f} between trained shifts,\n"
    words += f"{max(at(seven, 'right', -8, 8)):.2f} at 8 pixels, {at(seven, 'down', 3)[0]:.2f} at 3 down, "
    words += f"{max(at(seven, 'turn', -15, 15)):.2f} turned by 15°"
    words += ";\ngrey: UMAP (dashed) and PaCMAP (dotted), told the same" if peers else ""
    drawing, _ = sheet(TITLE, words, 4.34)
    top = 1.12 * max(curve.max() for of in (five, seven) for curve in of.values())
    ticks = [tick for tick in (0, 0.1, 0.5, 1, 2, 3, 4, 5, 6) if tick <= top / 1.12]
    for kind, (left, wide, shown, label) in PANELS.items():
        amounts, told = MOVES[kind], np.isin(MOVES[kind], TOLD[kind])
        axes = drawing.add_axes(box(drawing, left, 1.35, wide, 3.1))
        for theirs, dashes in zip(peers.values(), ((4, 1.5), (1, 1)), strict=False):
            axes.plot(amounts, theirs[kind], color="#666666", dashes=dashes, linewidth=1.6)
        for of, colour, dashes in ((five, VERMILLION, (3, 1.5)), (seven, BLUE, (1, 0))):
            axes.plot(amounts, of[kind], color=colour, dashes=dashes, linewidth=2.4)
            axes.plot(amounts[told], of[kind][told], "o", color=colour, markersize=6, zorder=4, clip_on=False)
        axes.axhline(1, color=FAINT, linewidth=0.8)
        for amount in amounts[told]:
            axes.axvline(amount, color=FAINT, linewidth=0.8, dashes=(1, 2), zorder=0)
        # A square root shows both at once: 0, what is small, and what is fifty times as large.
        axes.set_yscale("function", functions=(lambda y: np.sqrt(np.maximum(y, 0)), np.square))
        axes.set(ylim=(0, top), xlim=(amounts[0], amounts[-1]), xlabel=label, xticks=shown)
        axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
        if kind != "right":
            axes.tick_params(left=False, labelleft=False)
            axes.spines.left.set_visible(False)

        (start, bottom, across, high), small = axes.get_position().bounds, 0.42 / drawing.get_size_inches()
        for amount in shown:  # framed in ink where the network was told of it
            middle = start + across * (amount - amounts[0]) / (amounts[-1] - amounts[0])
            picture = drawing.add_axes((middle - small[0] / 2, bottom + high + 0.06 / 5.75, *small))
            picture.imshow(moved(images[:1], **{kind: amount})[0, 0], cmap="gray_r", vmin=0, vmax=1)
            picture.set(xticks=[], yticks=[])
            edge = {"color": INK, "linewidth": 1.4} if amount in TOLD[kind] else {"color": FAINT, "linewidth": 0.6}
            picture.spines[:].set(visible=True, **edge)
    axes = drawing.axes[0]
    axes.set_ylabel("displacement on the map")
    axes.text(0, 0.8 * top, "Figure 5", color=VERMILLION, ha="center", weight="bold")
    axes.text(4.6, 0.36, "Figure 7", color=BLUE, ha="center", weight="bold")
    axes.text(-7.8, 1.06, "as far as\nanother digit")
    drawing.text(*place(drawing, 5.2, 2.5), "untold: both maps\nfollow the digit")
    return Result(drawing, claimed, {"digits": len(images)}, digits, {"displacement": displacement})


def curves(mapping: Callable[[np.ndarray], np.ndarray], images: np.ndarray) -> Curves:
    """By kind of move, the median way of a digit for each amount, in units of the median distance of two digits."""
    still, found = mapping(images).astype(np.float64), {}
    between = np.linalg.norm(still[:, None] - still, axis=2)[np.triu_indices(len(still), 1)]
    for kind, amounts in MOVES.items():
        there = (mapping(moved(images, **{kind: amount})) for amount in amounts)
        apart = np.array([np.median(np.linalg.norm(places - still, axis=1)) for places in there])
        found[kind] = apart / np.median(between)
    return found


def claims(five: Curves, seven: Curves, quick: bool) -> list[Claim]:
    """What the figure's title says, as numbers of the two maps' curves."""
    most, away, frays, absent = BOUNDS[quick]
    between = max(at(seven, "right", *BETWEEN))
    beyond = min(at(seven, "right", -8, 8)) / between
    elsewhere = [at(of, "down", 3) + at(of, "turn", -15, 15) for of in (seven, five)]
    untold = float(min(np.divide(*elsewhere)))
    return [
        Claim("between trained shifts it holds: Figure 7's displacement at ±1.5 and ±4.5", between, "≤", most),
        Claim("untold, there is none: Figure 5's displacement at ±3", min(at(five, "right", -3, 3)), "≥", away),
        Claim("beyond it frays: Figure 7's at ±8 over that between", beyond, "≥", frays),
        Claim("elsewhere it is absent: over Figure 5's, 3 down or 15° turned", untold, "≥", absent),
    ]


def at(of: Curves, kind: str, *amounts: float) -> list[float]:
    """A curve's values where digits were moved by these amounts."""
    return [float(of[kind][MOVES[kind] == amount][0]) for amount in amounts]

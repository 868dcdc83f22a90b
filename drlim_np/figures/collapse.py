"""Collapse, measured: one training with dissimilar pairs and one without (Sec. 2). Not a figure of the paper."""

import numpy as np

from drlim_np.data import Views, in_their_span
from drlim_np.drawing.panels import box, place, sheet
from drlim_np.drawing.space import Side, scatter
from drlim_np.drawing.style import BLUE, FAINT, VERMILLION, WIDTH
from drlim_np.figures import Claim, Result, Train, figure
from drlim_np.figures.figure8 import MARGIN, setting
from drlim_np.measure.cylinder import fit_views
from drlim_np.networks import two_layer
from drlim_np.objective import EveryPair
from drlim_np.training import SGD, constant, descend, embed

CLAIM = "Without dissimilar pairs the map collapses to a point;\nwith them it spreads and stays"
STEPS, DESCENT, WEIGHTING = 150, SGD(rate=0.3, momentum=0.9), "balanced"
NO_MARGIN = 1e-18  # no dissimilar pair is nearer than that, so none adds anything
SHOWN = (0, 10, 40, STEPS)  # the steps whose maps are drawn
LOOKS = {"with": (BLUE, (1, 0)), "without": (VERMILLION, (3, 1.5))}  # dissimilar pairs: a colour and dashes

# Bounds: the spread in margins with dissimilar pairs, at least; without, over that with them, at most.
SPREAD, COLLAPSED = 0.6, 0.01


@figure("collapse", needs="views", seconds=10)
def make(views: Views, train: Train) -> Result:
    """The training views of Figure 8, every pair in every step, once without the dissimilar ones."""
    given = setting(views, train)
    x, rng = in_their_span(given.inputs, given.train)[0][given.train], train.rng(11)
    settings = {"train": len(x), "margin": MARGIN, "weighting": WEIGHTING, "steps": STEPS} | vars(DESCENT)
    follows_from = [settings, x, given.similar.pairs, rng.bit_generator.state]

    def both_courses() -> dict[str, np.ndarray]:
        """The maps of x after 0, 1, 2 … steps from one W, with dissimilar pairs and without: (STEPS + 1, 660, 3)."""
        network = two_layer(x.shape[1])
        start, courses = network.init(rng), {}
        for name, margin in {"with": MARGIN, "without": NO_MARGIN}.items():
            objective = EveryPair(network, x, given.similar, margin, WEIGHTING)
            steps = descend(objective, start, DESCENT, STEPS, rng, constant)
            courses[name] = np.array([embed(network, start, x), *(embed(network, step.params, x) for step in steps)])
        return courses

    courses = train("collapse", follows_from, both_courses)
    spreads = {name: [spread(z) for z in course] for name, course in courses.items()}
    last = {name: of[-1] for name, of in spreads.items()}
    claims = [
        Claim("with dissimilar pairs: spread in margins", last["with"] / MARGIN, "≥", SPREAD),
        Claim("without: spread over that with them", last["without"] / last["with"], "≤", COLLAPSED),
    ]

    # Both spreads over the steps; under them both maps at some of the steps, each about its mean, all to one scale.
    words = f"{len(x)} views, {views.title}. Spread after {STEPS} steps:\n{last['with']:.3f} margins with"
    words += f" dissimilar pairs, {last['without']:.4f} without"
    side, high = 1.6, 2.5
    drawing, top = sheet(CLAIM, words, high + 0.8 + 2 * (side + 0.1) + 0.1)
    axes = drawing.add_axes(box(drawing, 1.25, top + 0.05, WIDTH - 1.5, high))
    for name, (colour, dashes) in LOOKS.items():
        axes.plot(spreads[name], color=colour, dashes=dashes, linewidth=2.6)
        at = STEPS // 2
        axes.text(at, 1.6 * spreads[name][at], f"{name} dissimilar pairs", color=colour, weight="bold", ha="center")
    for step in SHOWN:
        axes.axvline(step, color=FAINT, linewidth=0.8, dashes=(1, 2), zorder=0)
    axes.set(yscale="log", xlim=(0, STEPS), ylabel="spread, margins", xticks=SHOWN, xlabel="step")
    axes.set_yticks([0.001, 0.01, 0.1, 1], ["0.001", "0.01", "0.1", "1"])
    axes.set_ylim(0.7 * min(spreads["without"]), 3 * max(spreads["with"]))
    axes.minorticks_off()
    upright = fit_views(courses["with"][-1], views, given.train).frame.T
    maps = {name: [(z - z.mean(axis=0)) @ upright for z in courses[name][list(SHOWN)]] for name in LOOKS}
    reach = 1.3 * max(float(np.abs(of).max()) for of in maps.values())
    for line, (name, (colour, _)) in enumerate(LOOKS.items()):
        level = top + high + 0.8 + line * (side + 0.1)
        at = place(drawing, 0.35, level + side / 2)
        drawing.text(*at, name, color=colour, weight="bold", rotation=90, ha="center", va="center")
        for column, (step, z) in enumerate(zip(SHOWN, maps[name], strict=True)):
            panel = drawing.add_axes(box(drawing, 0.65 + column * 1.82, level, side, side), facecolor="#F1F1F1")
            scatter(panel, z, Side("", 45, 30), views, given.train, "azimuth", size=0.5)
            panel.set(xlim=(-reach, reach), ylim=(-reach, reach), xticks=[], yticks=[])
            panel.spines[:].set_visible(False)
            panel.text(0.04, 0.97, f"step {step}", transform=panel.transAxes, va="top")
    return Result(drawing, claims if views.name == "airplane" else [], settings, views, {"spread_by_step": spreads})


def spread(z: np.ndarray) -> float:
    """How far the points of a map (samples, dims) lie from their mean: the root of the mean square."""
    return float(np.sqrt(np.square(z - z.mean(axis=0, dtype=np.float64)).sum(axis=1).mean()))

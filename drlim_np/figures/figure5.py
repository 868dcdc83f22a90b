"""Figure 5: shifted digits, similar if near in pixels: only equal shifts are, and the map falls apart by shift."""

from dataclasses import asdict

from matplotlib import rc_context

from drlim_np.data.shifts import shifted
from drlim_np.figures.digits import Training, nearest
from drlim_np.figures.record import Claim, Result, Run
from drlim_np.figures.shifted_digits import (
    NEIGHBOURS,
    counts,
    draw,
    train,
    train_characters,
    unseen_digits,
    what_colours,
)
from drlim_np.figures.style import RULES

STEPS, QUICK_STEPS = 800, 200

# Bounds on the map of unseen digits, by data and quick: shift ratio, neighbours of the same shift, silhouette.
BOUNDS = {
    ("mnist", False): (1.1, 0.98, 0.40),
    ("handwriting", False): (1.0, 0.95, 0.30),
    ("mnist", True): (1.0, 0.80, 0.20),
    ("handwriting", True): (1.0, 0.80, 0.20),
}


@rc_context(RULES)
def make(run: Run) -> Result:
    """Digits and their shifts, similar if near in pixels: five clusters by shift."""
    digits, unseen = run.digits(), unseen_digits(run)
    characters = train_characters(run)
    x = shifted(characters)
    similar = nearest(run, x, NEIGHBOURS)
    training = Training(QUICK_STEPS if run.quick else STEPS)
    z, losses, ours = train(run, x, similar, "balanced", training, unseen, "figure 5")
    exact = None if run.quick else train(run, x, similar, "exact", training, unseen, "figure 5")[2]

    claims = [
        Claim("similar pairs listed", similar.listed_count, "=", NEIGHBOURS * len(x)),
        Claim("pairs together", len(similar.edges) + similar.dissimilar_count, "=", len(x) * (len(x) - 1) // 2),
    ]
    if (digits.name, run.quick) in BOUNDS:
        ratio, same, silhouette = BOUNDS[digits.name, run.quick]
        claims += [
            Claim("the shifts of a character lie apart: shift ratio", ours["shift_ratio"], "≥", ratio),
            Claim("neighbours of the same shift", ours["same_shift_neighbours"], "≥", same),
            Claim("five clusters: silhouette by shift", ours["silhouette_by_shift"], "≥", silhouette),
        ]
    settings = asdict(training) | {"weighting": "balanced", "neighbours": NEIGHBOURS, "train": len(x), "test": len(z)}
    measured = counts(similar, characters) | {"drlim": ours, "drlim_exact_weighting": exact}
    arrays = what_colours(z, unseen) | {"objective": losses}
    title = f"{len(z):,} shifted unseen digits of {digits.title}, neighbours by pixels, balanced weighting"
    return Result(draw(z, unseen, title, ours), claims, settings, digits, measured, arrays)

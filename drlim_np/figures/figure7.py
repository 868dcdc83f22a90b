"""Figure 7: shifted digits with the prior knowledge that a shift changes nothing: the map does not show it."""

from dataclasses import asdict

from matplotlib import rc_context

from drlim_np.data.shifts import SHIFTS, shifted
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
from drlim_np.neighbours import alike_in_any_copy

STEPS, QUICK_STEPS = 5000, 300
JOINED = 12  # characters whose five copies are tied by lines

# Bounds on the map of unseen digits, by data and quick: shift ratio, neighbours of the same shift at most; slant R²,
# accuracy at least.
BOUNDS = {
    ("mnist", False): (0.06, 0.22, 0.87, 0.76),
    ("handwriting", False): (0.06, 0.22, 0.87, 0.76),
    ("mnist", True): (0.25, 0.30, 0.4, 0.6),
    ("handwriting", True): (0.25, 0.30, 0.4, 0.6),
}


@rc_context(RULES)
def make(run: Run) -> Result:
    """Digits and their shifts, similar whatever the shift: copies packed together, one coherent map."""
    digits, unseen = run.digits(), unseen_digits(run)
    characters = train_characters(run)
    x, similar = shifted(characters), alike_in_any_copy(nearest(run, characters, NEIGHBOURS), len(SHIFTS))
    training = Training(QUICK_STEPS if run.quick else STEPS)
    z, losses, ours = train(run, x, similar, "balanced", training, unseen, "figure 7")
    exact = None if run.quick else train(run, x, similar, "exact", training, unseen, "figure 7")[2]

    listed = len(x) * (len(SHIFTS) - 1 + NEIGHBOURS * len(SHIFTS))
    claims = [
        Claim("similar pairs listed", similar.listed_count, "=", listed),
        Claim("pairs together", len(similar.edges) + similar.dissimilar_count, "=", len(x) * (len(x) - 1) // 2),
    ]
    if (digits.name, run.quick) in BOUNDS:
        ratio, same, slant, accuracy = BOUNDS[digits.name, run.quick]
        claims += [
            Claim("the shifts of a character packed together: shift ratio", ours["shift_ratio"], "≤", ratio),
            Claim("no organisation by shift: neighbours of the same shift", ours["same_shift_neighbours"], "≤", same),
            Claim("organised by slant: R² of its regression on the map", ours["slant_r2"], "≥", slant),
            Claim("classes side by side: 5-NN accuracy", ours["accuracy"], "≥", accuracy),
        ]
    settings = asdict(training) | {"weighting": "balanced", "neighbours": NEIGHBOURS, "train": len(x), "test": len(z)}
    measured = counts(similar, characters) | {"drlim": ours, "drlim_exact_weighting": exact}
    arrays = what_colours(z, unseen) | {"objective": losses}
    title = f"{len(z):,} shifted unseen digits of {digits.title}, similar whatever the shift, balanced weighting"
    return Result(draw(z, unseen, title, ours, JOINED), claims, settings, digits, measured, arrays)

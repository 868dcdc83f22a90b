"""Figure 6: LLE on shifted digits and their nearest neighbours: separated by shift, without global coherence."""

import warnings

from matplotlib import rc_context

from drlim_np.fast.knn import nearest_neighbours
from drlim_np.figures.record import Claim, Result, Run
from drlim_np.figures.shifted_digits import NEIGHBOURS, draw, organisation, saved_with, unseen_digits
from drlim_np.figures.style import RULES
from drlim_np.measure.lle import closed_groups, lle

TEST_PER_CLASS = 600  # with their shifts 6,000 samples, about the most that a dense M allows

WITHIN = "slant_r2", "accuracy", "unevenness", "trustworthiness", "continuity"  # rest on distances to near samples

BOUNDS = {("mnist", False): 0.8, ("handwriting", False): 0.6, ("mnist", True): 0.4, ("handwriting", True): 0.4}


@rc_context(RULES)
def make(run: Run) -> Result:
    """LLE of digits and their shifts, the same neighbours: degenerate."""
    digits, unseen = run.digits(), unseen_digits(run, TEST_PER_CLASS)
    pixels = unseen.inputs.reshape(len(unseen.inputs), -1)
    near = run.memory.remembered(nearest_neighbours, pixels, NEIGHBOURS, threads=run.threads)
    with warnings.catch_warnings(record=True) as said:  # that the graph may fall apart is what the figure shows
        warnings.simplefilter("always")
        z = run.memory.remembered(lle, pixels, near)
    theirs = organisation(z, unseen, run.memory, run.threads)
    claims = []
    if (digits.name, run.quick) in BOUNDS:
        bound = BOUNDS[digits.name, run.quick]
        claims.append(Claim("separated by shift: silhouette", theirs["silhouette_by_shift"], "≥", bound))
    groups = closed_groups(near)
    if groups > z.shape[1]:  # LLE moves each as a whole, so a spot is a point, but for rounding
        theirs = {name: value for name, value in theirs.items() if name not in WITHIN}
    measured = {"lle": theirs, "closed_groups": groups, "warnings": [str(warning.message) for warning in said]}
    found = "neighbours by pixels" if groups == 1 else f"in {groups} closed groups"
    title = f"LLE: {len(z):,} shifted digits of {digits.title}, {found}"
    settings = {"neighbours": NEIGHBOURS, "samples": len(z)}
    return Result(draw(z, unseen, title, theirs), claims, settings, digits, measured, saved_with(z, unseen))

"""Every figure by the name that `run_all.py --only` knows it by."""

from collections.abc import Callable

from drlim_np.figures import (
    collapse,
    figure1,
    figure2,
    figure3,
    figure4,
    figure4_scores,
    figure5,
    figure6,
    figure7,
    figure8,
    figure9,
    figure10,
    invariance,
    sheet_airplane,
    sheet_handwriting,
    towers,
    unfolding,
)
from drlim_np.runs.record import Result, Run

# What `run_all.py --only` accepts, in the order of the paper; towers, invariance and the sheets are not in it.
FIGURES: dict[str, Callable[[Run], Result]] = {
    "figure1": figure1.make,
    "figure2": figure2.make,
    "figure3": figure3.make,
    "figure4": figure4.make,
    "figure4-exact": figure4.make_exact,
    "figure4-verbatim": figure4.make_verbatim,
    "figure4-scores": figure4_scores.make,
    "figure5": figure5.make,
    "figure5-exact": figure5.make_exact,
    "figure6": figure6.make,
    "figure7": figure7.make,
    "figure7-exact": figure7.make_exact,
    "invariance": invariance.make,
    "figure8": figure8.make,
    "figure9": figure9.make,
    "figure10": figure10.make,
    "collapse": collapse.make,
    "unfolding": unfolding.make,
    "sheet": sheet_handwriting.make,
    "sheet-airplane": sheet_airplane.make,
    "towers": towers.make,
}
# Those that need 4s and 9s, views of an airplane, and those that are drawn by --only or --animate alone.
DIGITS = {name for name in FIGURES if name.startswith(("figure4", "figure5", "figure6", "figure7"))}
DIGITS |= {"figure3", "invariance"}
AIRPLANE = {"figure8", "figure9", "figure10", "collapse", "unfolding"}
ON_REQUEST = {"figure4-verbatim", "figure4-scores", "figure5-exact", "figure7-exact", "unfolding"}

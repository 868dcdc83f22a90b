"""DrLIM as an estimator, in the way that scikit-learn and its kin have made common: `fit`, `transform`, `score`.

It may use the paper's modules, fast, door, keep, measure, and the thumbnails of the figures; nothing uses it but
`drlim_np.DrLIM`, which leads here, the benchmark and the tests.
"""

from drlim_np.estimator.drlim import DrLIM
from drlim_np.estimator.picture import plot

__all__ = ["DrLIM", "plot"]

"""DrLIM as an estimator with the conventions of scikit-learn: `fit`, `transform`, `score`; and a picture of a map."""

from drlim_np.estimator.drlim import DrLIM
from drlim_np.estimator.picture import plot

__all__ = ["DrLIM", "plot"]

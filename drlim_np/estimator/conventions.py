"""What scikit-learn expects of an estimator beyond fit and transform, by hand: it is never imported from here.

Parameters are what `__init__` takes, kept as they came; what was learned ends in an underscore. So an estimator can be
cloned, searched over, put into a Pipeline, and asked for a table instead of an array.
"""

import inspect
import sys
from typing import Any, Self

import numpy as np

from drlim_np.errors import require


class Conventions:
    """The parameters of an estimator, and the container that its output comes in."""

    embedding_: np.ndarray  # the map, (samples, dims), once fitted
    _output: str

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The arguments of `__init__` by name, as they were given. `deep` changes nothing: none holds an estimator."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def set_params(self, **params: Any) -> Self:
        """Changes arguments of `__init__`; they take effect at the next `fit`."""
        known = self.get_params()
        for name, value in params.items():
            what = f"{name} is no parameter of {type(self).__name__}"
            require(name in known, f"{what}: choose from {', '.join(known)}")
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        defaults = {name: given.default for name, given in inspect.signature(type(self)).parameters.items()}
        changed = {name: value for name, value in self.get_params().items() if value is not defaults[name]}
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in changed.items())})"

    def set_output(self, *, transform: str | None = None) -> Self:
        """The kind of the maps: "default", an array, or "pandas", a table with named columns; None: as is."""
        remedy = 'choose "default" or "pandas"'
        require(transform in (None, "default", "pandas"), f"transform is {transform!r}: {remedy}")
        if transform is not None:
            self._output = transform
        return self

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """The names of the map's coordinates, such as drlim0 and drlim1; those of the features do not matter."""
        name = type(self).__name__.lower()
        return np.array([f"{name}{number}" for number in range(self.embedding_.shape[1])], dtype=object)

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn asks of every estimator. It alone calls this, so that it is there to be imported."""
        from sklearn.utils import InputTags, Tags, TargetTags, TransformerTags

        kept = TransformerTags(preserves_dtype=["float64", "float32"])
        return Tags(None, TargetTags(required=False), kept, input_tags=InputTags(three_d_array=True))

    def _contained(self, z: np.ndarray, x: Any) -> Any:
        """z (samples, dims) as `set_output` asked, or else `sklearn.set_config` where scikit-learn is in use."""
        sklearn = sys.modules.get("sklearn")
        kind = getattr(self, "_output", None) or (sklearn.get_config()["transform_output"] if sklearn else "default")
        if kind != "pandas":
            return z
        import pandas

        return pandas.DataFrame(z, index=getattr(x, "index", None), columns=self.get_feature_names_out())

"""What scikit-learn expects of an estimator beyond fit and transform, by hand: it is never imported from here.

Parameters are what `__init__` takes, kept as they came; what was learned ends in an underscore. So an estimator can be
cloned, searched over, put into a Pipeline, and asked for a table instead of an array.
"""

import inspect
import sys
import warnings
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Self

import numpy as np

from drlim_np.errors import InputError, require


class Conventions:
    """The parameters of an estimator, and the container that its output comes in."""

    embedding_: np.ndarray  # the map, (samples, dims), once fitted
    feature_names_in_: np.ndarray  # (features,) texts: the columns of the table that `fit` was given
    _sklearn_output_config: dict[str, str]  # under the names that scikit-learn's `clone` copies
    _metadata_request: Any

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
        """The kind of the maps: "default", an array, "pandas" or "polars", a table with named columns; None: as is."""
        remedy = 'choose "default", "pandas" or "polars"'
        require(transform in (None, "default", "pandas", "polars"), f"transform is {transform!r}: {remedy}")
        if transform is not None:
            self._sklearn_output_config = {"transform": transform}
        return self

    def set_fit_request(self, *, similar: bool | str | None) -> Self:
        """Whether `fit` asks a Pipeline or a search for `similar`, or under which name, by metadata routing."""
        self._metadata_request = request = self.get_metadata_routing()
        request.fit.add_request(param="similar", alias=similar)
        return self

    def get_metadata_routing(self) -> Any:
        """What scikit-learn asks of an estimator when it routes metadata."""
        from sklearn.utils.metadata_routing import MetadataRequest

        if hasattr(self, "_metadata_request"):
            return self._metadata_request
        request = MetadataRequest(type(self).__name__)
        request.fit.add_request(param="similar", alias=None)
        return request

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """The names of the map's coordinates, such as drlim0 and drlim1; those of the features do not matter."""
        self._require_fitted()
        name = type(self).__name__.lower()
        return np.array([f"{name}{number}" for number in range(self.embedding_.shape[1])], dtype=object)

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn asks of every estimator. It alone calls this, so that it is there to be imported."""
        from sklearn.utils import InputTags, Tags, TargetTags, TransformerTags

        kept = TransformerTags(preserves_dtype=["float64", "float32"])
        return Tags(None, TargetTags(required=False), kept, input_tags=InputTags(three_d_array=True))

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "embedding_")

    def _require_fitted(self) -> None:
        name = type(self).__name__
        require(self.__sklearn_is_fitted__(), f"this {name} is not fitted: call fit first")

    def _require_feature_names(self, x: Any) -> None:
        """The columns of a table are those that `fit` was given, in their order; in scikit-learn's words."""
        given, known = feature_names(x), list(getattr(self, "feature_names_in_", ()))
        name = type(self).__name__
        if given and known and given != known:
            found = sorted({*given} ^ {*known}) or "must be in the same order as they were in fit"
            raise InputError(f"The feature names should match those that were passed during fit: {found}")
        if given and not known:
            warnings.warn(f"X has feature names, but {name} was fitted without feature names", stacklevel=3)
        if known and not given:
            warnings.warn(f"X does not have valid feature names, but {name} was fitted with them", stacklevel=3)

    def _contained(self, z: np.ndarray, x: Any) -> Any:
        """z (samples, dims) as `set_output` asked, or else `sklearn.set_config` where scikit-learn is in use."""
        sklearn = sys.modules.get("sklearn")
        kind = sklearn.get_config()["transform_output"] if sklearn else "default"
        kind = getattr(self, "_sklearn_output_config", {}).get("transform", kind)
        if kind == "default":
            return z
        require(find_spec(kind) is not None, f"{kind} is not installed: pip install {kind}, or ask for another output")
        if kind == "polars":
            return import_module("polars").DataFrame(z, schema=self.get_feature_names_out().tolist())
        index = x.index if hasattr(x, "iloc") else None  # a table of pandas'; a list has an index that is none
        return import_module("pandas").DataFrame(z, index=index, columns=self.get_feature_names_out())


def feature_names(x: Any) -> list[str]:
    """The names of a table's columns, if they are texts."""
    names = list(getattr(x, "columns", ()))
    texts = [name for name in names if isinstance(name, str)]
    require(texts in ([], names), "X has feature names that are texts and others: rename by X.columns.astype(str)")
    return texts

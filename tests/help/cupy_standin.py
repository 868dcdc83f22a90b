"""CuPy where there is no GPU: arrays that are NumPy's underneath, with what sets CuPy apart from NumPy.

An array knows no module of its own, refuses to be read as NumPy's or mixed with it, and creation takes no `device`.
Which names CuPy has is not checked here but against CuPy itself, in test_cupy.py.
"""

from types import ModuleType, SimpleNamespace

import numpy as np

VIEWS = {"reshape", "permute_dims", "broadcast_to", "result_type", "isdtype", "finfo"}  # they compute nothing
launched = []  # the names of what would be launched on a GPU, one kernel or more each


class ndarray(np.lib.mixins.NDArrayOperatorsMixin):
    """Stands in for cupy.ndarray."""

    device = SimpleNamespace(id=0)
    shape, ndim, dtype, size = (
        property(lambda x, name=name: getattr(x.get(), name)) for name in ("shape", "ndim", "dtype", "size")
    )
    T, mT = (property(lambda x, name=name: ndarray(getattr(x.get(), name))) for name in ("T", "mT"))

    def __init__(self, host):
        self._host = host

    def get(self):
        return self._host

    def __array__(self, *_, **__):
        raise TypeError("Implicit conversion to a NumPy array is not allowed.")

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **options):
        assert method == "__call__" and out in (None, (self,))
        launched.append(ufunc.__name__)
        result = ufunc(*_hosts(inputs), out=out and _hosts(out), **options)
        return self if out else ndarray(np.asarray(result))

    def __getitem__(self, index):
        return ndarray(np.asarray(self._host[_hosts(index)]))

    def __setitem__(self, index, value):
        launched.append("setitem")
        self._host[_hosts(index)] = _hosts(value)

    def __bool__(self):
        return bool(self._host)


ndarray.__module__ = "cupy"


def module():
    """A module to be put in the place of CuPy in sys.modules."""
    cupy = ModuleType("cupy")
    cupy.__version__ = "14.0.0"
    cupy.ndarray = ndarray
    cupy.is_available = lambda: True
    cupy.asarray = lambda x: ndarray(np.array(x))
    cupy.cuda = SimpleNamespace(runtime=SimpleNamespace(getDeviceProperties=lambda _: {"name": b"stand-in for a GPU"}))
    cupy.__getattr__ = _like_numpys
    return cupy


def _like_numpys(name):
    numpys = getattr(np, name)
    if not callable(numpys) or isinstance(numpys, type):
        return numpys

    def function(*arguments, **options):
        assert "device" not in options, f"cupy.{name}() takes no device"
        if name not in VIEWS:
            launched.append(name)
        result = numpys(*_hosts(arguments), **{name: _hosts(value) for name, value in options.items()})
        return ndarray(np.asarray(result)) if isinstance(result, np.ndarray | np.generic) else result

    return function


def _hosts(values):
    """The arrays underneath; NumPy's own are refused, as CuPy refuses them."""
    if isinstance(values, list | tuple):
        return type(values)(_hosts(value) for value in values)
    assert not isinstance(values, np.ndarray), "NumPy's array among CuPy's"
    return values.get() if isinstance(values, ndarray) else values

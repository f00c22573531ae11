"""Objects that resist being looked at.

They are kept out of test modules and out of parameters: pytest itself looks at those.
"""

import numpy as np


class Meta(type):
    """A class of classes that resists being looked at."""

    def __getattribute__(cls, name):
        raise SystemExit(name)


class Hostile(metaclass=Meta):
    """Whatever one asks it, it raises."""

    def __getattribute__(self, name):
        raise SystemExit(name)

    def __eq__(self, other):
        raise SystemExit

    __hash__ = __repr__ = __array__ = __len__ = __iter__ = __bool__ = __eq__


class HostileList(list):
    def __iter__(self):
        raise SystemExit

    __len__ = __getitem__ = __eq__ = __repr__ = __iter__
    __hash__ = None


class HostileFloat(float):
    def __float__(self):
        raise SystemExit

    __eq__ = __repr__ = __pos__ = __float__
    __hash__ = None


class HostileArray(np.ndarray):
    def __getitem__(self, key):
        raise SystemExit

    __array_ufunc__ = __eq__ = __repr__ = __len__ = __iter__ = __getitem__
    __hash__ = None

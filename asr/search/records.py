"""Records: the arrays that the beam search works on.

An array of records has named fields, stored record by record. It is one argument of a compiled
function; one array per field would cost more to pass than the function's work.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Records: TypeAlias = "np.recarray[Any, Any]"  # one-dimensional
Ids = NDArray[np.int64]
Factors = NDArray[np.float64]  # what a probability is multiplied by, and probabilities themselves

NONE = -1  # an id of nothing: no prefix, no word, no node, no slot of the beam


def record_type(*, ids: Sequence[str], factors: Sequence[str]) -> np.dtype[np.void]:
    """Name the fields of a record: those of int32 first, then those of float64.

    Small records matter: the search reads them in no order, so most of its time is for memory.
    """
    fields = [*((name, np.int32) for name in ids), *((name, np.float64) for name in factors)]
    return np.dtype(fields, align=True)

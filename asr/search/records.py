"""Records: the arrays that the beam search works on.

An array of records has named fields, stored record by record. It is one argument of a compiled
function; one array per field would cost more to pass than the function's work.
"""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Records: TypeAlias = "np.recarray[Any, Any]"  # one-dimensional
Ids = NDArray[np.int64]
Factors = NDArray[np.float64]  # what a probability is multiplied by, and probabilities themselves

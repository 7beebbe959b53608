"""Types of the arrays that the package hands around."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

"""Pictures in memory."""

import numpy as np
from numpy.typing import NDArray

#: Shape (height, width, 3), blue, green, red, 0 to 255.
BgrImage = NDArray[np.uint8]
#: Shape (N, dimension), rows of length 1: their products are cosine similarities.
Embeddings = NDArray[np.float32]

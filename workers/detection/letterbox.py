"""Fit a frame into the model's input without changing its aspect, and bring boxes back.

The rounding follows Ultralytics' ``LetterBox`` and ``scale_boxes`` (8.4): a pixel more or less of padding moves every
box, and the results would no longer be the model's.
"""

from dataclasses import dataclass
from typing import Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.pictures import BgrImage

#: Grey level of the border, on which the models were trained.
PADDING_LEVEL: Final = 114


@dataclass(frozen=True, slots=True)
class Letterbox:
    """Where a frame lies in the model's input; all in pixels."""

    frame_width: int
    frame_height: int
    #: Size of the frame after scaling, at least 1 each.
    width: int
    height: int
    #: Border left of and above the scaled frame.
    left: int
    top: int

    @classmethod
    def fit(cls, frame_size: tuple[int, int], input_size: tuple[int, int]) -> Self:
        """Centre a frame in the input, as large as it fits.

        Args:
            frame_size: Height and width of the frame, at least 1 each.
            input_size: Height and width of the model's input.
        """
        frame_height, frame_width = frame_size
        input_height, input_width = input_size
        scale = min(input_height / frame_height, input_width / frame_width)
        width, height = max(round(frame_width * scale), 1), max(round(frame_height * scale), 1)
        # 0.1 decides where an odd pixel goes (right and bottom), as in training.
        left, top = round((input_width - width) / 2 - 0.1), round((input_height - height) / 2 - 0.1)
        return cls(frame_width, frame_height, width, height, left, top)

    def draw(self, image: BgrImage, canvas: BgrImage) -> None:
        """Write `image`, scaled, and the border into `canvas`.

        Args:
            image: Shape (frame_height, frame_width, 3), BGR.
            canvas: Shape (input height, input width, 3); overwritten wholly.
        """
        if canvas.shape[:2] != (self.height, self.width):
            canvas.fill(PADDING_LEVEL)
        inside = canvas[self.top : self.top + self.height, self.left : self.left + self.width]
        if (self.width, self.height) == (self.frame_width, self.frame_height):
            inside[:] = image
        else:
            inside[:] = cv2.resize(image, (self.width, self.height), interpolation=cv2.INTER_LINEAR)

    def to_frame(self, xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
        """Bring boxes from the model's input to the frame and clip them to it.

        Args:
            xyxy: Shape (N, 4), pixels of the model's input.

        Returns:
            Shape (N, 4), pixels of the frame.
        """
        offset = np.array([self.left, self.top, self.left, self.top], np.float32)
        # Each side is divided by its own, rounded, scale: that is what the resize really did.
        gain_x, gain_y = self.width / self.frame_width, self.height / self.frame_height
        boxes = (xyxy - offset) / np.array([gain_x, gain_y, gain_x, gain_y], np.float32)
        limit = np.array([self.frame_width, self.frame_height, self.frame_width, self.frame_height], np.float32)
        clipped: NDArray[np.float32] = np.clip(boxes, 0, limit, dtype=np.float32)
        return clipped

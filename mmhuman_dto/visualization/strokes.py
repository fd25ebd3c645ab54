"""Lines and areas at fractions of a pixel: OpenCV's pixel centres lie at integers, ours at + 0.5."""
import cv2
import numpy as np

#: Fraction bits of the coordinates handed to OpenCV's drawing.
SHIFT = 4


def fixed(point, *lengths):
    """OpenCV's fixed-point form of a point (2) px and of lengths (px), with :data:`SHIFT` fraction bits."""
    coordinates = np.clip(np.round((np.asarray(point) - .5) * 2**SHIFT), -2**20, 2**20)
    coordinates = tuple(int(c) for c in coordinates)
    return (coordinates, *(int(round(length * 2**SHIFT)) for length in lengths)) if lengths else coordinates


def line(image, start, end, color, strong):
    """Draws a line between points (2) px; a strong one twice, so that it stands out of the antialiasing."""
    cv2.line(image, fixed(start), fixed(end), color, 1, cv2.LINE_AA, SHIFT)
    if strong:
        cv2.line(image, fixed(start), fixed(end), color, 1, cv2.LINE_AA, SHIFT)


def polygon(image, corners, fill, edge):
    """Draws a filled polygon with corners (N, 2) px."""
    points = np.array([fixed(corner) for corner in corners], np.int32)
    cv2.fillPoly(image, [points], fill, cv2.LINE_AA, SHIFT)
    cv2.polylines(image, [points], True, edge, 1, cv2.LINE_AA, SHIFT)

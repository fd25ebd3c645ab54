"""Boxes and joints over a photo."""
import cv2
import numpy as np

from ..geometry.matching import joint_boxes
from .colors import person_colors, plate_color
from .strokes import SHIFT, fixed
from .text import INK, draw_text, place_labels, text_height, text_size

#: Fill of the dots of joints on the left and on the right side of the body; others have the person's colour.
LEFT, RIGHT = (255, 255, 255), (20, 20, 20)


def draw_annotations(image, ids, boxes=None, joints=None, seen=None, joint_set=None, labels=None):
    """Draws what is known of people in the picture's plane: boxes, joints with edges, a few words each.

    Dots of left joints are white, of right ones black, of others in the person's colour. The picture is a new one.

    Args:
        ids: (N,) integers that give the colours.
        boxes: (N, 4) px xyxy, or None. joints: (N, J, 2) px, or None.
        seen: (N, J) which joints to draw; default all.
        joint_set: :class:`~mmhuman_dto.body_models.JointSet` of the joints, or None for plain dots.
        labels: N texts, written at each box's (or person's) upper left corner where there is room.
    """
    picture, colors = image.copy(), person_colors(ids)
    thickness = max(1, round(min(image.shape[:2]) / 400))
    for person in range(len(ids)):
        color = tuple(int(c) for c in colors[person])
        if boxes is not None and np.isfinite(boxes[person]).all():
            low, high = boxes[person].reshape(2, 2)
            _outlined(cv2.rectangle, picture, fixed(low), fixed(high), color, thickness)
        if joints is not None:
            _draw_joints(picture, joints[person], _drawable(joints, seen)[person], joint_set, color, thickness)
    if labels is not None:
        _write_labels(picture, labels, _corners(boxes, joints, seen, len(ids)), colors)
    return picture


def boxes_of_joints(joints, seen):
    """Boxes (N, 4) px xyxy around the seen of joints (N, J, 2) px; nan around none."""
    return joint_boxes(joints, _drawable(joints, seen))


def _drawable(joints, seen):
    finite = np.isfinite(joints).all(-1)
    return finite if seen is None else finite & np.asarray(seen, bool)


def _draw_joints(picture, points, use, joint_set, color, thickness):
    for a, b in joint_set.edges if joint_set else ():
        if use[a] and use[b]:
            _outlined(cv2.line, picture, fixed(points[a]), fixed(points[b]), color, thickness)
    names = joint_set.names if joint_set else [''] * len(points)
    for name, point in zip([name for name, used in zip(names, use) if used], points[use]):
        fill = LEFT if name.startswith('left_') else RIGHT if name.startswith('right_') else color
        dot = fixed(point, 1.6 * thickness)
        cv2.circle(picture, *dot, color, thickness + 1, cv2.LINE_AA, SHIFT)
        cv2.circle(picture, *dot, fill, -1, cv2.LINE_AA, SHIFT)


def _outlined(draw, picture, start, end, color, thickness):
    """A stroke with a dark rim, visible on any background."""
    dark = tuple(c // 4 for c in color)
    for stroke, width in ((dark, thickness + 2), (color, thickness)):
        draw(picture, start, end, stroke, width, cv2.LINE_AA, SHIFT)


def _corners(boxes, joints, seen, count):
    """Upper left corners (N, 2) px of people, nan where nothing says where they are."""
    if boxes is None:
        boxes = np.full((count, 4), np.nan) if joints is None else boxes_of_joints(joints, seen)
    return boxes[:, :2]


def _write_labels(picture, labels, corners, colors):
    height, width = picture.shape[:2]
    cap = text_height((height, width))
    known = np.flatnonzero(np.isfinite(corners).all(1))
    sizes = [text_size([labels[i]], cap) for i in known]
    anchors = [(corners[i, 0] + size[0] / 2, max(corners[i, 1], size[1])) for i, size in zip(known, sizes)]
    for i, place in zip(known, place_labels(anchors, sizes, (width, height), 0)):
        if place is not None:
            draw_text(picture, [labels[i]], place, cap, INK, plate_color(colors[i]))

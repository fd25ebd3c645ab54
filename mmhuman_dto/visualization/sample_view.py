"""One sample on one picture: everything its annotations say."""
import numpy as np

from mmhuman_dto.body_models.joint_sets import JOINT_SETS

from .annotations import boxes_of_joints, draw_annotations
from .birdseye import draw_birdseye
from .overlay import draw_overlay
from .scene import Placement
from .stick_figures import stick_figures
from .text import INK, draw_text, fit_text, text_height

PAPER = (255, 255, 255)
#: The view from above is drawn at least this high, px.
_LOWEST_BIRDSEYE = 320


def draw_sample(sample, body_model=None, title=''):
    """Draws a sample: 2D annotations, then bodies over the photo, then from above on a metre grid.

    What is not known is not drawn: without meshes, 3D joints appear as stick figures; without these there is no view
    from above; without a camera nothing is laid over the photo.

    Args:
        sample: :class:`~mmhuman_dto.structures.HumanDataSample` with ``image`` (H, W, 3) uint8 RGB and
            ``gt_instances``.
        body_model: of the meshes; None leaves them out.
        title: text above the pictures.
    """
    people = sample.gt_instances
    ids = np.asarray(people.person_index) if 'person_index' in people else np.arange(len(people))
    pictures = [_annotated(sample.image, people, ids, joint_set_of(sample))]
    bodies = _bodies(sample, people, ids, body_model)
    if bodies is not None:
        placement, faces = bodies
        if placement.intrinsics is not None:
            pictures.append(draw_overlay(sample.image, placement, faces))
        side = max(sample.image.shape[0], _LOWEST_BIRDSEYE)
        pictures.append(draw_birdseye([('from above', placement)], faces, sample.image.shape[:2],
                                      panel_size=(side, side)))
    return _titled(_in_a_row(pictures), title)


def joint_set_of(sample):
    """The :class:`JointSet` of a sample's joints, by its name or by the joints' names; None where it is unknown."""
    wanted = sample.get('joint_set')
    if wanted is None or isinstance(wanted, str):
        return JOINT_SETS.get(wanted)
    return next((joint_set for joint_set in JOINT_SETS.values() if joint_set.names == tuple(wanted)), None)


def _annotated(image, people, ids, joint_set):
    def field(name):
        return people[name].numpy() if name in people else None

    boxes, joints, seen = (field(name) for name in ('bboxes', 'keypoints_2d', 'keypoints_2d_valid'))
    if boxes is None and joints is not None:
        boxes = boxes_of_joints(joints, seen)
    return draw_annotations(image, ids, boxes, joints, seen, joint_set, _words(people))


def _words(people):
    """What is known of each person but its place, in a few words."""
    words = [[] for _ in range(len(people))]
    for name, text in (('depth_layers', 'layer {:.0f}'), ('ages', '{:.0f} y')):
        if name in people:
            for said, value in zip(words, people[name].tolist()):
                if value >= 0:  # neither nan nor -1
                    said.append(text.format(value))
    return [f'{number}: {", ".join(said)}' if said else str(number) for number, said in enumerate(words)]


def _bodies(sample, people, ids, body_model):
    """Placement of meshes, else of stick figures, and their faces; None where nothing is known in space."""
    if body_model is not None and 'transl' in people and 'gt_camera' in sample:
        return Placement.from_sample(sample, body_model, 'gt')._replace(ids=ids), body_model.faces.numpy()
    joint_set = joint_set_of(sample)
    if 'keypoints_3d' not in people or joint_set is None:
        return None
    valid = people.keypoints_3d_valid if 'keypoints_3d_valid' in people else np.ones(people.keypoints_3d.shape[:2])
    intrinsics = sample.gt_camera.intrinsics.double().numpy() if 'gt_camera' in sample else None
    return stick_figures(people.keypoints_3d.numpy(), np.asarray(valid) > 0, joint_set.edges, ids, intrinsics)


def _in_a_row(pictures):
    """Pictures side by side, lower ones filled up with paper."""
    height = max(len(picture) for picture in pictures)
    filled = [np.pad(picture, ((0, height - len(picture)), (0, 0), (0, 0)), constant_values=PAPER[0])
              for picture in pictures]
    return np.concatenate(filled, 1)


def _titled(picture, title):
    if not title:
        return picture
    cap = fit_text(title, text_height((_LOWEST_BIRDSEYE * 2, picture.shape[1])), picture.shape[1])
    strip = np.full((round(cap * 2.6), picture.shape[1], 3), PAPER, np.uint8)
    draw_text(strip, [title], (0, cap * .4), cap, INK)
    return np.concatenate([strip, picture])

"""What is seen of people in one frame, as the tracker takes it."""
from dataclasses import dataclass, fields

import numpy as np
import torch

from .appearance import COLOURS

#: Shape of one person's entry.
ROWS = dict(boxes=(4, ), positions=(3, ), depth_stds=(), heights=(), joints=(17, 2), joint_scores=(17, ),
            pose=(24, 3), scores=(), colours=(COLOURS, ))


@dataclass(frozen=True)
class Observations:
    """N people of one frame; arrays or tensors in, float64 arrays kept. What is not known is None, or nan in a row.

    Attributes:
        boxes: (N, 4) xyxy px.
        positions: (N, 3) m, the pelvis in the camera frame.
        depth_stds: (N) of the distance, part of it; nan: the tracker's own.
        heights: (N) m.
        joints: (N, 17, 2) px, COCO's. joint_scores: (N, 17) 0..1.
        pose: (N, 24, 3) m, SMPL's joints about the pelvis, camera frame.
        scores: (N) 0..1, how sure it is that somebody is there; None: 1.
        colours: (N, ``appearance.COLOURS``) of :func:`~.appearance.colour_histograms`.
    """
    boxes: np.ndarray
    positions: np.ndarray | None = None
    depth_stds: np.ndarray | None = None
    heights: np.ndarray | None = None
    joints: np.ndarray | None = None
    joint_scores: np.ndarray | None = None
    pose: np.ndarray | None = None
    scores: np.ndarray | None = None
    colours: np.ndarray | None = None

    def __post_init__(self):
        count = len(self.boxes)
        for field in fields(self):
            value, shape = getattr(self, field.name), (count, *ROWS[field.name])
            if value is None:
                empty = dict(scores=1., joint_scores=0. if self.joints is None else 1.)
                value = np.full(shape, empty.get(field.name, np.nan))
            elif torch.is_tensor(value):
                value = value.detach().cpu().numpy()
            value = np.asarray(value, np.float64)
            if value.shape != shape:
                raise ValueError(f'{field.name} of {count} people have the shape {value.shape}, expected {shape}')
            object.__setattr__(self, field.name, value)

    def __len__(self):
        return len(self.boxes)

    def __getitem__(self, rows):
        """Some of the people: a slice, indices or a mask."""
        return Observations(*(getattr(self, field.name)[rows] for field in fields(self)))

    @classmethod
    def cat(cls, many):
        """The people of several, one after the other."""
        return cls(*(np.concatenate([getattr(one, field.name) for one in many]) for field in fields(cls)))

    @classmethod
    @torch.no_grad()
    def of_people(cls, people, body_model=None, colours=None):
        """People of a frame as the tracker sees them.

        Args:
            people: :class:`~mmhuman_dto.structures.People` with ``bboxes``, and what else is known of ``scores``,
                ``heights``, and COCO's 17 joints as ``keypoints_2d`` with ``keypoints_2d_valid``. Of stated deviations
                of depths most stays from frame to frame, so that they say little here.
            body_model: of their meshes, for positions, poses and, without ``heights``, heights.
            colours: as the attribute.
        """
        known = dict(boxes=people.bboxes, scores=people.get('scores'), heights=people.get('heights'), colours=colours)
        if 'keypoints_2d' in people and people.keypoints_2d.shape[1:] == (17, 2):
            known.update(joints=people.keypoints_2d, joint_scores=people.get('keypoints_2d_valid'))
        if body_model is not None:
            joints = body_model.skeleton(people.pose, people.betas, people.transl)
            known.update(positions=joints[:, 0], pose=joints - joints[:, :1])
            if known['heights'] is None:
                known['heights'] = body_model.height(people.betas)
        return cls(**known)

"""What DTO needs from other networks, or from files that hold their output: one small interface each.

A source is called with a list of samples (metainfo ``img_id``, ``img_path``, ``ori_shape``; the field ``image``
(H, W, 3) uint8 RGB; ``pred_instances``) and answers with one result a sample, in order. It must not change the samples.
What is wrong with one image is raised as :class:`SourceError`; the caller then asks again image by image.
"""
import math
from abc import ABC, abstractmethod


class SourceError(RuntimeError):
    """What a source needs of one image is absent or malformed; names the file."""


class DepthSource(ABC):
    """Inverse depth of each image.

    Its unit is 1/km (1000 / depth in m) where depth is metric, the network's own where it is relative. Of the solvers
    only the paper's depends on it: people below 50, 1 / ``FAR_DEPTH``, are far there, which is beyond 20 m in 1/km.

    Attributes:
        kind: what its maps were before they became disparity, see :data:`~.depth_kinds.KINDS`.
    """
    kind = 'disparity'

    @abstractmethod
    def __call__(self, samples):
        """list of samples -> list of (H, W) float32 tensors: disparity >= 0, 0 where unknown, of the image's size."""

    def with_focals(self, samples):
        """list of samples -> list of (disparity as of a call, focal length that came with it, px of the image; nan)."""
        return [(disparity, math.nan) for disparity in self(samples)]


class MaskSource(ABC):
    """Which person each pixel shows."""

    @abstractmethod
    def __call__(self, samples):
        """list of samples -> list of (H, W) int32 tensors: 0 nobody, i + 1 row i of ``pred_instances``."""


class AgeSource(ABC):
    """Age and P(male) of each person."""

    @abstractmethod
    def __call__(self, samples):
        """list of samples -> list of (ages (N,) years, male_probs (N,)) float32, as ``pred_instances``; nan unknown."""


class PeopleSource(ABC):
    """Where people are.

    A source of joints too has the attribute ``joint_set``, and ``sets = ('detected_instances.keypoints_2d', )``.
    """

    @abstractmethod
    def __call__(self, samples):
        """list of samples -> list of :class:`People`, best first: ``bboxes`` px, ``scores``; where known
        ``masks`` bool, ``keypoints_2d`` px and, as ``keypoints_2d_valid``, their scores."""


class KeypointSource(ABC):
    """2D joints of the people that were found, the samples' ``detected_instances``.

    Attributes:
        joint_set: name of the joint set.
    """
    joint_set = 'coco17'

    @abstractmethod
    def __call__(self, samples):
        """list of samples -> list of (keypoints (N, J, 2) px, scores (N, J) 0..1), as ``detected_instances``."""


class MeshSource(ABC):
    """Everybody's mesh, and the camera it is seen with.

    Attributes:
        body_model: the body model the parameters are of.
        focal_source: what metainfo ``focal_source`` says of its cameras.
        per_detection: whether its row i is row i of ``detected_instances``.
        caveat: what users must know of its meshes; ''.
    """
    focal_source, per_detection, caveat = 'network', False, ''

    @abstractmethod
    def __call__(self, samples):
        """list of samples -> list of (:class:`People` with ``global_orient``, ``body_pose``, ``betas``, ``transl``;
        :class:`Camera`), camera frame, m, px of the image."""


class FocalSource(ABC):
    """What is known of the focal length before looking at the picture.

    Attributes:
        focal_std: standard deviation of the logarithm of the focal length.
    """
    focal_std = 0.

    @abstractmethod
    def __call__(self, samples):
        """list of samples -> list of focal lengths, px of the image; nan unknown."""

"""What DTO needs from other networks, or from files that hold their output: one small interface each.

A source is called with a list of samples (metainfo ``img_id``, ``img_path``, ``ori_shape``; the field ``image``
(H, W, 3) uint8 RGB; ``pred_instances``) and answers with one result a sample, in order. It must not change the samples.
What is wrong with one image is raised as :class:`SourceError`; the caller then asks again image by image.
"""
from abc import ABC, abstractmethod


class SourceError(RuntimeError):
    """What a source needs of one image is absent or malformed; names the file."""


class DepthSource(ABC):
    """Relative inverse depth of each image."""

    @abstractmethod
    def __call__(self, samples):
        """list of samples -> list of (H, W) float32 tensors: disparity >= 0, 0 where unknown, of the image's size."""


class MaskSource(ABC):
    """Which person each pixel shows."""

    @abstractmethod
    def __call__(self, samples):
        """list of samples -> list of (H, W) int32 tensors: 0 nobody, i + 1 row i of ``pred_instances``."""


class AgeSource(ABC):
    """Age and P(male) of each person."""

    @abstractmethod
    def __call__(self, samples):
        """list of samples -> list of (ages (N,) years, male_probs (N,)) float32, as ``pred_instances``."""

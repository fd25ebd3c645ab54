"""Clips with known answers: crowds that move through the frames of a video."""
from .config import ClipConfig
from .crowd import MovingCrowd, sample_clip
from .errors import ClipErrors, Parts, clip_samples
from .keypoints import ClipKeypointErrors, FrameKeypoints, clip_keypoints

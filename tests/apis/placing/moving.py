"""A crowd that moves through a still picture, as results of programs that follow people, with exact truth."""
from typing import NamedTuple

import numpy as np
import torch
from results.videos import TrueTrack

from mmhuman_dto.registry import BODY_MODELS
from mmhuman_dto.results.smpl_family import REST_PELVIS
from mmhuman_dto.structures import Clip
from mmhuman_dto.synthetic import Renderer
from mmhuman_dto.synthetic.clips import ClipConfig, clip_samples, sample_clip


class Moving(NamedTuple):
    """A video of T frames.

    Attributes:
        truth: :class:`Clip`, whose world is that of its camera.
        tracks: {number: :class:`TrueTrack`} of what a program took people for, without meshes: adults in SMPL's pose
            whose pelvises are ``pelvis`` (F, 3), m, by the focal length ``focal``, px.
        pictures: what the renderer made of each frame, where they were kept.
    """
    truth: Clip
    tracks: dict
    focal: float
    pictures: list

    @property
    def size(self):
        return self.truth.image_size

    def seen_by(self, focal):
        """The tracks as they are seen by another focal length, px, farther away."""
        rest = np.array(REST_PELVIS['smpl'], np.float32)
        ratio = np.array([1, 1, focal / self.focal], np.float32)
        return {number: track._replace(transl=((track.joints[:, 0] * ratio) - rest).astype(np.float32))
                for number, track in self.tracks.items()}


@torch.no_grad()
def moving(index=0, seconds=1.5, size=(240, 320), people=(3, 3), seed=11, images=False):
    """:class:`Moving` of the ``index``-th clip."""
    openbody = BODY_MODELS.build(dict(type='OpenBody'))
    config = ClipConfig(size=size, seconds=seconds, people=people, cameras=(('still', 1.), ))
    crowd = sample_clip(index, openbody, config, seed)
    pictures = list(crowd.pictures(Renderer(openbody), images))
    samples = list(clip_samples(crowd, pictures))
    truth, rows = crowd.clip, {}
    truth.camera_poses = None
    for frame, sample in enumerate(samples):
        people = sample.pred_instances
        # Each frame's focal length was assumed; one of all is what these programs have.
        bones = openbody.skeleton(people.pose, people.betas, people.transl)
        bones = bones * torch.tensor([1, 1, truth.intrinsics[0, 1, 1] / sample.pred_camera.intrinsics[1, 1]])
        for row, number in enumerate(people.track_ids.tolist()):
            rows.setdefault(number, []).append((frame, people.pose[row].numpy(), bones[row].numpy()))
    tracks = {}
    for number, found in rows.items():
        frames, pose, joints = zip(*found)
        joints = np.stack(joints).astype(np.float32)
        tracks[number] = TrueTrack(list(frames), np.stack(pose).astype(np.float32),
                                   np.zeros((len(frames), 10), np.float32),
                                   joints[:, 0] - np.array(REST_PELVIS['smpl'], np.float32), None, joints)
    return Moving(truth, tracks, float(truth.intrinsics[0, 1, 1]), pictures)

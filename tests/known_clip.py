"""A video of a still wall, and a source of joints that knows what a clip's people would have looked like in it."""
from functools import cache

import cv2
import numpy as np
import torch

from mmhuman_dto.apis.video import VideoInferencer
from mmhuman_dto.geometry.matching import joint_boxes
from mmhuman_dto.perception.base import PeopleSource
from mmhuman_dto.registry import BODY_MODELS, SOURCES
from mmhuman_dto.structures import People
from mmhuman_dto.synthetic import Renderer
from mmhuman_dto.synthetic.clips import ClipConfig, sample_clip
from mmhuman_dto.synthetic.clips.keypoints import ClipKeypointErrors, clip_keypoints

FPS, SECONDS, SIZE = 10., 3., (180, 320)
COUNT = round(FPS * SECONDS)


@cache
def moving_crowd(seed=3):
    """Two people who walk and stand before a still camera."""
    body_model = BODY_MODELS.build(dict(type='OpenBody'))
    config = ClipConfig(size=SIZE, seconds=SECONDS, fps=FPS, people=(2, 2), child_share=0., enter_leave=0.,
                        cameras=(('still', 1.), ), activities=(('walk', 1.), ))
    return sample_clip(seed, body_model, config)


def inferencer(files, crowd, **known):
    """:class:`VideoInferencer` that knows the camera and, by files in a folder, the joints."""
    source = dict(type='KnownClipJoints', path=str(files / 'joints.npz'), **known)
    return VideoInferencer(focal=float(crowd.frames[0].intrinsics[1, 1]), options={'stages.detect.source': source})


def write_depth(folder, crowd):
    """Write a depth map in metres of each of a crowd's frames, for the video ``walk.mp4``."""
    renderer = Renderer(crowd.body_model)
    (folder / 'walk.mp4').mkdir(parents=True)
    for t, picture in enumerate(crowd.pictures(renderer, images=False)):
        np.save(folder / f'walk.mp4/{t:06d}.npy', np.where(picture.depth > 0, picture.depth, 1e3).astype(np.float32))


def write_joints(path, crowd, errors=None):
    """Write the joints of a crowd's frames for :class:`KnownClipJoints`."""
    arrays = {}
    for t in range(len(crowd)):
        found = clip_keypoints(crowd, t, errors or ClipKeypointErrors.none())
        arrays |= {f'joints_{t}': found.keypoints, f'scores_{t}': found.keypoint_scores}
    np.savez(path, **arrays)


def write_video(path, count, size=SIZE, fps=FPS, walls=(0, )):
    """Write a video of ``count`` frames of a wall; of several ``walls`` (seeds) as many of each, one by one."""
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*'mp4v'), fps, size[::-1])
    for t in range(count):
        rng = np.random.default_rng(walls[t * len(walls) // count])
        coarse = rng.integers(0, 255, (size[0] // 12, size[1] // 12, 3)).astype(np.uint8)
        writer.write(cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_NEAREST))
    writer.release()


@SOURCES.register_module()
class KnownClipJoints(PeopleSource):
    """Joints by the number of the frame, from a file of :func:`write_joints`; ``nobody``, ``broken``: frames in which
    nobody is found, and which fail."""
    joint_set = 'coco17'
    sets = ('detected_instances.keypoints_2d', )

    def __init__(self, path, nobody=(), broken=()):
        self.arrays, self.nobody, self.broken, self.forgot = dict(np.load(path)), nobody, broken, 0

    def forget(self):
        """Counts how often it is asked to."""
        self.forgot += 1

    def __call__(self, samples):
        return [self._find(sample.frame) for sample in samples]

    def _find(self, frame):
        if frame in self.broken:
            raise RuntimeError('no joints today')
        joints, scores = (self.arrays.get(f'{name}_{frame}', np.zeros(shape)) for name, shape in (
            ('joints', (0, 17, 2)), ('scores', (0, 17))))
        if frame in self.nobody:
            joints, scores = joints[:0], scores[:0]
        return People(num_people=len(joints), keypoints_2d=torch.from_numpy(joints).float(),
                      keypoints_2d_valid=torch.from_numpy(scores).float(), scores=torch.full((len(joints), ), .9),
                      bboxes=torch.from_numpy(joint_boxes(joints, scores > .2)).float().reshape(-1, 4))

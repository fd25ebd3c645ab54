"""Crowds drawn as they are asked for, with exact truth and no end."""
import hashlib
import os
from pathlib import Path

import cv2
import numpy as np
from torch.utils.data import Dataset

from mmhuman_dto.fileio import load_npz
from mmhuman_dto.registry import BODY_MODELS, DATASETS
from mmhuman_dto.synthetic import CrowdConfig, Renderer, sample_scene
from mmhuman_dto.synthetic.samples import sample_of, scene_record

from .transforms import Pipeline


@DATASETS.register_module()
class SyntheticCrowd(Dataset):
    """Rendered scenes of people of all ages, item i always the same: nothing has to be on disk.

    An item is a :class:`HumanDataSample` with ``image`` (H, W, 3) uint8 RGB, ``gt_instances`` (bboxes, keypoints, pose,
    betas, transl, heights, ages, male_probs, depth_layers), ``gt_camera`` (intrinsics, fov) and ``gt_maps`` (depth,
    id_map).

    Args:
        body_model: config of a body model with a child coefficient.
        scenes: arguments of :class:`mmhuman_dto.synthetic.CrowdConfig` that differ from its defaults.
        seed: other seeds give other scenes; training and test sets take different ones.
        num_scenes: length.
        pipeline: transforms, each sample -> sample.
        cache_dir: keep what was drawn in this folder and read it the next time; one file a scene, in a subfolder named
            by the arguments that shape the scenes.
    """
    METAINFO = dict(dataset_name='synthetic_crowd')

    def __init__(self, body_model=None, scenes=None, seed=0, num_scenes=100_000, pipeline=(), cache_dir=None):
        body_model = body_model or dict(type='OpenBody')
        self.body_model = BODY_MODELS.build(body_model)
        self.config = CrowdConfig(**(scenes or {}))
        self.seed, self.num_scenes = seed, num_scenes
        self.renderer = Renderer(self.body_model)
        self.pipeline = Pipeline(pipeline)
        self.cache = cache_dir and Path(cache_dir) / _fingerprint(self.body_model, self.config, seed)
        self.metainfo = dict(self.METAINFO, body_model=body_model['type'])

    def __len__(self):
        return self.num_scenes

    def __getitem__(self, index):
        if not 0 <= index < len(self):
            raise IndexError(f'scene {index} of {len(self)}')
        record = self._draw(index) if self.cache is None else self._cached(index)
        meta = dict(img_id=f'{self.seed}/{index:08d}', body_model=self.metainfo['body_model'],
                    joint_set=self.body_model.joint_names)
        return self.pipeline(sample_of(record, meta))

    def _draw(self, index):
        scene = sample_scene(index, self.body_model, self.config, self.seed)
        return scene_record(scene, self.renderer(scene))

    def _cached(self, index):
        path = self.cache / f'{index:08d}.npz'
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            record = self._draw(index)
            packed = dict(record, image=cv2.imencode('.png', record['image'])[1])
            temporary = path.with_suffix(f'.{os.getpid()}.tmp')
            with temporary.open('wb') as file:
                np.savez_compressed(file, **packed)
            temporary.rename(path)
        with load_npz(path) as file:
            record = dict(file)
        return dict(record, image=cv2.imdecode(record['image'], cv2.IMREAD_COLOR))


def _fingerprint(body_model, config, seed):
    """Name of the scenes' folder; a body whose data changed gets another one, or its old pictures would not fit it."""
    text = hashlib.sha256(repr((type(body_model).__name__, config, seed)).encode())
    for data in (body_model.template, body_model.shape_dirs, body_model.skin_weights):
        text.update(data.numpy().tobytes())
    return text.hexdigest()[:12]

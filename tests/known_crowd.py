"""Sources that answer as networks would who know the bundled crowd; imported by configs of tests."""
import json
from pathlib import Path

import cv2
import numpy as np
import torch

from mmhuman_dto.datasets.public.initial_meshes import InitialMeshes
from mmhuman_dto.geometry import project
from mmhuman_dto.perception.transformers_people import mask_boxes
from mmhuman_dto.registry import BODY_MODELS, SOURCES
from mmhuman_dto.structures import People
from mmhuman_dto.tables.people_table import PeopleTable


@SOURCES.register_module()
class KnownCrowd:
    """One of ``part``: people (shuffled, the first one twice, the last one missed), keypoints, meshes, ages.

    Args:
        root: folder of the crowd. part: what is asked for. body_model: of the meshes, or its config.
    """
    joint_set = 'coco17'

    def __init__(self, root, part, body_model=None, device=None):
        self.root, self.answer, self.device = Path(root), getattr(self, f'_{part}'), device
        built = isinstance(body_model, torch.nn.Module)
        self.body_model = body_model if built else BODY_MODELS.build(body_model or dict(type='OpenBody'))
        self.truth, self.initial = PeopleTable(self.root / 'truth'), InitialMeshes('initial_meshes.npz', data_root=root)
        self.rows = {self.truth.image_id(i): i for i in range(len(self.truth))}

    def __call__(self, samples):
        return [self.answer(sample) for sample in samples]

    def _people(self, sample):
        ids = cv2.imread(str(self.root / 'masks' / Path(sample.img_id).with_suffix('.png')), cv2.IMREAD_UNCHANGED)
        masks = torch.from_numpy(np.stack([ids == i + 1 for i in range(ids.max())]))
        order = [i for i in range(len(masks) - 1, -1, -1) if masks[i].any()][1:]
        masks = masks[[*order, order[0]]]
        scores = torch.linspace(.99, .7, len(masks))
        return People(bboxes=mask_boxes(masks), scores=scores, masks=masks)

    def _keypoints(self, sample):
        """Those of the true body whose box a person's mask fills best."""
        truth = self.truth[self.rows[sample.img_id]]
        people = truth.pred_instances
        body = self.body_model(people.pose, people.betas, people.transl)
        joints = project(self.body_model.select_joints(body, 'coco17'), truth.pred_camera.intrinsics)
        ids = cv2.imread(str(self.root / 'masks' / Path(sample.img_id).with_suffix('.png')), cv2.IMREAD_UNCHANGED)
        owners = [int(ids[mask.numpy()][0]) - 1 for mask in sample.detected_instances.masks]
        return joints[owners], torch.full((len(owners), 17), .9)

    def _meshes(self, sample):
        initial = self.initial[self.initial.ids.index(sample.img_id)]
        return initial.pred_instances, initial.pred_camera

    def _ages(self, sample):
        """By the poses, which tell who a mesh is."""
        entry = json.loads((self.root / 'ages.json').read_text())[sample.img_id]
        poses = self.initial[self.initial.ids.index(sample.img_id)].pred_instances.body_pose.flatten(1)
        rows = torch.cdist(sample.pred_instances.body_pose.flatten(1), poses).argmin(1)
        return tuple(torch.tensor([float('nan') if v is None else v for v in entry[name]])[rows]
                     for name in ('ages', 'male_probs'))

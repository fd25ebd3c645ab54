"""A network that knows the bundled crowd, for tests of what comes after networks."""
import torch
from scripts import ROOT

from mmhuman_dto.apis.inference.result import Inference
from mmhuman_dto.datasets.public.initial_meshes import InitialMeshes
from mmhuman_dto.fileio.images import read_image
from mmhuman_dto.registry import BODY_MODELS

CROWD = ROOT / 'demo/resources/crowd'


class Known:
    """In place of a network: initial meshes of the bundled crowd."""

    def __init__(self):
        self.body_model = BODY_MODELS.build(dict(type='OpenBody'))
        self.source = InitialMeshes('initial_meshes.npz', 'images', CROWD)

    def batches(self, rows):
        yield [self._result(self.source[row]) for row in rows]

    def _result(self, sample):
        image = read_image(sample.img_path)
        people = sample.pred_instances
        people.betas = torch.nn.functional.pad(people.betas, (0, 11 - people.betas.shape[1]))
        sample.set_metainfo(dict(ori_shape=image.shape[:2], img_shape=image.shape[:2], joint_set='smpl45'))
        return Inference(sample.img_id, image, sample)

"""The bundled crowd fits the body model that ships with it: make the crowd again whenever the body changes."""
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from mmhuman_dto.geometry import rasterize
from mmhuman_dto.registry import BODY_MODELS
from mmhuman_dto.tables.people_table import PeopleTable

CROWD = Path(__file__).resolve().parents[2] / 'demo/resources/crowd'


@pytest.mark.parametrize('index', [0, 9])
def test_truth_is_what_the_pictures_show(index):
    body_model, sample = BODY_MODELS.build(dict(type='OpenBody')), PeopleTable(CROWD / 'truth')[index]
    people = sample.pred_instances
    torch.testing.assert_close(body_model.height(people.betas), people.heights, atol=1e-4, rtol=0)
    mask = cv2.imread(str(CROWD / 'masks' / sample.img_id.replace('.jpg', '.png')), cv2.IMREAD_UNCHANGED)
    vertices = body_model(people.pose, people.betas, people.transl).vertices
    drawn = rasterize(vertices, body_model.faces, sample.pred_camera.intrinsics, mask.shape).id_map.numpy()
    for person in np.unique(mask[mask > 0]):
        shown, true = mask == person, drawn == person
        # A mask's boundary may lie a pixel off, which is much of a small person.
        if shown.sum() > 2000:
            assert (shown & true).sum() > .97 * (shown | true).sum()

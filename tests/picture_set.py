"""A set of small pictures and its people table."""
import numpy as np
import torch
from PIL import Image

from mmhuman_dto.structures import Camera, HumanDataSample, People
from mmhuman_dto.tables.people_table import PeopleTableBuilder

COUNTS = (2, 0, 3, 1)


def write_set(root, counts=COUNTS, num_betas=10, childlike=(), **meta):
    """A set of images and its table; betas[:, 0] numbers the people of the whole set."""
    builder, number = PeopleTableBuilder('OpenBody', dict(source='test')), 0
    for i, count in enumerate(counts):
        people = People(
            global_orient=torch.full((count, 3), .1), body_pose=torch.zeros(count, 23, 3),
            betas=torch.zeros(count, num_betas), transl=torch.tensor([[0., 0, 5]]).expand(count, 3).clone(),
            person_index=torch.arange(count))
        people.betas[:, 0] = torch.arange(number, number + count)
        for row in range(count):
            if number + row in childlike:
                people.betas[row, -1] = 1
        number += count
        sample = HumanDataSample(metainfo=dict(img_id=f'day/{i}.png', ori_shape=(30, 40), **meta))
        sample.pred_instances = people
        sample.pred_camera = Camera(intrinsics=torch.tensor([[50., 0, 20], [0, 50, 15 + i], [0, 0, 1]]))
        builder.add(sample)
        (root / 'images/day').mkdir(parents=True, exist_ok=True)
        picture = np.repeat(i + 2 * np.add.outer(range(30), range(40))[..., None], 3, 2).astype(np.uint8)
        Image.fromarray(picture).save(root / f'images/day/{i}.png')
    builder.write(root / 'table')
    return dict(type='HumanTable', data_root=str(root / 'images'), table=str(root / 'table'))

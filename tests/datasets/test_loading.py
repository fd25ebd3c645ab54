"""The whole way of the training data, with worker processes: ranks, and going on in the middle of a pass."""
from itertools import islice

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from PIL import Image
from torch.utils.data import DataLoader

from mmhuman_dto.datasets import EndlessSampler, HumanTable, WeightedMixture
from mmhuman_dto.structures import Camera, HumanDataSample, People
from mmhuman_dto.tables.people_table import PeopleTableBuilder

PIPELINE = [dict(type='LoadImage'), dict(type='RandomView', input_size=28, crop=.2), dict(type='OccludeWithNoise'),
            dict(type='ColorJitter'), dict(type='PackHumanInputs')]


@pytest.fixture(scope='module')
def stream(tmp_path_factory):
    """Two sets of 5 and 7 images with 2D joints; both are passed through several times by the tests."""
    root, rng = tmp_path_factory.mktemp('sets'), np.random.default_rng(0)
    sets = []
    for name, count in (('a', 5), ('b', 7)):
        builder = PeopleTableBuilder('OpenBody')
        for i in range(count):
            sample = HumanDataSample(metainfo=dict(img_id=f'{i}.png', ori_shape=(24, 32)))
            sample.pred_instances = People(
                keypoints_2d=torch.from_numpy(rng.uniform(0, 24, (2, 14, 2))).float(),
                keypoints_2d_valid=torch.ones(2, 14, dtype=torch.bool))
            sample.pred_camera = Camera(intrinsics=torch.tensor([[30., 0, 16], [0, 30, 12], [0, 0, 1]]))
            builder.add(sample)
            (root / name).mkdir(exist_ok=True)
            Image.fromarray(rng.integers(0, 256, (24, 32, 3), np.uint8)).save(root / name / f'{i}.png')
        builder.write(root / f'{name}_table')
        sets.append(HumanTable(root / name, root / f'{name}_table', joint_set='crowdpose14'))
    return WeightedMixture(sets, [.3, .7], seed=3, pipeline=PIPELINE)


def batches(dataset, count, rank=0, ranks=1, start=0, workers=0, batch_size=2, shuffle=False):
    """What a rank's loader gives from its ``start``-th batch on: lists of (image id, pixels, joints)."""
    sampler = EndlessSampler(dataset, shuffle=shuffle, seed=5)
    sampler.rank, sampler.world_size = rank, ranks
    sampler.start_at(start * batch_size)
    loader = DataLoader(dataset, batch_size, sampler=sampler, num_workers=workers, collate_fn=pseudo_collate,
                        persistent_workers=workers > 0)
    return [[(sample.img_path, image.numpy().tobytes(), sample.gt_instances.keypoints_2d.numpy().tobytes())
             for image, sample in zip(batch['inputs'], batch['data_samples'])] for batch in islice(loader, count)]


def test_workers_change_nothing(stream):
    assert batches(stream, 12, workers=2) == batches(stream, 12)


@pytest.mark.parametrize('start', [3, 7])
def test_goes_on_in_the_middle_of_a_pass(stream, start):
    """Batch 3 and 7 are in the middle of a pass through both sets; the resumed run has other workers."""
    assert batches(stream, 5, start=start, workers=1) == batches(stream, start + 5, workers=2)[start:]


def test_two_ranks_share_the_stream_of_one(stream):
    one = batches(stream, 8, batch_size=4)
    ranks = [batches(stream, 8, rank=rank, ranks=2, workers=1) for rank in range(2)]
    assert [sorted(first + second) for first, second in zip(*ranks)] == [sorted(batch) for batch in one]
    resumed = [batches(stream, 3, rank=rank, ranks=2, start=5) for rank in range(2)]
    assert resumed == [batches_of_rank[5:] for batches_of_rank in ranks]


def test_from_two_ranks_to_one_in_the_middle_of_a_pass(stream):
    """The same global batches when the number of ranks changes at a resume."""
    before = [batches(stream, 3, rank=rank, ranks=2) for rank in range(2)]
    after = batches(stream, 3, start=3, batch_size=4)
    together = [sorted(first + second) for first, second in zip(*before)] + [sorted(batch) for batch in after]
    assert together == [sorted(batch) for batch in batches(stream, 6, batch_size=4)]


def test_an_image_looks_different_each_time_it_comes(stream):
    seen = {}
    for path, pixels, _ in (item for batch in batches(stream, 24) for item in batch):
        seen.setdefault(path, []).append(pixels)
    assert len(seen) == 12 and all(len(set(looks)) == len(looks) > 1 for looks in seen.values())


def test_a_set_of_its_own_shuffles_and_resumes_with_workers(stream):
    table = HumanTable(stream.datasets[1].data_root, stream.datasets[1].table.folder, joint_set='crowdpose14',
                       pipeline=[dict(type='LoadImage'), dict(type='PackHumanInputs')])
    whole = batches(table, 11, workers=2, shuffle=True)
    assert batches(table, 6, start=5, workers=2, shuffle=True) == whole[5:]
    paths = [path for batch in whole for path, _, _ in batch]
    assert all(len(set(paths[i:i + 7])) == 7 for i in (0, 7)) and paths[:7] != paths[7:14]

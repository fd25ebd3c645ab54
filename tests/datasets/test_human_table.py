"""Images with a people table, and several of them as one stream: worker processes, ranks, going on in the middle."""
import pickle
from collections import Counter
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from picture_set import write_set
from PIL import Image
from torch.utils.data import DataLoader

from mmhuman_dto.datasets import EndlessSampler, HumanTable, SyntheticCrowd, WeightedMixture
from mmhuman_dto.datasets.transforms import LoadImage
from mmhuman_dto.fileio.images import ImageError, read_image
from mmhuman_dto.structures import HumanDataSample


def build(config, **changes):
    config = dict(config, **changes)
    config.pop('type')
    return HumanTable(**config)


def test_item(tmp_path):
    dataset = build(write_set(tmp_path), pipeline=[dict(type='LoadImage')])
    assert len(dataset) == 4 and dataset.metainfo == dict(dataset_name='images', body_model='OpenBody')
    sample = dataset[2]
    assert sample.img_id == 'day/2.png' and (sample.image[0, 0] == 2).all() and sample.image.shape == (30, 40, 3)
    assert sample.gt_instances.betas[:, 0].tolist() == [2, 3, 4]
    assert 'person_index' not in sample.gt_instances
    assert sample.gt_camera.intrinsics[1, 2] == 17
    meta = dict(ori_shape=(30, 40), img_shape=(30, 40), has_3d=True, fully_annotated=True, dataset='images',
                joint_set='smpl45', body_model='OpenBody')
    assert {name: sample.metainfo[name] for name in meta} == meta
    assert len(dataset[1].gt_instances) == 0
    with pytest.raises(IndexError, match='image 4 of 4'):
        dataset[4]


def test_options(tmp_path):
    config = write_set(tmp_path)
    dataset = build(config, has_3d=False, fully_annotated=False, min_people=2)
    assert [dataset[i].img_id for i in range(len(dataset))] == ['day/0.png', 'day/2.png']
    assert not dataset[0].has_3d and not dataset[0].fully_annotated
    assert build(config, name='mine')[0].dataset == build(config, name='mine').metainfo['dataset_name'] == 'mine'
    with pytest.raises(ValueError, match='none of its 4 images has 9 people'):
        build(config, min_people=9)


def test_the_table_says_what_can_be_learnt_unless_told_otherwise(tmp_path):
    said = dict(has_3d=False, fully_annotated=False, joint_set='crowdpose14')
    config = write_set(tmp_path, **said)
    assert {name: build(config)[0].metainfo[name] for name in said} == said
    told = dict(has_3d=True, fully_annotated=True, joint_set='coco17')
    assert {name: build(config, **told)[0].metainfo[name] for name in told} == told


def test_pictures_stored_lying_are_turned(tmp_path):
    config = write_set(tmp_path, quarter_turns=1)
    stored = np.arange(30 * 40 * 3, dtype=np.uint8).reshape(30, 40, 3)
    Image.fromarray(stored).save(tmp_path / 'images/day/0.png')
    with pytest.raises(ImageError, match=r'day/0\.png: is 40 x 30 px .* its annotations are of 30 x 40'):
        build(config, pipeline=[dict(type='LoadImage')])[0]  # sizes are of the turned picture
    sample = LoadImage()(HumanDataSample(metainfo=dict(img_path=str(tmp_path / 'images/day/0.png'), quarter_turns=1)))
    # Clockwise: the left column becomes the top row, read upwards.
    assert np.array_equal(sample.image[0], stored[::-1, 0]) and sample.img_shape == sample.ori_shape == (40, 30)


def test_pictures_of_all_kinds_are_those_of_read_image(tmp_path):
    """Networks train on the pictures that inference and DTO see."""
    path = tmp_path / 'picture.png'
    for pixels, middle in ((np.linspace(0, 65535, 12).astype(np.uint16).reshape(3, 4), 116),
                           (np.zeros((3, 4, 4), np.uint8), 255)):
        Image.fromarray(pixels).save(path)
        image = LoadImage()(HumanDataSample(metainfo=dict(img_path=str(path)))).image
        assert np.array_equal(image, read_image(path)) and (image[-1, -1] == 255).all()
        assert image[1, 1, 0] == pytest.approx(middle, abs=5)


def test_number_of_shape_coefficients(tmp_path):
    config = write_set(tmp_path, num_betas=11, childlike=(3, ))
    assert build(config)[2].gt_instances.betas.shape == (3, 11)
    sample = build(config, num_betas=10)[2]
    assert sample.gt_instances.betas[:, 0].tolist() == [2, 4] and sample.gt_instances.betas.shape == (2, 10)
    assert not sample.fully_annotated and build(config, num_betas=10)[0].fully_annotated
    longer = build(config, num_betas=12)[2].gt_instances.betas
    assert longer.shape == (3, 12) and longer[1, 10] == 1 and not longer[:, 11].any()


READ = [dict(type='LoadImage'), dict(type='JointsFromMeshes', body_model=dict(type='OpenBody'))]
AUGMENT = [dict(type='RandomView', input_size=56, crop=.2), dict(type='OccludeWithNoise'), dict(type='ColorJitter'),
           dict(type='PackHumanInputs')]


@pytest.fixture(scope='module')
def stream(tmp_path_factory):
    """Two sets of 5 and 7 images, which the tests pass through several times."""
    root = tmp_path_factory.mktemp('sets')
    sets = [dict(write_set(root / name, (2, ) * count, num_betas=11), pipeline=READ)
            for name, count in (('a', 5), ('b', 7))]
    return WeightedMixture(sets, [.3, .7], seed=3, pipeline=AUGMENT)


def test_each_pass_through_a_set_has_an_order_of_its_own(stream):
    for which, size in ((0, 5), (1, 7)):
        indices = [index for other, index in map(stream.locate, range(2000)) if other == which]
        passes = [tuple(indices[i:i + size]) for i in range(0, len(indices) - size + 1, size)]
        assert all(sorted(one) == list(range(size)) for one in passes)
        assert len(set(passes)) > 10


@pytest.mark.parametrize('weights, shares', [
    ((3, 1), (750, 250)), ((1, 2), (333, 667)), ((1, 1, 1), (334, 333, 333)),
    ((.3336, .3328, .3336), (334, 333, 333)), ((.5004, .2503, .2493), (501, 250, 249))])
def test_each_block_has_the_exact_shares_and_the_largest_remainders_get_what_is_left(weights, shares):
    stream = WeightedMixture([SyntheticCrowd(num_scenes=2)] * len(weights), weights)
    for block in (0, 1000):
        assert Counter(stream.locate(block + place)[0] for place in range(1000)) == dict(enumerate(shares))


def test_a_position_says_everything(stream):
    again, other = (WeightedMixture(stream.datasets, [.3, .7], seed=seed) for seed in (3, 1))
    positions = np.random.default_rng(0).permutation(4000)[:200].tolist()
    assert [stream.locate(p) for p in positions] == [again.locate(p) for p in positions]
    assert [stream.locate(p) for p in range(50)] != [other.locate(p) for p in range(50)]


@pytest.mark.parametrize('weights, message', [((1., ), 'one positive number for each of the 2'),
                                              ((1., 0.), 'one positive'), ((1., 1e-5), 'a share below 1 / 1000')])
def test_wrong_weights(weights, message):
    with pytest.raises(ValueError, match=message):
        WeightedMixture([SyntheticCrowd(num_scenes=2)] * 2, weights)


class Together:
    """A transform that counts how many samples it gets at once."""

    def __init__(self):
        self.seen = []

    def many(self, samples):
        self.seen.append(len(samples))
        return samples

    def __call__(self, sample):
        return self.many([sample])[0]


def test_a_loader_hands_over_whole_batches(tmp_path):
    """Items are those that are read one at a time; transforms that can take many at once get all of a set or batch."""
    of_table, of_all = Together(), Together()
    table = dict(write_set(tmp_path / 'a', (1, 2, 1), num_betas=11), pipeline=[*READ, of_table])
    crowd = SyntheticCrowd(scenes=dict(size=(30, 40), people=(1, 2)), num_scenes=2)
    stream = WeightedMixture([crowd, table], [1, 3], seed=7, pipeline=[of_all, *AUGMENT])
    alone = [stream[position] for position in range(6)]
    of_table.seen.clear()
    of_all.seen.clear()
    batch, = DataLoader(stream, batch_sampler=[list(range(6))], collate_fn=list)
    assert of_all.seen == [6] and of_table.seen == [sum(stream.locate(p)[0] == 1 for p in range(6))]
    for one, other in zip(alone, batch):
        assert torch.equal(one['inputs'], other['inputs'])
        assert one['data_samples'].img_id == other['data_samples'].img_id


def batches(dataset, count, rank=0, ranks=1, start=0, workers=0, batch_size=2, shuffle=False):
    """What a rank's loader gives from its ``start``-th batch on: lists of (image id, pixels, joints)."""
    sampler = EndlessSampler(dataset, shuffle=shuffle, seed=5)
    sampler.rank, sampler.world_size = rank, ranks
    sampler.start_at(start * batch_size)
    loader = DataLoader(dataset, batch_size, sampler=sampler, num_workers=workers, collate_fn=pseudo_collate,
                        persistent_workers=workers > 0)
    return [[(sample.img_path, image.numpy().tobytes(), sample.gt_instances.keypoints_2d.numpy().tobytes())
             for image, sample in zip(batch['inputs'], batch['data_samples'])] for batch in islice(loader, count)]


def test_a_table_is_sent_to_processes_by_its_path(tmp_path, monkeypatch):
    """18 MB for each 10,000 images and each worker, where processes are started anew (spawn)."""
    monkeypatch.chdir(tmp_path)
    write_set(Path(), (3, ) * 40)
    table = HumanTable(tmp_path / 'images', 'table', pipeline=READ[:1])
    sent = pickle.dumps(table)
    monkeypatch.chdir('/')
    again = pickle.loads(sent)
    assert len(sent) < 2000 < table.table.columns['people.body_pose'].nbytes
    assert all(type(column) is np.memmap for column in again.table.columns.values())
    assert torch.equal(again[39].gt_instances.betas, table[39].gt_instances.betas)


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


def test_an_image_looks_different_each_time_it_comes(stream):
    seen = {}
    for path, pixels, _ in (item for batch in batches(stream, 24) for item in batch):
        seen.setdefault(path, []).append(pixels)
    assert len(seen) == 12 and all(len(set(looks)) == len(looks) > 1 for looks in seen.values())


def test_a_set_of_its_own_shuffles_and_resumes_with_workers(stream):
    table = HumanTable(stream.datasets[1].data_root, stream.datasets[1].table.folder, pipeline=[*READ, AUGMENT[-1]])
    whole = batches(table, 11, workers=2, shuffle=True)
    assert batches(table, 6, start=5, workers=2, shuffle=True) == whole[5:]
    paths = [path for batch in whole for path, _, _ in batch]
    assert all(len(set(paths[i:i + 7])) == 7 for i in (0, 7)) and paths[:7] != paths[7:14]

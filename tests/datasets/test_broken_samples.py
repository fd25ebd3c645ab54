"""A sample that cannot be read costs itself: in training another one is taken, in testing its people are missed."""
import os
from itertools import islice

import pytest
import torch
from mmengine.dataset import pseudo_collate
from picture_set import write_set
from PIL import Image
from torch.utils.data import DataLoader
from unbroken import cut

from mmhuman_dto.datasets import EndlessSampler, WeightedMixture
from mmhuman_dto.datasets.mixing import BrokenSamplesError
from mmhuman_dto.datasets.transforms import LoadImage
from mmhuman_dto.fileio.images import ImageError
from mmhuman_dto.registry import DATASETS

PACK = [dict(type='LoadImage'), dict(type='PackHumanInputs')]


def other_size(path):
    Image.new('RGB', (7, 5)).save(path)


def unlike_a_picture(path):
    path.write_text('<html>404</html>')


BREAK = [cut, other_size, os.remove, unlike_a_picture]


def refuse(sample):
    """A transform that cannot take one of the images."""
    if (sample.dataset, sample.img_id) == ('a', 'day/2.png'):
        raise KeyError('keypoints_2d')
    return sample


@pytest.fixture
def sets(tmp_path):
    """Configs of two data sets of 7 and 4 images, and the pictures of the first."""
    return [write_set(tmp_path / 'a', [1] * 7), write_set(tmp_path / 'b', [1] * 4)], sorted(
        (tmp_path / 'a/images/day').iterdir())


def stream(configs, pipeline=PACK, **kwargs):
    return WeightedMixture([dict(config, name=name) for config, name in zip(configs, 'ab')], [3., 1.],
                           pipeline=pipeline, **kwargs)


def taken(dataset, count, start=0, workers=0, rank=0, ranks=1):
    """(data set, image id, draw) of the first items of a rank's loader, two a batch."""
    sampler = EndlessSampler(dataset, shuffle=False)
    sampler.rank, sampler.world_size = rank, ranks
    sampler.start_at(start)
    loader = DataLoader(dataset, 2, sampler=sampler, num_workers=workers, collate_fn=pseudo_collate)
    items = [sample for batch in islice(loader, count // 2) for sample in batch['data_samples']]
    return [(item.dataset, item.img_id, item.draw) for item in items]


@pytest.mark.parametrize('damage', [*BREAK, None])
def test_another_of_the_same_set_is_taken_whatever_is_wrong(sets, damage, caplog):
    configs, pictures = sets
    whole = taken(stream(configs), 40)
    if damage is not None:
        damage(pictures[2])
    pipeline = [refuse, *PACK] if damage is None else PACK
    changed = taken(stream(configs, pipeline), 40)
    named = [record.message for record in caplog.records if 'another sample is taken' in record.message]
    assert len(named) == 1 and 'a: day/2.png: ' in named[0]
    broken = [item[1] == 'day/2.png' and item[0] == 'a' for item in whole]
    assert sum(broken) > 3 and all(old == new for old, new, bad in zip(whole, changed, broken) if not bad)
    instead = [new for new, bad in zip(changed, broken) if bad]
    assert all(name == 'a' and image != 'day/2.png' for name, image, _ in instead)
    assert len({image for _, image, _ in instead}) > 1
    assert [new[2] for new in changed] == [old[2] for old in whole]


def test_it_depends_on_neither_workers_nor_ranks_nor_where_a_run_goes_on(sets):
    configs, pictures = sets
    cut(pictures[0])
    other_size(pictures[5])
    whole = taken(stream(configs), 40)
    with_workers = stream(configs)
    assert taken(with_workers, 40, workers=2) == whole
    assert (with_workers._broken >= 0).sum() == 2  # workers know what others have named
    assert taken(stream(configs), 20, start=20, workers=1) == whole[20:]
    ranks = [taken(stream(configs), 20, rank=rank, ranks=2) for rank in range(2)]
    assert [item for pair in zip(*ranks) for item in pair] == whole


@pytest.mark.parametrize('allowed, broken, message', [
    (0, [3], 'more than max_broken=0 .*a: day/3.png: ImageError: .*train_dataloader.dataset.max_broken allows'),
    (1, [3, 4], 'more than max_broken=1 samples are broken, the last one is a: day/'),
    (100, range(7), '10 samples in a row are broken, the last one is a: day/')])
@pytest.mark.parametrize('workers', [0, 2])
def test_too_many_are_one_line(sets, allowed, broken, message, workers):
    configs, pictures = sets
    for number in broken:
        cut(pictures[number])
    with pytest.raises(BrokenSamplesError, match=f'^{message}') as error:
        taken(stream(configs, max_broken=allowed), 80, workers=workers)
    assert '\n' not in str(error.value)


@pytest.mark.parametrize('damage', BREAK)
def test_to_be_tested_on_it_is_a_black_picture_that_says_so(sets, damage):
    configs, pictures = sets
    damage(pictures[1])
    item = DATASETS.build(dict(configs[0], pipeline=[dict(type='LoadImage', blank=True)]))[1]
    assert item.image.shape == (30, 40, 3) and not item.image.any() and len(item.gt_instances) == 1
    assert 'day/1.png' in item.unreadable and item.img_shape == item.ori_shape == (30, 40)
    item.pop('ori_shape')
    with pytest.raises(ImageError) if damage is not other_size else torch.no_grad():
        LoadImage(blank=True)(item)

"""Synthetic crowds in the files of every public data set, written once."""
from typing import NamedTuple

import pytest
from writer_public import LAYOUTS, write_public_set

from mmhuman_dto.datasets.public.base import Reader
from mmhuman_dto.registry import BODY_MODELS, READERS
from mmhuman_dto.synthetic import CrowdConfig, sample_scene
from mmhuman_dto.synthetic.writers.smpl import write_synthetic_smpl

BODY = dict(type='OpenBody')


class Written(NamedTuple):
    """A set on disk: its reader's config, the scenes in it, and the reader."""
    config: dict
    scenes: list
    reader: Reader


@pytest.fixture(scope='session')
def body_model():
    return BODY_MODELS.build(BODY)


@pytest.fixture(scope='session')
def scenes(body_model):
    """Grown-ups, one picture of them higher than wide; and crowds with children."""
    def crowd(sizes, seed, **config):
        return [sample_scene(i, body_model, CrowdConfig(size=size, **config), seed) for i, size in enumerate(sizes)]

    return dict(adults=crowd([(120, 180), (180, 120), (120, 180)], 3, people=(2, 4), child_share=0),
                mixed=crowd([(120, 180)] * 3, 4, people=(3, 5), child_share=.5))


@pytest.fixture(scope='session')
def public_sets(scenes, tmp_path_factory):
    """{reader's name: :class:`Written`}; nobody may change these files."""
    root, sets = tmp_path_factory.mktemp('public'), {}
    for name, layout in LAYOUTS.items():
        chosen = scenes['adults' if layout.reader.info.body_model == 'SMPL' else 'mixed']  # SMPL has no child blend
        config = write_public_set(name, root / name, chosen, BODY)
        sets[name] = Written(config, chosen, READERS.build(config))
    return sets


@pytest.fixture(scope='session')
def synthetic_smpl(tmp_path_factory):
    """Folder of a synthetic body in SMPL's files."""
    return write_synthetic_smpl(tmp_path_factory.mktemp('smpl'))

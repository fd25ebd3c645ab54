import pytest
from smplx_files import write_smplx

from mmhuman_dto.synthetic.writers.smpl import write_synthetic_smpl


@pytest.fixture(scope='session')
def smpl_dir(tmp_path_factory):
    """Folder with a synthetic body in SMPL's file layout."""
    return write_synthetic_smpl(tmp_path_factory.mktemp('bodies'))


@pytest.fixture(scope='session')
def smplx_dir(tmp_path_factory):
    """Folder with random arrays in SMPL-X's file layout."""
    return write_smplx(tmp_path_factory.mktemp('smplx_bodies'))

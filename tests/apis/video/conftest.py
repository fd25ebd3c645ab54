import pytest
from known_clip import COUNT, moving_crowd, write_joints, write_video


@pytest.fixture(scope='session')
def crowd():
    return moving_crowd()


@pytest.fixture(scope='session')
def files(crowd, tmp_path_factory):
    """A folder of a video of :data:`COUNT` frames and what is seen in it."""
    folder = tmp_path_factory.mktemp('clip')
    write_joints(folder / 'joints.npz', crowd)
    write_video(folder / 'walk.mp4', COUNT)
    return folder

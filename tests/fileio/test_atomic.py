"""Files are whole or not there, and a disk that cannot be written is explained."""
import errno
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmhuman_dto.fileio.atomic import explain, publish, write_atomically
from mmhuman_dto.fileio.images import write_image


def test_a_write_that_fails_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / 'a.txt'
    write_atomically(path, lambda temporary: temporary.write_text('old'))

    def half(temporary):
        temporary.write_text('ne')
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OSError):
        write_atomically(path, half)
    assert path.read_text() == 'old'
    write_atomically(path, lambda temporary: temporary.write_text('new'))
    assert path.read_text() == 'new' and [item.name for item in tmp_path.iterdir()] == ['a.txt']


def test_a_folder_is_published_with_all_in_it(tmp_path):
    (tmp_path / 'new' / 'inner').mkdir(parents=True)
    (tmp_path / 'new' / 'inner' / 'a').write_text('1')
    publish(tmp_path / 'new', tmp_path / 'final')
    assert (tmp_path / 'final' / 'inner' / 'a').read_text() == '1' and not (tmp_path / 'new').exists()


def test_explanation_names_folder_reason_and_room(tmp_path):
    text = explain(tmp_path / 'not' / 'made', OSError(errno.EROFS, os.strerror(errno.EROFS)))
    assert text.startswith(f'{tmp_path}/not/made: cannot be written ([Errno 30] Read-only file system); ')
    assert text.endswith(' MB are free there')


@pytest.mark.skipif(not Path('/dev/full').exists(), reason='a device that is always full')
def test_a_picture_on_a_full_disk_is_an_error(tmp_path):
    image = np.zeros((40, 40, 3), np.uint8)
    (tmp_path / 'full.jpg').symlink_to('/dev/full')
    with pytest.raises(OSError, match='No space left'):
        write_image(tmp_path / 'full.jpg', image)


@pytest.mark.parametrize('suffix', ['.jpg', '.png'])
def test_pictures_have_opencvs_bytes(suffix, tmp_path):
    image = np.random.default_rng(0).integers(0, 255, (30, 40, 3), np.uint8)
    write_image(tmp_path / 'new' / f'a{suffix}', image)
    cv2.imwrite(str(tmp_path / f'b{suffix}'), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    assert (tmp_path / 'new' / f'a{suffix}').read_bytes() == (tmp_path / f'b{suffix}').read_bytes()


def test_an_unknown_format_names_the_file(tmp_path):
    with pytest.raises(OSError, match='a.nothing: cannot be written'):
        write_image(tmp_path / 'a.nothing', np.zeros((4, 4, 3), np.uint8))

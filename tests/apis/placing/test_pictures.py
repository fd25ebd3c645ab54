"""Pictures of results are found by their names, frames by their numbers, in folders and in videos."""
import cv2
import numpy as np
import pytest

from mmhuman_dto.apis.placing.pictures import Pictures
from mmhuman_dto.fileio.images import ImageError, write_image


def grey(value, size=(48, 64)):
    return np.full((*size, 3), value, np.uint8)


@pytest.fixture
def folder(tmp_path):
    for number, name in enumerate(('a/party.png', 'b/party.png', 'b/walk.jpg', 'walk.png')):
        write_image(tmp_path / name, grey(40 * number))
    return tmp_path


@pytest.mark.parametrize(('name', 'found'), [
    ('b/walk.jpg', 'b/walk.jpg'), ('b/walk', 'b/walk.jpg'), ('walk.jpg', 'b/walk.jpg'), ('walk.png', 'walk.png'),
    ('a/party', 'a/party.png'), ('/home/them/photos/walk.jpg', 'b/walk.jpg'),
    ('party', None), ('party.png', None), ('dance.png', None)])
def test_by_name_where_it_is_one_pictures_alone(folder, name, found):
    pictures = Pictures(folder)
    assert pictures.found(name) == found
    image, path = pictures.read(name)
    assert (image is None) == (found is None) and path == ('' if found is None else str(folder / found))
    assert pictures.size(name) == (None if found is None else (48, 64))


def test_frames_by_number_where_their_name_is_none(folder):
    pictures = Pictures(folder)
    assert [pictures.found('12', frame) for frame in (0, 3, 4, -1)] == ['a/party.png', 'walk.png', None, None]
    assert pictures.found('b/walk.jpg', 0) == 'b/walk.jpg'


def test_one_picture(folder):
    pictures = Pictures(folder / 'walk.png')
    assert pictures.found('walk') == 'walk.png' and pictures.found('party') is None


def test_frames_of_a_video_in_any_order(tmp_path):
    path = tmp_path / 'clip.mp4'
    video = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'mp4v'), 30, (64, 48))
    for number in range(8):
        video.write(grey(25 * number))
    video.release()
    pictures = Pictures(path)
    assert pictures.size('3', 3) == (48, 64) and pictures.found('3', 3) == '000003'
    for number in (0, 1, 5, 2, 7):
        image, where = pictures.read(str(number), number)
        assert abs(float(image.mean()) - 25 * number) < 6 and where == str(path)
    with pytest.raises(ImageError, match=r'clip\.mp4: has no frame 8'):
        pictures.read('8', 8)
    assert pictures.read('photo') == (None, '')


def test_what_is_not_there_is_told(tmp_path):
    with pytest.raises(FileNotFoundError, match='none: not found; --images names'):
        Pictures(tmp_path / 'none')
    (tmp_path / 'a.txt').write_text('')
    with pytest.raises(FileNotFoundError, match=r'no picture in this folder \(1 \.txt\)'):
        Pictures(tmp_path)
    assert Pictures().read('a') == (None, '') and Pictures().size('a') is None

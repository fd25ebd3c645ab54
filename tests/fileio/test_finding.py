"""Folders as people have them; what the inferencer and the generator open is one and the same."""
import logging
import os

import numpy as np
import pytest
from PIL import Image

from mmhuman_dto.apis.inference.inputs import count_photos, open_photos
from mmhuman_dto.datasets import Photos
from mmhuman_dto.fileio.finding import entry_of, find_files, find_map, find_pictures
from mmhuman_dto.fileio.images import ImageError, read_image


def save(path, kind=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((4, 6, 3), np.uint8)).save(path, kind)
    return path


def found_by_all(folder):
    """Names that the inferencer and the generator find in a folder, which must be the same, and errors by name."""
    photos = list(open_photos(folder))
    assert [photo.img_id for photo in photos] == Photos(folder).ids and count_photos([folder]) == len(photos)
    return [photo.img_id for photo in photos], {photo.img_id: photo.error for photo in photos if photo.error}


def test_links_folders_with_suffixes_and_hidden_files(tmp_path):
    for name in ('photos/a.jpg', 'elsewhere/b.jpg', 'photos/clip.mp4/000000.jpg', 'photos/c.jpg/d.PNG',
                 'photos/z/e.jpg', 'photos/.trash/f.jpg'):
        save(tmp_path / name)
    (tmp_path / 'photos/._a.jpg').write_bytes(b'\0\5\x16\7\0\2\0\0Mac OS X        ')
    for link, target in (('linked', 'elsewhere'), ('again', 'elsewhere'), ('loop', 'photos'), ('y', 'photos/z'),
                         ('elsewhere/back', 'photos')):
        folder = tmp_path if '/' in link else tmp_path / 'photos'
        (folder / link).symlink_to(tmp_path / target)
    (tmp_path / 'photos/self').symlink_to('self')
    os.mkfifo(tmp_path / 'photos/pipe.jpg')
    # A folder once: that of both links to elsewhere under the first's name, z under its own.
    assert found_by_all(tmp_path / 'photos') == (
        ['a.jpg', 'again/b.jpg', 'c.jpg/d.PNG', 'clip.mp4/000000.jpg', 'z/e.jpg'], {})
    with pytest.raises(ImageError, match='pipe.jpg: cannot be read .it is no file'):
        read_image(tmp_path / 'photos/pipe.jpg')


def test_what_cannot_be_opened_is_found_and_says_why(tmp_path, monkeypatch):
    save(tmp_path / 'a.JPeG')
    save(tmp_path / 'png.jpg', 'PNG')
    save(tmp_path / 'private/b.jpg')
    (tmp_path / 'empty.jpg').touch()
    (tmp_path / 'gone.jpg').symlink_to(tmp_path / 'nowhere.jpg')
    (tmp_path / 'phone.HEIC').write_bytes(b'\0\0\0\x24ftypheic\0\0\0\0')
    scandir = os.scandir

    def locked(path):
        if str(path).endswith('private'):
            raise PermissionError(path)
        return scandir(path)

    monkeypatch.setattr(os, 'scandir', locked)
    names, errors = found_by_all(tmp_path)
    assert names == ['a.JPeG', 'empty.jpg', 'gone.jpg', 'phone.HEIC', 'png.jpg', 'private']
    assert set(errors) == {'empty.jpg', 'gone.jpg', 'phone.HEIC', 'private'}
    for name, words in (('empty.jpg', 'is empty'), ('gone.jpg', 'no such image'), ('private', 'may not be looked into'),
                        ('phone.HEIC', '')):
        assert words in errors[name] and str(tmp_path / name) in errors[name]


def test_heic_is_read_or_its_cure_is_named(tmp_path):
    path = tmp_path / 'a.jpg'  # as phones and messengers name them
    if 'HEIF' not in Image.OPEN:
        path.write_bytes(b'\0\0\0\x24ftypheic\0\0\0\0')
        with pytest.raises(ImageError, match='a.jpg: cannot be read .it is HEIC: pip install pillow-heif'):
            read_image(path)
    else:
        save(path, 'HEIF')
        assert read_image(path).shape == (4, 6, 3)


def test_an_empty_folder_is_an_error_that_says_what_is_there(tmp_path):
    for name in ('a.dng', 'b.DNG', 'notes.txt', '._c.jpg'):
        (tmp_path / name).touch()
    photo, = open_photos(tmp_path)
    assert photo.error == f'{tmp_path}: no image or video in this folder (2 .dng, 1 .txt, 1 hidden)'
    with pytest.raises(FileNotFoundError, match=r'no pictures in it \(2 .dng, 1 .txt, 1 hidden\)'):
        Photos(tmp_path)
    with pytest.raises(FileNotFoundError, match='gone: no such folder'):
        Photos(tmp_path / 'gone')


def test_maps_beside_pictures_are_no_pictures(tmp_path, caplog):
    for name in ('a.jpg', 'disparity/a.png', 'masks/deep/a.png', 'sub/depth/b.png', 'sub/b.jpg'):
        save(tmp_path / name)
    assert find_pictures(tmp_path) == ['a.jpg', 'sub/b.jpg']
    assert '3 files in disparity, masks/deep, sub/depth are taken for maps' in caplog.text
    caplog.clear()
    assert find_pictures(tmp_path / 'disparity') == ['a.png'] and find_pictures(tmp_path / 'masks') == ['deep/a.png']
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_names_that_are_no_text_and_names_with_backslashes(tmp_path, capsys):
    save(tmp_path / 'a\\b.jpg')
    bad = tmp_path / os.fsdecode(b'c\xff.png')
    save(bad)
    photos = list(open_photos(tmp_path))
    assert [(photo.img_id, photo.error) for photo in photos] == [('a\\b.jpg', ''), ('c\\udcff.png', '')]
    assert photos[1].img_path == str(bad)
    source = Photos(tmp_path)
    assert source.ids == ['a\\b.jpg', 'c\\udcff.png'] and source[0].img_path == str(tmp_path / 'a\\b.jpg')
    with pytest.raises(ImageError, match='c.*udcff.png: its name is no UTF-8 text.*rename'):
        source[1]


@pytest.mark.parametrize('file, suffix', [
    ('a.png', '.png'), ('a.PNG', '.png'), ('a.jpg.png', '.png'), ('a.npz', '.npz')])
def test_the_map_of_a_picture(tmp_path, file, suffix):
    (tmp_path / file).touch()
    assert find_map(tmp_path, 'a.jpg', suffix) == tmp_path / file
    assert find_map(tmp_path, 'b.jpg', suffix) is None


def test_the_entry_of_a_picture():
    table = {'a/b.jpg': 1, 'a/b': 2, 'c': 3, 'd.png': 4}
    assert [entry_of(table, name) for name in ('a/b.jpg', 'a/b.png', 'c.jpg', 'd.png', 'd.jpg')] == [1, 2, 3, 4, None]


def test_maps_of_pictures_of_one_name_are_told_apart(tmp_path):
    for name in ('a.jpg.png', 'a.png', 'video.mp4/000001.png'):
        save(tmp_path / name)
    for name, file in (('a.jpg', 'a.jpg.png'), ('a.tif', 'a.png')):
        assert find_map(tmp_path, name, '.png').name == file
    assert find_map(tmp_path, 'video.mp4/000001', '.png') == tmp_path / 'video.mp4/000001.png'
    assert find_files(tmp_path, ('.png', )) == ['a.jpg.png', 'a.png', 'video.mp4/000001.png']

"""Focal lengths from EXIF and from you; silence is nan, never a guess."""
import json
import math

import numpy as np
import pytest
from PIL import ExifTags, Image

from mmhuman_dto.perception import DepthFocal, ExifFocal, GivenFocal
from mmhuman_dto.structures import HumanDataSample


def write_photo(path, equivalent=None, orientation=None, size=(40, 30)):
    exif = Image.Exif()
    if equivalent is not None:
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FocalLengthIn35mmFilm] = equivalent
    if orientation is not None:
        exif[ExifTags.Base.Orientation] = orientation
    Image.fromarray(np.zeros((size[1], size[0], 3), np.uint8)).save(path, exif=exif)
    return path


def sample_of(path, size):
    return HumanDataSample(metainfo=dict(img_id=path.name, img_path=str(path), ori_shape=size))


def test_35_mm_equivalents_are_of_the_diagonal(tmp_path):
    path = write_photo(tmp_path / 'a.jpg', 50)
    # A 3000 x 4000 photo has a diagonal of 5000 px, that of a 35-mm frame is 43.2666 mm.
    focal, = ExifFocal()([sample_of(path, (3000, 4000))])
    assert focal == pytest.approx(50 * 5000 / 43.26661530556787)
    assert ExifFocal()([sample_of(path, (4000, 3000))]) == [pytest.approx(focal)]  # turned
    full = ExifFocal()([sample_of(write_photo(tmp_path / 'b.jpg', 36), (2400, 3600))])
    assert full == [pytest.approx(3600)]  # a 36-mm lens sees the frame's 36 mm under its own length


@pytest.mark.parametrize('equivalent', [None, 0, 4, 2001, 48388, 65535])
def test_photos_that_do_not_say_are_unknown(tmp_path, equivalent):
    focal, = ExifFocal()([sample_of(write_photo(tmp_path / 'a.jpg', equivalent), (30, 40))])
    assert math.isnan(focal)


def test_no_photo_no_focal(tmp_path):
    (tmp_path / 'text.jpg').write_text('no picture')
    for name in ('text.jpg', 'gone.jpg'):
        assert math.isnan(ExifFocal()([sample_of(tmp_path / name, (30, 40))])[0])
    assert all(math.isnan(f) for f in ExifFocal()([HumanDataSample(metainfo=dict(img_id='array', ori_shape=(3, 4)))]))


def test_given_for_all_or_by_image(tmp_path):
    samples = [HumanDataSample(metainfo=dict(img_id=name)) for name in ('a.jpg', 'b.jpg')]
    assert GivenFocal(1200)(samples) == [1200, 1200]
    (tmp_path / 'focal.json').write_text(json.dumps({'b.jpg': 900}))
    first, second = GivenFocal('focal.json', data_root=tmp_path)(samples)
    assert math.isnan(first) and second == 900


@pytest.mark.parametrize('value', [0, -5, float('nan'), float('inf'), None])
def test_focal_lengths_that_are_none_are_refused(tmp_path, value):
    if value is not None:
        with pytest.raises(ValueError, match='must be positive numbers of px'):
            GivenFocal(value)
    (tmp_path / 'focal.json').write_text(json.dumps({'b.jpg': value}))
    with pytest.raises(ValueError, match='must be positive numbers of px'):
        GivenFocal('focal.json', data_root=tmp_path)
    with pytest.raises(FileNotFoundError, match=r'gone\.json'):
        GivenFocal('gone.json', data_root=tmp_path)


def test_the_focal_length_of_a_depth_map():
    samples = [HumanDataSample(metainfo=dict(img_id='a', depth_focal=value)) for value in (700., math.nan)]
    known, unknown = DepthFocal()(samples)
    assert known == 700 and math.isnan(unknown)
    assert (DepthFocal().focal_std, DepthFocal(.3).focal_std) == (.1, .3)

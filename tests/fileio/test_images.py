import io

import cv2
import numpy as np
import pytest
from PIL import Image

from mmhuman_dto.fileio.images import ImageError, as_rgb, read_image, read_values, write_image

GREY = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20


def saved(picture, path, **options):
    picture.save(path, **options)
    return path


def test_pictures_survive_the_disk_as_rgb(tmp_path):
    image = np.zeros((5, 6, 3), np.uint8)
    image[..., 0] = 255
    write_image(tmp_path / 'deep' / 'red.png', image)
    np.testing.assert_array_equal(read_image(tmp_path / 'deep' / 'red.png'), image)
    with pytest.raises(OSError, match='nothing.png'):
        read_image(tmp_path / 'nothing.png')


def test_grey_and_sixteen_bits_become_rgb(tmp_path):
    expected = np.stack([GREY] * 3, -1)
    deep = GREY.astype(np.uint16) * 256 + 17
    for name, array in (('grey', GREY), ('deep', deep)):
        path = saved(Image.fromarray(array), tmp_path / f'{name}.png')
        np.testing.assert_array_equal(read_image(path), expected)
        np.testing.assert_array_equal(as_rgb(array), expected)


@pytest.mark.parametrize('dtype', [np.uint8, np.uint16])
@pytest.mark.parametrize('channels', [1, 3, 4])
def test_a_map_has_one_value_a_pixel_in_however_many_equal_channels(channels, dtype, tmp_path):
    values = (GREY.astype(np.uint32) * np.iinfo(dtype).max // 255).astype(dtype) - (dtype == np.uint16)
    picture = np.repeat(values[..., None], channels, 2)
    picture[..., 3:] = np.iinfo(dtype).max
    path = tmp_path / 'map.png'
    assert cv2.imwrite(str(path), picture)
    read = read_values(path)
    assert read.dtype == dtype and np.array_equal(read, values)
    if channels > 1:
        picture[1, 2, -1] -= 1
        cv2.imwrite(str(path), picture)
        with pytest.raises(ImageError, match='map.png: .*(in colours|transparent)'):
            read_values(path)


def test_a_map_of_grey_and_opaque_pixels_is_one_and_a_palette_is_none(tmp_path):
    grey = Image.fromarray(GREY)
    assert np.array_equal(read_values(saved(grey.convert('LA'), tmp_path / 'opaque.png')), GREY)
    with pytest.raises(ImageError, match='mode P, expected 8- or 16-bit values'):
        read_values(saved(grey.convert('P'), tmp_path / 'palette.png'))


def test_transparent_pixels_show_white(tmp_path):
    rgba = np.zeros((1, 3, 4), np.uint8)
    rgba[0, :, 3] = 255, 0, 51
    for picture in (Image.fromarray(rgba), Image.fromarray(rgba).convert('LA')):
        shown = read_image(saved(picture, tmp_path / f'{picture.mode}.png'))
        np.testing.assert_array_equal(shown[0, :, 0], [0, 255, 204])


def test_exif_orientation_is_respected(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned by a quarter clockwise
    path = saved(Image.fromarray(np.stack([GREY] * 3, -1)), tmp_path / 'turned.png', exif=exif)
    np.testing.assert_array_equal(read_image(path)[..., 0], np.rot90(GREY, -1))


def test_files_that_are_no_pictures_are_named(tmp_path):
    whole = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(whole, 'JPEG')
    (tmp_path / 'cut.jpg').write_bytes(whole.getvalue()[:len(whole.getvalue()) // 2])
    (tmp_path / 'text.png').write_text('not a picture')
    (tmp_path / 'empty.png').touch()
    Image.fromarray(np.ones((2, 2), np.float32)).save(tmp_path / 'floats.tiff')
    for name in ('cut.jpg', 'text.png', 'empty.png', 'floats.tiff'):
        with pytest.raises(ImageError, match=name):
            read_image(tmp_path / name)


@pytest.mark.parametrize('array', [np.zeros((2, 2, 3)), np.zeros((2, 2, 2), np.uint8), np.zeros((0, 4, 3), np.uint8),
                                   np.zeros(4, np.uint8)], ids=['float', 'two channels', 'no pixels', 'a row'])
def test_arrays_that_are_no_pictures_are_refused(array):
    with pytest.raises(ImageError, match='expected'):
        as_rgb(array)

"""Sizes from headers are those of the decoded picture, whatever says how it is turned."""
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from mmhuman_dto.fileio.image_header import image_size
from mmhuman_dto.fileio.images import ImageError, read_image

PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 255, (20, 30, 3), np.uint8))
XMP = '<x:xmpmeta><rdf:Description tiff:Orientation="{}"/></x:xmpmeta>'


def exif(orientation):
    found = Image.Exif()
    found[0x0112] = orientation
    return found


@pytest.mark.parametrize('orientation', range(1, 9))
@pytest.mark.parametrize('suffix', ['jpg', 'png', 'webp', 'tiff'])
def test_exif(tmp_path, suffix, orientation):
    path = tmp_path / f'a.{suffix}'
    PICTURE.save(path, exif=exif(orientation))
    assert image_size(path) == read_image(path).shape[:2] == ((30, 20) if orientation > 4 else (20, 30))


@pytest.mark.parametrize('key', ['XML:com.adobe.xmp', 'Raw profile type exif', 'Comment'])
@pytest.mark.parametrize('compressed', [True, False])
def test_texts_of_a_png(tmp_path, key, compressed):
    raw = exif(6).tobytes()
    texts = {'XML:com.adobe.xmp': XMP.format(6), 'Raw profile type exif': f'\nexif\n{len(raw)}\n{raw.hex()}\n',
             'Comment': XMP.format(6)}
    info = PngImagePlugin.PngInfo()
    (info.add_itxt if key.startswith('XML') else info.add_text)(key, texts[key], zip=compressed)
    PICTURE.save(tmp_path / 'a.png', pnginfo=info)
    turned = key != 'Comment'
    assert image_size(tmp_path / 'a.png') == read_image(tmp_path / 'a.png').shape[:2] == (
        (30, 20) if turned else (20, 30))


def chunk(kind, data):
    return len(data).to_bytes(4, 'big') + kind + data + zlib.crc32(kind + data).to_bytes(4, 'big')


def test_exif_after_the_pixels_of_a_png(tmp_path):
    PICTURE.save(tmp_path / 'a.png')
    whole, end = (tmp_path / 'a.png').read_bytes(), chunk(b'IEND', b'')
    assert whole.endswith(end)
    (tmp_path / 'a.png').write_bytes(whole[:-len(end)] + chunk(b'eXIf', exif(8).tobytes()[6:]) + end)
    assert image_size(tmp_path / 'a.png') == read_image(tmp_path / 'a.png').shape[:2] == (30, 20)


def test_pixels_are_not_needed(tmp_path):
    """Only the header is there, so a decoder could not answer."""
    for suffix in ('png', 'jpg'):
        path = tmp_path / f'a.{suffix}'
        PICTURE.resize((300, 200)).save(path)
        path.write_bytes(path.read_bytes()[:700])
        assert image_size(path) == (200, 300)
        with pytest.raises(ImageError):
            read_image(path)


@pytest.mark.parametrize('content', [b'', b'no picture', b'\x89PNG\r\n\x1a\n', b'\xff\xd8\xff\xe1\x00'])
def test_what_is_no_picture_is_named(tmp_path, content):
    (tmp_path / 'a.png').write_bytes(content)
    with pytest.raises(ImageError, match=r'a\.png: cannot be read'):
        image_size(tmp_path / 'a.png')
    with pytest.raises(ImageError, match=r'b\.png: no such image'):
        image_size(tmp_path / 'b.png')

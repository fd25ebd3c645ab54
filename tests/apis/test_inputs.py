import io
import re
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from mmhuman_dto.apis.inference.inputs import count_photos, is_one, open_photos

PICTURE = np.arange(24 * 32 * 3, dtype=np.uint8).reshape(24, 32, 3)


def save(path, picture=PICTURE):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path)
    return path


def names_and_errors(inputs, **options):
    return [(photo.img_id, photo.error) for photo in open_photos(inputs, **options)]


def test_arrays_of_every_kind():
    alpha = np.concatenate([PICTURE, np.full((24, 32, 1), 255, np.uint8)], -1)
    for array in (PICTURE, PICTURE.astype(np.uint16) * 256, alpha):
        photo, = open_photos(array)
        np.testing.assert_array_equal(photo.image, PICTURE)
    grey, = open_photos(PICTURE[..., 0])
    assert grey.image.shape == (24, 32, 3) and grey.img_id == '000000'
    assert [photo.img_id for photo in open_photos(np.stack([PICTURE] * 3))] == ['000000', '000001', '000002']


def test_tensors_and_pillow_pictures(tmp_path):
    tensor = torch.from_numpy(PICTURE).permute(2, 0, 1)
    opened = Image.open(save(tmp_path / 'a.png'))
    floats = tensor / 255
    for item in (tensor, floats, (floats - .001).clamp(min=0), floats.double().requires_grad_(),
                 Image.fromarray(PICTURE), opened):
        photo, = open_photos(item)
        np.testing.assert_array_equal(photo.image, PICTURE)
    assert (photo.img_id, photo.img_path) == ('a.png', str(tmp_path / 'a.png'))
    cropped, = open_photos(opened.crop((0, 0, 8, 8)))
    assert (cropped.img_id, cropped.img_path, cropped.image.shape) == ('000000', '', (8, 8, 3))
    grey, = open_photos(tensor[:1])
    np.testing.assert_array_equal(grey.image, PICTURE[..., :1].repeat(3, 2))
    assert names_and_errors(torch.stack([tensor] * 2)) == [('000000', ''), ('000001', '')]


@pytest.mark.parametrize('tensor, words', [
    (torch.zeros(24, 32, 3, dtype=torch.uint8), r'tensor of shape \(24, 32, 3\), expected \(3, H, W\)'),
    (torch.full((3, 4, 4), 255.), 'floats from 255 to 255, expected 0 to 1'),
    (torch.full((3, 4, 4), -.1), 'expected 0'), (torch.full((3, 4, 4), torch.nan), 'nan'),
    (torch.zeros(3, 4, 4, dtype=torch.int64), 'int64')])
def test_tensors_that_are_no_pictures(tensor, words):
    (_, error), = names_and_errors([tensor])
    assert re.search(words, error)


@pytest.mark.parametrize('inputs, one', [
    ('a.jpg', True), ('http://x.org/a.mp4', True), ('clip.MP4', False), ('.', False), (PICTURE, True),
    (PICTURE[None], False), (torch.zeros(3, 4, 4), True), (torch.zeros(1, 3, 4, 4), False),
    (Image.fromarray(PICTURE), True), (['a.jpg'], False), (iter([]), False)])
def test_what_is_one_picture(inputs, one):
    assert is_one(inputs) is one


def test_pictures_are_counted_before_they_are_opened(tmp_path):
    for name in ('a.png', 'deep/b.jpg'):
        save(tmp_path / name)
    assert count_photos([tmp_path, str(tmp_path / 'a.png'), 'missing.jpg', 'http://x.org/a.png']) == 5
    assert count_photos([tmp_path, 'clip.mp4']) is None


def test_one_bad_input_costs_itself_only(tmp_path):
    good = save(tmp_path / 'good.png')
    (tmp_path / 'text.jpg').write_text('no picture')
    cut = save(tmp_path / 'cut.jpg', np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8))
    cut.write_bytes(cut.read_bytes()[:900])
    found = names_and_errors([good, tmp_path / 'text.jpg', str(cut), tmp_path / 'missing.jpg', np.zeros((2, 2)), good])
    assert [name for name, _ in found] == ['good.png', 'text.jpg', 'cut.jpg', 'missing.jpg', '000004', 'good.png']
    assert [bool(error) for _, error in found] == [False, True, True, True, True, False]
    for name, error in found[1:4]:
        assert str(tmp_path / name) in error
    assert 'float64' in found[4][1]


def test_folders_are_searched_in_order_and_other_files_left(tmp_path):
    for name in ('b.png', 'a.JPG', 'deep/c.bmp'):
        save(tmp_path / name)
    (tmp_path / 'notes.txt').write_text('x')
    assert names_and_errors(tmp_path) == [('a.JPG', ''), ('b.png', ''), ('deep/c.bmp', '')]
    (tmp_path / 'empty').mkdir()
    (name, error), = names_and_errors(tmp_path / 'empty')
    assert name == 'empty' and 'no image or video' in error


def test_videos_frame_by_frame(tmp_path):
    writer = cv2.VideoWriter(str(tmp_path / 'clip.avi'), cv2.VideoWriter_fourcc(*'MJPG'), 5, (32, 24))
    for level in (40, 120, 200):
        writer.write(np.full((24, 32, 3), (level, 0, 0), np.uint8))  # blue
    writer.release()
    photos = list(open_photos(tmp_path / 'clip.avi'))
    assert [photo.img_id for photo in photos] == ['clip.avi/000000', 'clip.avi/000001', 'clip.avi/000002']
    for photo, level in zip(photos, (40, 120, 200)):
        np.testing.assert_allclose(photo.image.mean((0, 1)), [0, 0, level], atol=8)
    (tmp_path / 'broken.mp4').write_bytes(b'not a video')
    for name in ('broken.mp4', 'missing.mp4'):
        (_, error), = names_and_errors(tmp_path / name)
        assert name in error


def test_pictures_are_opened_one_at_a_time():
    opened = []

    def endless():
        while True:
            opened.append(len(opened))
            yield PICTURE

    photos = open_photos(endless())
    next(photos), next(photos)
    assert opened == [0, 1]


@pytest.fixture
def server():
    content = io.BytesIO()
    Image.fromarray(PICTURE).save(content, 'PNG')

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == '/a.png' else 404)
            self.end_headers()
            self.wfile.write(content.getvalue() if self.path == '/a.png' else b'')

        def log_message(self, *args):
            pass

    server = HTTPServer(('127.0.0.1', 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f'http://127.0.0.1:{server.server_port}'
    server.shutdown()
    server.server_close()
    thread.join()


def test_addresses_only_when_asked_for(server):
    (name, error), = names_and_errors(f'{server}/a.png')
    assert name == 'a.png' and 'allow_urls' in error
    photo, = open_photos(f'{server}/a.png', allow_urls=True)
    np.testing.assert_array_equal(photo.image, PICTURE)
    found = names_and_errors([f'{server}/b.png', 'ftp://example.org/a.png'], allow_urls=True)
    assert '404' in found[0][1] and 'expected http' in found[1][1]


def test_things_that_are_no_input():
    with pytest.raises(TypeError, match='input 1 is a int'):
        list(open_photos([PICTURE, 3]))

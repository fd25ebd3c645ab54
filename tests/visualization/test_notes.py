import numpy as np
import pytest
import torch

from mmhuman_dto.structures import Camera, HumanDataSample
from mmhuman_dto.visualization import Ground, draw_birdseye, draw_overlay, draw_sideview
from mmhuman_dto.visualization.notes import NoteStrip, notes_of
from mmhuman_dto.visualization.text import text_height, text_size

PHOTO = np.full((300, 400, 3), 60, np.uint8)
GUESSED, CAVEAT = 'focal length guessed: all distances may be off by one common factor', 'knows rendered crowds only'


@pytest.mark.parametrize('metainfo, camera, notes', [
    ({}, {}, ()), (dict(focal_source='ExifFocal'), dict(focal_std=.05), ()),
    (dict(focal_source='guess'), {}, (GUESSED, )), (dict(focal_source='guess'), dict(focal_std=np.nan), (GUESSED, )),
    (dict(focal_source='guess', caveat='two\n lines'), dict(focal_std=.3),
     (GUESSED.replace('guessed', 'guessed (± 30 %)'), 'two lines')),
    (dict(caveat=CAVEAT), {}, (CAVEAT, ))])
def test_what_must_be_said_of_a_sample(metainfo, camera, notes):
    camera = Camera(intrinsics=torch.eye(3), **{name: torch.tensor(value) for name, value in camera.items()})
    assert notes_of(HumanDataSample(metainfo=metainfo, pred_camera=camera)) == notes


@pytest.mark.parametrize('width', [60, 200, 1000])
def test_lines_fit_the_width_and_say_everything_once(width):
    strip = NoteStrip((GUESSED, CAVEAT, GUESSED), width, 8.)
    assert ' '.join(strip.lines) == f'{GUESSED} {CAVEAT}' and len(strip.lines) == {60: 10, 200: 3, 1000: 2}[width]
    assert text_size(strip.lines, strip.cap)[1] == strip.height
    assert all(text_size([line], strip.cap)[0] <= width for line in strip.lines if ' ' in line)


def test_notes_stand_at_the_lower_edge_of_every_picture(boxes, faces, texts):
    plain = boxes([(0, .2, 5)], half=(.3, .9, .3))
    noted = plain._replace(notes=(GUESSED, CAVEAT))
    ground = Ground(np.array([0, -1., 0]), 1.1)
    draw = (lambda people: draw_overlay(PHOTO, people, faces, labels=False),
            lambda people: draw_sideview([('before', people), ('after', people)], faces, (300, 400), ground, 600),
            lambda people: draw_birdseye([('before', people), ('after', people)], faces, (300, 400)))
    for drawn in draw:
        before = drawn(plain)
        texts.clear()
        after = drawn(noted)
        said, = [text for text in texts if GUESSED in text.lines]
        assert said.lines == (GUESSED, CAVEAT) and said.box[0] == 0 and said.box[2] <= after.shape[1]
        assert said.box[3] == after.shape[0]
        if drawn is draw[1]:  # as high as it needs
            assert np.array_equal(after[:len(before)], before)
        else:
            assert after.shape == before.shape


def test_labels_keep_clear_of_notes_and_tiny_pictures_have_none(boxes, faces, texts):
    low = boxes([(0, 3.2, 5)] * 6, half=(.2, .2, .2))._replace(notes=(CAVEAT, ))
    draw_overlay(PHOTO[:200, :240], low, faces)
    strip = NoteStrip(low.notes, 240, text_height((200, 240)))
    assert len(texts) >= 2 and all(text.box[3] <= 200 - strip.height for text in texts if CAVEAT not in text.lines)
    texts.clear()
    draw_overlay(PHOTO[:159], low, faces)
    assert not texts

"""Cuts are told where another place is seen, and nowhere else."""
import cv2
import numpy as np
import pytest

from mmhuman_dto.tracking.cuts import CutDetector

SIZE = (180, 320)


def place(seed):
    """A large picture of a place: things of many sizes and colours."""
    rng, picture = np.random.default_rng(seed), np.full((400, 900, 3), 120, np.uint8)
    for _ in range(250):
        color = tuple(int(c) for c in rng.integers(30, 225, 3))
        corner, reach = rng.integers(0, (900, 400)), int(80 * rng.random()**2) + 4
        if rng.random() < .5:
            cv2.circle(picture, [int(c) for c in corner], reach // 2, color, -1)
        else:
            cv2.rectangle(picture, [int(c) for c in corner], [int(c) for c in corner + reach], color, -1)
    return cv2.GaussianBlur(picture, (0, 0), 1)


def shot(seed, count=12, speed=0., zoom=1.):
    """Pictures (count) of a place by a camera that moves ``speed`` px a frame to the right."""
    rng, whole, frames = np.random.default_rng(seed), place(seed), []
    for frame in range(count):
        scale = zoom**frame
        matrix = np.array([[1 / scale, 0, 60 + speed * frame], [0, 1 / scale, 80.]])
        image = cv2.warpAffine(whole, matrix, SIZE[::-1], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        frames.append(np.clip(image + rng.normal(0, 3, image.shape), 0, 255).astype(np.uint8))
    return frames


def cuts(frames):
    detector = CutDetector()
    return [number for number, frame in enumerate(frames) if detector.add(frame)]


@pytest.mark.parametrize('motion', [dict(), dict(speed=12), dict(speed=40), dict(zoom=1.03)])
def test_a_new_place_is_told_when_it_comes_and_motion_is_none(motion):
    frames = [frame for seed in range(5) for frame in shot(seed, 10, **motion)]
    assert cuts(frames) == [10, 20, 30, 40]


def test_there_and_back_are_two_cuts():
    a, b = shot(0), shot(1)
    assert cuts([*a[:4], *b[:6], *a[4:]]) == [4, 10]


def test_light_that_changes_and_flashes_are_none():
    frames = shot(0, 30)
    for number, gain, more in ((8, 3., 120), (9, 2., 60), (15, 4., 200), (16, 5., 200), (17, 2., 200)):
        frames[number] = np.clip(frames[number] * gain + more, 0, 255).astype(np.uint8)
    frames[20:] = [(frame * .55).astype(np.uint8) for frame in frames[20:]]  # a cloud
    assert cuts(frames) == []


def test_people_who_walk_by_close_are_none():
    frames, person = shot(0, 40, speed=1.), place(9)[:, :150]
    for number, frame in enumerate(frames):
        left = -150 + 14 * number
        low, high = max(left, 0), min(left + 150, SIZE[1])
        if low < high:
            frame[20:, low:high] = person[:160, low - left:high - left]
    assert cuts(frames) == []


def test_through_black_is_one_cut():
    black = [np.zeros((*SIZE, 3), np.uint8)] * 2
    assert cuts([*shot(0, 6), *black, *shot(1, 6)]) == [8]
    assert cuts([*shot(0, 6), *black, *shot(0, 12)[6:]]) == []  # only the light went out


def test_a_bright_place_is_told_somewhat_late():
    bright = [np.clip(frame.astype(int) + 120, 0, 255).astype(np.uint8) for frame in shot(1, 8)]
    (number, ) = cuts([*shot(0, 6), *bright])
    assert 6 <= number <= 9


def test_plain_pictures_are_told_apart_by_their_colours():
    rng = np.random.default_rng(0)
    red, green = ([np.clip(np.array(color) + rng.normal(0, 2, (*SIZE, 3)), 0, 255).astype(np.uint8) for _ in range(5)]
                  for color in ((150, 60, 60), (60, 150, 60)))
    assert cuts([*red, *green]) == [5] and cuts([*red, *red]) == []


def test_another_format_is_another_shot_and_small_pictures_are_no_trouble():
    frames = shot(0, 4)
    assert cuts([*frames, *(np.ascontiguousarray(np.swapaxes(frame, 0, 1)) for frame in frames)]) == [4]
    assert cuts([frame[:20, :30] for frame in frames]) == []

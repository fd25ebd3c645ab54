"""What a camera makes of the light it sees: exposure, colour cast, blur, noise, JPEG. Where things are stays exact."""
import cv2
import numpy as np

#: Of 10 pictures so many have a colour cast and a wrong exposure, dark corners, a blurred background, general blur,
#: blur by motion, noise, JPEG's blocks.
_SHARES = dict(exposure=9, corners=3, focus=3, blur=4, motion=1.5, noise=7, jpeg=7)
#: What frames of clips do not have: it would jump from one to the next.
_OF_STILLS = 'focus', 'motion'


def photograph(image, z, scene):
    """A picture with the defects of photographs, each absent, mostly weak or sometimes strong, by chance.

    Args:
        image: (H, W, 3) float32 RGB, 0..1.
        z: (H, W) float32, depth in m, 0 in the sky.
        scene: the seed is its; ``config.defects`` times everything.
    """
    rng, strength = scene.lasting('photograph'), scene.config.defects
    long_side = max(image.shape[:2])
    for name, share in _SHARES.items():
        # As many numbers are drawn whether a defect is there or not, so that no defect moves the others.
        wanted, amount, own = rng.random() * 10 < share, rng.random()**1.5 * strength, rng.spawn(1)[0]
        if not wanted or amount <= 0 or scene.cast is not None and name in _OF_STILLS:
            continue
        # The noise of a clip's frames is the same, elsewhere in each: as good as new, and of one kind.
        rolled = scene.cast is not None and name == 'noise'
        shift = scene.generator(name).integers(image.shape[:2]) if rolled else np.zeros(2, int)
        image = _shifted(_DEFECTS[name](_shifted(image, shift), amount, own, long_side, z), -shift)
    return image


def _shifted(image, shift):
    return np.roll(image, shift, (0, 1)) if shift.any() else image


def _exposure(image, amount, rng, *_):
    """Brightness by up to 2 / 3 of a stop, white balance by up to 15 %, contrast by up to 30 %."""
    gain = 2**(amount * rng.uniform(-.67, .67)) * (1 + .15 * amount * rng.uniform(-1, 1, 3))
    contrast = 1 + .3 * amount * rng.uniform(-1, 1)
    return cv2.pow(np.clip(image * gain.astype(np.float32), 0, 1), contrast)


def _corners(image, amount, *_):
    height, width = image.shape[:2]
    x, y = np.linspace(-1, 1, width, dtype=np.float32), np.linspace(-1, 1, height, dtype=np.float32)
    return image * (1 - np.float32(.25 * amount) * (x**2 + y[:, None]**2))[..., None]


def _focus(image, amount, rng, long_side, z):
    """A lens in focus at one of the distances there are, that of a random pixel: what is behind or before it blurs."""
    nearness = np.divide(1, z, out=np.zeros_like(z), where=z > 0)
    at = np.median(rng.choice(nearness[z > 0], 9)) if (z > 0).any() else 0
    share = np.clip(np.abs(nearness - at) / (at + 1e-6) * 1.2 - .15, 0, 1)[..., None]
    return image + (_soft(image, amount * .009 * long_side) - image) * share


def _blur(image, amount, _, long_side, *__):
    return _soft(image, .3 + amount * .004 * long_side)


def _motion(image, amount, rng, long_side, *_):
    """Shaken along a line of up to 2 % of the long side."""
    length, angle = amount * .02 * long_side, rng.uniform(0, np.pi)
    size = 2 * int(np.ceil(length / 2)) + 1
    offsets = np.linspace(-length / 2, length / 2, 4 * size)
    kernel = np.zeros((size, size), np.float32)
    column, row = (np.round(size // 2 + offsets * f(angle)).astype(int) for f in (np.cos, np.sin))
    np.add.at(kernel, (row, column), 1 / len(offsets))
    return cv2.filter2D(image, -1, kernel, borderType=cv2.BORDER_REFLECT)


def _noise(image, amount, rng, *_):
    """Shot noise and read noise, some of it of the colours alone, some of it blurred as by a telephone's denoising."""
    shape, grain = image.shape[:2], amount * np.float32(.05)
    noise = rng.standard_normal(shape, np.float32)[..., None] * np.float32(.8)
    noise = noise + rng.standard_normal(image.shape, np.float32) * np.float32(.5)
    if rng.random() < .5:
        noise = _soft(noise, .6) * 2
    return image + grain * noise * np.sqrt(.15 + np.clip(image, 0, 1))


def _jpeg(image, amount, *_):
    quality = int(95 - 70 * amount)
    pixels = np.clip(image[..., ::-1] * 255 + .5, 0, 255).astype(np.uint8)
    coded = cv2.imencode('.jpg', pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.float32(cv2.imdecode(coded, cv2.IMREAD_COLOR)[..., ::-1]) / 255


def _soft(image, sigma):
    return cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REFLECT) if sigma > .2 else image


_DEFECTS = dict(exposure=_exposure, corners=_corners, focus=_focus, blur=_blur, motion=_motion, noise=_noise,
                jpeg=_jpeg)

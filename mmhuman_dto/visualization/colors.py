"""One pleasant, distinct colour a person, the same person keeping it in every picture."""
import numpy as np

GOLDEN_ANGLE = np.pi * (3 - np.sqrt(5))
#: OKLab (https://bottosson.github.io/posts/oklab, public domain) to LMS' and on to linear sRGB.
OKLAB_TO_LMS = np.array([[1, .3963377774, .2158037573], [1, -.1055613458, -.0638541728],
                         [1, -.0894841775, -1.291485548]])
LMS_TO_RGB = np.array([[4.0767416621, -3.3077115913, .2309699292], [-1.2684380046, 2.6097574011, -.3413193965],
                       [-.0041960863, -.7034186147, 1.707614701]])


#: How colourful people are, and those whom DTO left out or no track has yet: these are all but grey.
CHROMA, LEFT_OUT_CHROMA = .135, .01


def colors_of(placement):
    """Colours (N, 3) uint8 RGB of the people of a :class:`~mmhuman_dto.visualization.Placement`."""
    return person_colors(placement.ids, np.where(placement.left_out | (placement.ids < 0), LEFT_OUT_CHROMA, CHROMA))


def person_colors(ids, chroma=CHROMA):
    """Colours (N, 3) uint8 RGB by person number (N): hues a golden angle apart at three levels of lightness."""
    ids = np.asarray(ids, dtype=np.int64).reshape(-1)
    hue = 0.45 + GOLDEN_ANGLE * ids
    lightness = np.array([.72, .62, .82])[ids % 3]
    lab = np.stack([lightness, chroma * np.cos(hue), chroma * np.sin(hue)], -1)
    linear = np.clip((lab @ OKLAB_TO_LMS.T)**3 @ LMS_TO_RGB.T, 0, 1)
    srgb = np.where(linear <= .0031308, 12.92 * linear, 1.055 * linear**(1 / 2.4) - .055)
    return np.round(255 * srgb).astype(np.uint8)


def plate_color(color):
    """A light tone of a person's colour (3) uint8 RGB, for dark letters on it."""
    return tuple(int(c) for c in 255 - (255 - np.asarray(color, int)) * .45)

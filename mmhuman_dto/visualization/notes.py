"""What a picture must not keep quiet: that its focal length is a guess, what its method does not know."""
import math

import numpy as np

from .text import INK, PAPER, draw_text, text_size

#: Notes are this much smaller than other text.
_SIZE = .85
#: How much a note's paper hides of the photo under it.
_OPACITY = .8


def notes_of(sample):
    """Lines of text for a sample's ``pred_instances``, from its ``focal_source``, ``caveat`` and the camera's
    ``focal_std`` (std of the logarithm of the focal length)."""
    notes = []
    if sample.get('focal_source') == 'guess':
        std = float(sample.pred_camera.get('focal_std', 0))
        known = f' (± {100 * std:.0f} %)' if math.isfinite(std) and std > 0 else ''
        notes.append(f'focal length guessed{known}: all distances may be off by one common factor')
    if sample.get('caveat'):
        notes.append(' '.join(str(sample.caveat).split()))
    return tuple(notes)


class NoteStrip:
    """Notes broken into lines that fit a width, to be drawn at the lower edge of a picture.

    Args:
        notes: texts; the same one counts once.
        width: px of the picture. cap: height (px) of a capital letter of the picture's other text.
    """

    def __init__(self, notes, width, cap):
        self.cap = _SIZE * cap
        self.lines = [line for note in dict.fromkeys(notes) for line in _wrapped(note, width, self.cap)]
        #: height: px of the strip, 0 without notes
        self.height = text_size(self.lines, self.cap)[1] if self.lines else 0

    def below(self, picture):
        """A picture (H, W, 3) with the strip added below."""
        longer = np.pad(picture, ((0, self.height), (0, 0), (0, 0)), constant_values=PAPER[0])
        self.draw(longer)
        return longer

    def draw(self, picture):
        """Write them over the lowest ``height`` px of the picture, in place."""
        if not self.lines:
            return
        strip = picture[len(picture) - self.height:]
        strip[:] = np.round((1 - _OPACITY) * strip + _OPACITY * np.array(PAPER))
        draw_text(strip, self.lines, (0, 0), self.cap, INK)


def _wrapped(note, width, cap):
    lines = []
    for word in note.split():
        longer = f'{lines[-1]} {word}' if lines else word
        if lines and text_size([longer], cap)[0] <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines

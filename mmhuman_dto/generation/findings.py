"""What is said of inputs that cannot be what they are taken for."""
from typing import NamedTuple

#: Below how many people or images nothing is concluded, and the share from which on a mistake is no accident.
FEW, MOST = 3, .5
#: Fewer pixels of a person than this tell nothing.
PIXELS = 30


class Finding(NamedTuple):
    """What is odd about inputs, and whether nothing usable can come of them."""
    text: str
    stops: bool


def by(size):
    """A size (height, width) in words."""
    return ' x '.join(str(int(side)) for side in size)

"""What scenes look like: numbers and shares that a crowd is drawn from."""
from dataclasses import dataclass, field, fields

#: Width over height of photographs, and how often each is drawn: lying and upright 4:3, 3:2 and 16:9, and square.
PHOTO_FORMATS = ((4 / 3, .2), (3 / 2, .2), (16 / 9, .15), (1., .1), (3 / 4, .15), (2 / 3, .1), (9 / 16, .1))
#: Where people are, and how often.
PLACE_SHARES = (('open', .2), ('park', .15), ('street', .3), ('room', .35))


def _later(default):
    """A field that version 1 does not know."""
    return field(default=default, metadata=dict(version=2))


@dataclass(frozen=True)
class CrowdConfig:
    """What scenes look like.

    Version 1 is the crowds of old, whose seeds keep their pictures. Version 2 is nearer to photographs: pictures of all
    formats, rooms and streets, cameras that look up, down and aslant, close-ups, people whom the frame cuts, clothes
    and hair with shapes of their own, light of all kinds, and the defects of pictures.

    Raises:
        ValueError: an unknown version, or a field of version 2 in version 1.
    """
    size: tuple[int, int] = (640, 960)  # (height, width) px; in version 2 its longer side is that of every picture
    people: tuple[int, int] = (2, 12)  # fewest and most people; in version 2 few are drawn more often than many
    child_share: float = .35  # probability that a person is below 15 years
    fov: tuple[float, float] = (20., 100.)  # vertical field of view, degrees; in version 2 that of the shorter side
    max_slope: float = 6.  # steepest ground, degrees
    pose_noise: float = 4.  # std of the joint angles, degrees
    first_row: tuple[float, float] = (.5, 1.)  # share of the picture's height that a grown-up in the first row takes
    depth_range: tuple[float, float] = (1.4, 2.6)  # distance of the last row in units of the first's
    grouped: float = .5  # probability that a person stands beside somebody already there
    far_share: float = .15  # probability that a person stands behind the crowd, up to four times as far
    min_visible: float = .15  # people of whom less than this share is visible are left out
    version: int = _later(1)
    formats: tuple[tuple[float, float], ...] = _later(PHOTO_FORMATS)  # (width / height, how often) of the pictures
    places: tuple[tuple[str, float], ...] = _later(PLACE_SHARES)  # (name in ``places.PLACES``, how often)
    close_share: float = _later(.25)  # probability of a close-up: the first row is larger than the picture
    cut_share: float = _later(.35)  # probability that the frame may cut a person
    defects: float = _later(1.)  # blur, noise, wrong exposure and JPEG of the pictures, 0 for none

    def __post_init__(self):
        if self.version not in (1, 2):
            raise ValueError(f'CrowdConfig: version={self.version!r}, expected 1 or 2')
        if self.version == 1:
            wrong = [f.name for f in fields(self) if 'version' in f.metadata and getattr(self, f.name) != f.default]
            if wrong:
                raise ValueError(f'CrowdConfig: {", ".join(wrong)} need version=2')

    def stated(self):
        """The fields that its version knows, {name: value}."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.metadata.get('version', 1) <= self.version}

    def __repr__(self):
        return f'CrowdConfig({", ".join(f"{name}={value!r}" for name, value in self.stated().items())})'

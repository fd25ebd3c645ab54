"""What clips look like: numbers and shares that moving crowds are drawn from."""
from dataclasses import dataclass

from ..crowd_config import PLACE_SHARES

CAMERAS, ACTIVITIES = ('still', 'panning', 'walking'), ('walk', 'wait', 'sit')


@dataclass(frozen=True)
class ClipConfig:
    """What clips look like.

    Raises:
        ValueError: an unknown camera or activity, or shares that are not positive.
    """
    size: tuple[int, int] = (360, 640)  # (height, width) px
    seconds: float = 10.
    fps: float = 30.
    people: tuple[int, int] = (2, 8)  # fewest and most people of a clip
    child_share: float = .3  # probability that a person is below 15 years
    fov: tuple[float, float] = (35., 65.)  # vertical field of view, degrees
    first_row: tuple[float, float] = (.5, .85)  # share of the picture's height of a grown-up in front
    depth_range: tuple[float, float] = (1.4, 2.4)  # distance of those behind in units of those in front
    camera_heights: tuple[float, float] = (1., 2.4)  # m
    cameras: tuple[tuple[str, float], ...] = (('still', .5), ('panning', .25), ('walking', .25))  # kind, how often
    jitter: float = .25  # std of the turns of a camera in the hand, degrees; still cameras have none
    #: what people do next, and how often
    activities: tuple[tuple[str, float], ...] = (('walk', .6), ('wait', .25), ('sit', .15))
    gestures: float = .6  # probability that who stands or sits does something with the arms; a third of it, walking
    carrying: float = .12  # probability that a person carries something in both arms
    pace: tuple[float, float] = (.3, .5)  # walking speed over sqrt(gravity x leg); 0.45 is 1.34 m/s of a grown-up
    enter_leave: float = .5  # probability that a person comes into view, and that one goes, during the clip
    version: int = 1  # of the looks: 1 plain, 2 with clothes, places and the defects of pictures (see CrowdConfig)
    places: tuple[tuple[str, float], ...] = PLACE_SHARES  # of version 2, and how often; rooms for still cameras only
    defects: float = 1.  # of version 2: blur, noise, wrong exposure and JPEG of the pictures, 0 for none
    min_visible: float = .1  # who is seen less, as share of the whole body, is not among a frame's people

    def __post_init__(self):
        for name, known in (('cameras', CAMERAS), ('activities', ACTIVITIES)):
            given = getattr(self, name)
            wrong = [key for key, share in given if key not in known or share < 0]
            if wrong or not sum(share for _, share in given) > 0:
                raise ValueError(f'ClipConfig: {name}={given!r}, expected pairs of one of {known} and its share')
        if self.version not in (1, 2):
            raise ValueError(f'ClipConfig: version={self.version!r}, expected 1 or 2')
        if self.frames < 1:
            raise ValueError(f'ClipConfig: seconds={self.seconds} at fps={self.fps} are no frame')

    @property
    def frames(self):
        """How many frames a clip has."""
        return round(self.seconds * self.fps)

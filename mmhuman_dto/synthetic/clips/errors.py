"""What networks would have said of a clip's frames: of each error a part stays, a part drifts and a part is new."""
from dataclasses import dataclass, fields

import numpy as np
import torch

from ..corruption import DisparityErrors, NetworkErrors
from ..samples import dto_sample

#: Errors that each person has its own of; the others are the picture's.
OF_PEOPLE = ('shape', 'height', 'size', 'offset', 'pose', 'depth', 'age', 'sex')


@dataclass(frozen=True)
class Parts:
    """Shares of an error's variance that stay through the clip, that drift, and that are new in each frame.

    Raises:
        ValueError: they are not shares of one.
    """
    staying: float
    drifting: float
    fresh: float

    def __post_init__(self):
        parts = self.staying, self.drifting, self.fresh
        if min(parts) < 0 or abs(sum(parts) - 1) > 1e-6:
            raise ValueError(f'{self}: expected three shares, none below 0, that add up to 1')


@dataclass(frozen=True)
class ClipErrors:
    """How large the errors of networks are, and how long they last; a field a name of ``corruption.fresh``."""
    #: how large; a person's depth is wrong by 6 % in all
    network: NetworkErrors = NetworkErrors(disparity=DisparityErrors(person_noise=.06))
    seconds: float = 1.  # the time in which what drifts forgets all but 1 / e
    depth: Parts = Parts(.5, .25, .25)
    height: Parts = Parts(.6, .2, .2)
    shape: Parts = Parts(.6, .2, .2)
    size: Parts = Parts(.2, .3, .5)
    offset: Parts = Parts(.1, .3, .6)
    pose: Parts = Parts(.3, .4, .3)
    age: Parts = Parts(.6, .2, .2)
    sex: Parts = Parts(.6, .2, .2)
    focal: Parts = Parts(.6, .2, .2)
    map_scale: Parts = Parts(.3, .3, .4)
    map_shift: Parts = Parts(.3, .3, .4)
    map_rows: Parts = Parts(.6, .3, .1)
    map_pixels: Parts = Parts(.3, .3, .4)

    @classmethod
    def frame_by_frame(cls, **more):
        """As large, but all of them new in every frame, as if each frame were a picture of its own."""
        return cls(**{field.name: Parts(0, 0, 1) for field in fields(cls) if isinstance(field.default, Parts)}, **more)

    def parts(self, name):
        """The :class:`Parts` of an error."""
        return getattr(self, name.replace(' ', '_'))


class Drift:
    """Standard normal numbers of a shape, frame after frame: what stays, what drifts (AR(1)) and what is new."""

    def __init__(self, parts, keep, shape, rng):
        self.parts, self.keep, self.shape, self.rng = parts, keep, shape, rng
        self.staying, self.drifting = rng.normal(size=shape), rng.normal(size=shape)

    def step(self):
        """Go to the next frame."""
        self.drifting = self.keep * self.drifting + np.sqrt(1 - self.keep**2) * self.rng.normal(size=self.shape)

    def __call__(self):
        """The numbers of this frame, each of variance 1; the fresh ones are others at each call."""
        parts = self.parts
        return (np.sqrt(parts.staying) * self.staying + np.sqrt(parts.drifting) * self.drifting +
                np.sqrt(parts.fresh) * self.rng.normal(size=self.shape))


class ClipNoise:
    """The errors of a clip's frames, as ``corruption`` draws them.

    Args:
        seed: integers. people: M of the clip. errors: :class:`ClipErrors`. fps: frames/s.
    """

    def __init__(self, seed, people, errors, fps):
        self.seed, self.people, self.errors = seed, people, errors
        self.keep = np.exp(-1 / (errors.seconds * fps)) if errors.seconds > 0 else 0.
        self._drifts = {}

    def step(self):
        """Go to the next frame."""
        for drift in self._drifts.values():
            drift.step()

    def of(self, rows):
        """``draw(name, shape)`` of this frame, whose people are ``rows`` (N) of the clip's."""
        def draw(name, shape=()):
            mine = name in OF_PEOPLE
            shape = (self.people, *np.atleast_1d(shape)[1:]) if mine else shape
            if name not in self._drifts:
                rng = np.random.default_rng([*self.seed, *name.encode()])
                self._drifts[name] = Drift(self.errors.parts(name), self.keep, shape, rng)
            values = self._drifts[name]()
            return values[rows] if mine else values
        return draw


def clip_samples(crowd, pictures, errors=None, seed=0):
    """Yield a :class:`~mmhuman_dto.structures.HumanDataSample` a frame: what DTO starts from, and ``track_ids``.

    Args:
        crowd: :class:`~mmhuman_dto.synthetic.clips.MovingCrowd`.
        pictures: of its frames, in order (``crowd.pictures(renderer, images=False)``: the images are not needed).
        errors: :class:`ClipErrors`, its defaults if None. seed: other seeds give other errors of the same size.
    """
    errors = errors or ClipErrors()
    noise = ClipNoise([*crowd.seed, seed], len(crowd.actors), errors, crowd.config.fps)
    for t, picture in enumerate(pictures):
        scene = crowd.frames[t]
        sample = dto_sample(scene, picture, f'{t:06d}', crowd.body_model, errors.network, noise.of(scene.cast.rows))
        sample.pred_instances.track_ids = torch.as_tensor(scene.cast.rows, dtype=torch.int64)
        yield sample
        noise.step()

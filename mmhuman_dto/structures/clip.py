"""People through a video: who they are, when they are seen, and in which body."""
from dataclasses import dataclass, field

import torch

from .people import People
from .sample import Camera, HumanDataSample


@dataclass
class PersonTrack:
    """One person in the F frames of a clip in which it is known where it is.

    Attributes:
        track_id: its number.
        frames: (F) int64, rising: rows of the clip's frames.
        people: F rows, the person in each of ``frames``, with the fields of :data:`~mmhuman_dto.structures.FIELDS`;
            camera frame of its frame.
    """
    track_id: int
    frames: torch.Tensor
    people: People

    def __len__(self):
        return len(self.frames)


@dataclass
class Clip:
    """T frames of a video and the people in them; CPU tensors.

    Attributes:
        name: what its files are called.
        times: (T) float64, s, rising, from the first frame on; frames need not be evenly spaced.
        image_size: (height, width) px.
        intrinsics: (T, 3, 3) px.
        tracks: :class:`PersonTrack` of everybody, by rising ``track_id``.
        camera_poses: (T, 4, 4) float64, world -> camera, m; None: the camera stands still, its frame is the world.
        shots: rows of the frames at which a new shot begins, the first one 0; a person's tracks do not reach from one
            shot into the next.
        body_model: name of the body model in ``BODY_MODELS`` that the people are of; '' for meshes alone.
    """
    name: str
    times: torch.Tensor
    image_size: tuple[int, int]
    intrinsics: torch.Tensor
    tracks: list[PersonTrack]
    camera_poses: torch.Tensor | None = None
    shots: list[int] = field(default_factory=lambda: [0])
    body_model: str = ''

    def __len__(self):
        return len(self.times)

    @property
    def fps(self):
        """Frames a second: one over the median time between frames; 30 of a single one."""
        return 1 / float(self.times.diff().median()) if len(self) > 1 else 30.

    @classmethod
    def from_samples(cls, samples, times, name='', **more):
        """The clip of T samples, whose ``pred_instances`` have ``track_ids`` and whose ``pred_camera`` intrinsics.

        Raises:
            ValueError: a person stands twice in one frame.
        """
        rows = {}
        for frame, sample in enumerate(samples):
            numbers = torch.as_tensor(sample.pred_instances.get('track_ids', torch.zeros(0))).tolist()
            if len(set(numbers)) != len(numbers):
                raise ValueError(f'frame {frame}: two people of one number among track_ids {numbers}')
            for row, number in enumerate(numbers):
                rows.setdefault(int(number), []).append((frame, row))
        tracks = [PersonTrack(number, torch.tensor([frame for frame, _ in places]), People.cat(
            [samples[frame].pred_instances[row:row + 1] for frame, row in places])) for number, places in sorted(
                rows.items())]
        return cls(name, torch.as_tensor(times, dtype=torch.float64),
                   tuple(samples[0].ori_shape) if samples else (0, 0),
                   torch.stack([torch.as_tensor(sample.pred_camera.intrinsics) for sample in samples])
                   if samples else torch.zeros(0, 3, 3), tracks, **more)

    def samples(self):
        """Yield a :class:`~mmhuman_dto.structures.HumanDataSample` of each frame: ``pred_instances`` with
        ``track_ids``, in the order of the tracks, and ``pred_camera``."""
        rows = [[] for _ in range(len(self))]
        for track in self.tracks:
            for row, frame in enumerate(track.frames.tolist()):
                rows[frame].append((track, row))
        for frame, (places, intrinsics) in enumerate(zip(rows, self.intrinsics)):
            sample = HumanDataSample(metainfo=dict(img_id=f'{frame:06d}', ori_shape=tuple(self.image_size)))
            people = People.cat([track.people[row:row + 1] for track, row in places]) if places else (
                self.tracks[0].people[:0] if self.tracks else People(num_people=0))
            people.track_ids = torch.tensor([track.track_id for track, _ in places], dtype=torch.int64)
            sample.pred_instances, sample.pred_camera = people, Camera(intrinsics=intrinsics)
            yield sample

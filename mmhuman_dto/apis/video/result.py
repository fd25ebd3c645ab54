"""What comes of a video."""
import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from mmhuman_dto.structures import Camera, Clip, HumanDataSample, PersonTrack
from mmhuman_dto.visualization import Placement, Scene
from mmhuman_dto.visualization.clip_motion import camera_to_world
from mmhuman_dto.visualization.clip_plan import plan_bounds
from mmhuman_dto.visualization.clip_video import ClipVideoWriter
from mmhuman_dto.visualization.clip_writers import CLIP_WRITERS, save_clip

from .identities import people_of

#: What is saved of a video where nothing else is asked for.
DEFAULT_KINDS = ('mp4', 'params', 'csv', 'glb', 'bvh', 'amass', 'html')
#: All that a video can be saved as.
KINDS = ('mp4', *CLIP_WRITERS)


@dataclass(repr=False, eq=False)
class HumanClip:
    """People of a video through time, in metres.

    Attributes:
        name: what its files are called. video: the reader of its frames.
        people: :class:`~.store.FrameStore` of them, a row a person of each frame.
        times: (T) s. shots: frames at which shots begin.
        camera: of all frames. cameras: (T, 4, 4) world -> camera, where they are known.
        heights: {track id: (height, its standard deviation)}, m.
        body_model: of the people. metainfo: of every frame's sample.
        notes: what is to be known of it. failed: [(frame, why)] of frames that nothing could be found in.
    """
    name: str
    video: object
    people: object
    times: np.ndarray
    shots: list
    camera: Camera
    body_model: torch.nn.Module
    metainfo: dict
    heights: dict
    cameras: torch.Tensor | None = None
    notes: tuple = ()
    failed: list = field(default_factory=list)
    temporary: object = None  # folder of its frames that goes when the clip does; None: they stay

    def __len__(self):
        return len(self.times)

    def __repr__(self):
        return f'<{type(self).__name__} {self.name}: {self.summary}>'

    def sample(self, frame):
        """The :class:`~mmhuman_dto.structures.HumanDataSample` of a frame: ``pred_instances`` with ``track_ids``."""
        sample = HumanDataSample(metainfo=dict(self.metainfo, img_id=f'{self.name}/{frame:06d}',
                                               ori_shape=tuple(self.video.size)))
        sample.pred_instances = people_of(self.people[frame] or self._nobody)
        sample.pred_camera = Camera(**{name: value.clone() for name, value in self.camera.items()})
        return sample

    def scenes(self):
        """Yield (:class:`~mmhuman_dto.visualization.Scene`, time in s) of each frame, the video being read again."""
        faces = self.body_model.faces.cpu().numpy()
        for number, _, image in self.video.frames():
            if number >= len(self):
                return
            placement = Placement.from_sample(self.sample(number), self.body_model)
            yield Scene(f'{self.name}/{number:06d}', image, faces, placement), float(self.times[number])

    @property
    def clip(self):
        """All of it as a :class:`~mmhuman_dto.structures.Clip`."""
        rows = {}
        for frame in range(len(self)):
            arrays = self.people[frame]
            for row, number in enumerate(arrays['track_ids'].tolist() if arrays else ()):
                rows.setdefault(number, []).append((frame, {name: values[row] for name, values in arrays.items()}))
        tracks = [PersonTrack(number, torch.tensor([frame for frame, _ in found]), people_of(
            {name: np.stack([row[name] for _, row in found]) for name in found[0][1]}))
            for number, found in sorted(rows.items())]
        times = torch.as_tensor(self.times - self.times[0] if len(self) else self.times, dtype=torch.float64)
        return Clip(self.name, times, tuple(self.video.size), self.camera.intrinsics.expand(len(self), 3, 3), tracks,
                    self.cameras, list(self.shots), type(self.body_model).__name__)

    @property
    def summary(self):
        """One line: how long, how many people, how tall, and what is to be known of it."""
        count = len(self.heights)
        tall = ', '.join(f'{number}: {height:.2f} m' for number, (height, _) in [*self.heights.items()][:6])
        tall += ', ...' if count > 6 else ''
        duration = float(self.times[-1] - self.times[0]) if len(self) else 0.
        people = f'{count} {"person" if count == 1 else "people"} ({tall})' if count else 'nobody found'
        said = f'{len(self)} frames, {duration:.1f} s; {people}'
        return '; '.join([said, *self.notes])

    def save(self, out_dir, kinds=DEFAULT_KINDS, name=None, progress=lambda *_: None):
        """Write ``OUT_DIR/KIND/NAME.suffix`` for each kind of :data:`KINDS`: the paths.

        ``progress`` is called as :class:`~.inferencer.VideoInferencer` calls it.

        Raises:
            ValueError: an unknown kind. KindError: kinds that cannot be made of it, once all others are written.
        """
        unknown = [kind for kind in kinds if kind not in KINDS]
        if unknown:
            raise ValueError(f'cannot save {", ".join(unknown)} of videos; known: {", ".join(KINDS)}')
        name, paths, clip = name or self.name, [], self.clip
        if 'mp4' in kinds:
            paths.append(self._write_mp4(clip, Path(out_dir) / 'mp4' / f'{name}.mp4', progress))
        others = [kind for kind in kinds if kind != 'mp4']
        return paths + (save_clip(clip, self.body_model, out_dir, name, others) if others else [])

    def discard(self):
        """Remove what was kept of its frames on the way; the clip cannot be asked for more afterwards."""
        shutil.rmtree(self.people.folder.parent, ignore_errors=True)
        with suppress(OSError):  # of other videos
            self.people.folder.parent.parent.rmdir()

    def _write_mp4(self, clip, path, progress):
        to_world = camera_to_world(clip, self.body_model)
        with ClipVideoWriter(path, clip.fps, plan_bounds(clip, self.body_model, to_world)) as writer:
            for number, (scene, time) in enumerate(self.scenes()):
                writer.add(scene, time, to_world[number], number in self.shots[1:])
                progress('drawing', number + 1, len(self))
        return path

    @cached_property
    def _nobody(self):
        """{field: array (0, ...)} of a frame without people."""
        some = next((arrays for frame in range(len(self)) if (arrays := self.people[frame])), None)
        return {name: values[:0] for name, values in some.items()} if some else dict(
            track_ids=np.zeros(0, np.int64), global_orient=np.zeros((0, 3), np.float32),
            body_pose=np.zeros((0, self.body_model.num_body_joints, 3), np.float32),
            betas=np.zeros((0, self.body_model.num_betas), np.float32), transl=np.zeros((0, 3), np.float32))

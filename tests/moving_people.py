"""A clip of people who walk in place by sine curves, with a gap and somebody who comes late: for tests of files."""
import numpy as np
import torch

from mmhuman_dto.geometry.rotation import axis_angle_to_matrix, matrix_to_axis_angle
from mmhuman_dto.structures import Clip, People, PersonTrack

INTRINSICS = torch.tensor([[400., 0, 320], [0, 400, 240], [0, 0, 1]])
#: Rows of SMPL's joints: left and right hip, knee, shoulder.
_LEGS, _KNEES, _ARMS = (1, 2), (4, 5), (16, 17)


def walker(times, phase=0., turn=.6):
    """Pose (T, 24, 3) of somebody upright in the camera's frame who walks in place and turns by ``turn`` rad/s."""
    pose, swing = torch.zeros(len(times), 24, 3), torch.sin(2 * np.pi * times + phase).float()
    pose[:, 0, 0] = np.pi
    for side, (leg, knee, arm) in zip((1, -1), zip(_LEGS, _KNEES, _ARMS)):
        pose[:, leg, 0], pose[:, knee, 0] = -.6 * side * swing, .5 - .5 * side * swing
        pose[:, arm, 0], pose[:, arm, 2] = .5 * side * swing, -1.2 * side
    about = torch.zeros(len(times), 3)
    about[:, 1] = turn * times.float() + phase
    pose[:, 0] = matrix_to_axis_angle(axis_angle_to_matrix(pose[:, 0]) @ axis_angle_to_matrix(about))
    return pose


def track(number, frames, times, body_model, place, phase=0., stature=0.):
    """A person in some frames of a clip."""
    frames = torch.as_tensor(frames)
    now = times[frames]
    pose = walker(now, phase)
    betas = torch.zeros(len(frames), body_model.num_betas)
    betas[:, 0] = stature
    transl = torch.tensor(place, dtype=torch.float32) + torch.stack(
        [.3 * now.float(), .01 * torch.sin(now.float()), 0 * now.float()], 1)
    people = People(global_orient=pose[:, 0], body_pose=pose[:, 1:], betas=betas, transl=transl,
                    heights=body_model.height(betas), heights_std=torch.full((len(frames), ), .02),
                    depths_std=torch.full((len(frames), ), .1), scores=torch.full((len(frames), ), .9),
                    track_ids=torch.full((len(frames), ), number))
    return PersonTrack(number, frames, people)


def walking_clip(body_model, seconds=4., fps=10., **more):
    """Person 2 is there throughout but for half a second; 5 comes at a quarter of the clip and leaves at a half; 7 is
    away for 2.5 s where the clip is long enough."""
    count = round(seconds * fps)
    times = torch.arange(count, dtype=torch.float64) / fps
    half = round(fps / 2)
    away = [frame for frame in range(count) if not .5 <= times[frame] < 3]
    tracks = [track(2, [*range(half), *range(2 * half, count)], times, body_model, (-1., .9, 4.), stature=1.),
              track(5, range(count // 4, count // 2), times, body_model, (.6, .95, 5.), 1.),
              track(7, away, times, body_model, (0., .9, 6.), 2., -1.)]
    return Clip('walk', times, (480, 640), INTRINSICS.repeat(count, 1, 1), tracks, body_model=type(body_model).__name__,
                **more)


def true_joints(clip, track_id, frame, body_model):
    """(24, 3) m, camera frame of a frame in which a person is."""
    track, = (track for track in clip.tracks if track.track_id == track_id)
    row = track.frames.tolist().index(frame)
    people = track.people[row:row + 1]
    return body_model.skeleton(people.pose, people.betas, people.transl)[0].double().numpy()


def told_clip(body_model):
    """The people of a clip as meshes whose joints and rotations are told, as other programs tell them."""
    clip = walking_clip(body_model)
    for track in clip.tracks:
        people = track.people
        posed = body_model(people.pose, people.betas, people.transl)
        people.vertices, people.pelvis, people.smpl_joints = posed.vertices, posed.joints[:, 0], posed.joints[:, :24]
    return clip


def mesh_clip(body_model):
    """The people of a clip as meshes alone."""
    clip = walking_clip(body_model)
    for track in clip.tracks:
        people = track.people
        posed = body_model(people.pose, people.betas, people.transl)
        for name in ('global_orient', 'body_pose', 'betas', 'transl'):
            delattr(people, name)
        people.vertices, people.pelvis = posed.vertices, posed.joints[:, 0]
    return clip

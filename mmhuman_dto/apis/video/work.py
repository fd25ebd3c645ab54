"""The work on one video, step by step; what is done stays on disk, so that whoever was stopped goes on."""
import hashlib
import json
from collections import deque
from itertools import islice

import numpy as np
import torch

import mmhuman_dto
from mmhuman_dto.dto.problem import CACHED
from mmhuman_dto.geometry.trajectories import scaled_poses
from mmhuman_dto.perception.keypoint_fit import GUESSED_FOCAL_STD, SIZE_SHARE, guessed_intrinsics
from mmhuman_dto.structures import Camera

from .bodies import CONTEXT
from .identities import identities, joint_tracks
from .observing import BEFORE
from .placing import SeenPeople, whereabouts
from .result import HumanClip
from .store import FrameStore

#: Frames a file, and frames that are fitted together.
PART = 250
#: What no depth map says of who was not seen.
_NO_EVIDENCE = np.full(len(CACHED), np.nan, np.float32)


class Work:
    """One video through all steps.

    Args:
        inferencer: :class:`~.inferencer.VideoInferencer`. video: the reader. progress: as it takes it.
        folder: a folder below it, named after video and settings, has what is done.
    """

    def __init__(self, inferencer, video, folder, progress):
        self.inferencer, self.video, self.progress = inferencer, video, progress
        self.folder = folder / f'{video.path.name}-{fingerprint(inferencer, video)}'
        self.frames, self.bodies, self.people = (FrameStore(self.folder / name, PART)
                                                 for name in ('frames', 'bodies', 'people'))

    def clip(self, name, temporary=None):
        """:class:`~.result.HumanClip`, which keeps a ``temporary`` folder of its frames."""
        numbers, failed = self._observe()
        times, shots = numbers['times'], [0, *np.flatnonzero(numbers['cuts']).tolist()]
        camera = camera_of(self.video.size, numbers)
        found = identities(self.frames, times, shots[1:], self.inferencer.body_model,
                           self._steps('following people', len(times)))
        known = joint_tracks(self.frames, found, times, camera.intrinsics)
        people = self.inferencer.bodies.shaped([(one.track_id, frames, track) for one, frames, track in known])
        self._fit(people, {one.track_id: one for one, *_ in known}, len(times))
        poses = self._poses(times)
        places = self._place(times, shots, camera, poses)
        camera = self._refit(people, places, camera, len(times))
        heights = {number: (one.height, one.height_std) for number, one in sorted(places.items())}
        return HumanClip(name, self.video, self.people, times, shots, camera, self.inferencer.body_model,
                         self._metainfo(camera), heights, _in_metres(poses, places), self._notes(failed), failed,
                         temporary)

    def _steps(self, what, total):
        done = 0

        def advance(count=1):
            nonlocal done
            done += count
            self.progress(what, done, total)
        return advance

    # Single frames

    def _observe(self):
        """Numbers of all frames, {name: array (T, ...)}, and [(frame, why)] of those that failed."""
        advance, part, numbers, failed = self._steps('looking at frames', self.video.num_frames), 0, [], []
        frames = _Reading(self.video)
        while not numbers or len(numbers[-1]['times']) == PART:
            if self.frames.has(part):
                advance(len(self.frames.numbers(part)['times']))
            else:
                before, few = frames.part(part * PART)
                found, about, wrong = self.inferencer.observer(self.video.path.name, few, before, advance)
                about['failed'] = np.frombuffer(json.dumps(wrong).encode(), np.uint8)
                self.frames.write(part, found, about)
            numbers.append(dict(self.frames.numbers(part)))
            failed += json.loads(bytes(numbers[-1].pop('failed')))
            part += 1
        joined = {name: np.concatenate([some[name] for some in numbers]) for name in numbers[0]}
        return joined, [tuple(one) for one in failed]

    def _metainfo(self, camera):
        guessed = dict(focal_source='guess') if float(camera.focal_std) > 0 else {}
        return dict(keypoint_set=self.inferencer.source.fit.joint_set,
                    body_model=type(self.inferencer.body_model).__name__, **guessed)

    def _poses(self, times):
        """(T, 4, 4) world -> camera, where the camera's poses are known; else None."""
        if self.inferencer.poses is None:
            return None
        return self.inferencer.poses.of_frames(times - times[0], getattr(self.video, 'names', None))

    # Bodies

    def _fit(self, people, found, frames):
        advance = self._steps('fitting bodies', frames)
        for part in range(-(-frames // PART)):
            start, stop = part * PART, min(frames, (part + 1) * PART)
            if not self.bodies.has(part):
                rows = [[] for _ in range(stop - start)]
                for person, result in self.inferencer.bodies(people, start, stop):
                    for frame, row in self._body_rows(person, result, found[person.track_id]):
                        rows[frame - start].append(row)
                self.bodies.write(part, [_stacked(row) for row in rows])
            advance(stop - start)

    def _body_rows(self, person, result, identity):
        """Yield (frame, {field: its value}) of a person in a piece."""
        places = dict(zip(identity.frames.tolist(), identity.rows.tolist()))
        fields = _fields(person, result)
        sizes = (SIZE_SHARE * result.log_size_std).float().cpu().numpy()
        scores = person.track.scores.float().cpu().numpy()
        for row, frame in enumerate(person.frames.tolist()):
            seen = frame in places
            told = self.frames[frame] if seen else {}
            values = {name: field[row] for name, field in fields.items()}
            values |= dict(track_ids=np.int64(person.track_id), seen=np.bool_(seen), keypoint_scores=scores[row],
                           sizes_std=sizes[row],
                           scores=told['scores'][places[frame]] if seen else np.float32(0))
            if self.inferencer.observer.evidence is not None:
                values['dto_evidence'] = told['dto_evidence'][places[frame]] if seen else _NO_EVIDENCE
            yield frame, values

    # Places

    def _place(self, times, shots, camera, poses):
        """{track id: :class:`~.placing.Whereabouts`}."""
        advance, found, inferencer = self._steps('placing people', len(times)), {}, self.inferencer
        for start, stop in zip(shots, [*shots[1:], len(times)]):
            samples = SeenPeople(self.bodies, (start, stop), tuple(self.video.size), camera, self._metainfo(camera))
            if not samples.anybody:
                advance(stop - start)
                continue
            moved = inferencer.cameras if poses is None else poses[start:stop]
            found |= whereabouts(inferencer.optimizer, samples, times[start:stop], inferencer.body_model, moved,
                                 poses is None or inferencer.poses.scale_known, start, advance)
        return found

    def _refit(self, people, places, camera, frames):
        """Write the placed people; the camera as the solver has it."""
        advance, fit = self._steps('fitting bodies where they are', frames), self.inferencer.bodies
        focal = float(np.median([one.focal for one in places.values()])) if places else 1.
        camera = Camera(intrinsics=camera.intrinsics * torch.tensor([[focal, 1, 1], [1, focal, 1], [1, 1, 1]]),
                        focal_std=camera.focal_std)
        people = [person for person in people if person.track_id in places]
        for part in range(-(-frames // PART)):
            start, stop = part * PART, min(frames, (part + 1) * PART)
            if not self.people.has(part):
                rows = [[] for _ in range(stop - start)]
                wide = [person.within(start - CONTEXT, stop + CONTEXT) for person in people]
                for person, result in self._refitted(fit, wide, places, camera, start, stop):
                    for frame, row in _placed_rows(person, result, places[person.track_id]):
                        rows[frame - start].append(row)
                self.people.write(part, [_stacked(row) for row in rows])
            advance(stop - start)
        return camera

    def _refitted(self, fit, wide, places, camera, start, stop):
        states, depths, tracks = [], [], []
        for person in wide:
            where = places[person.track_id]
            person, pose, transl = self._bodies_of(person)
            if not len(person.within(start, stop).frames):
                continue
            depth, _ = where.depths_at(person.frames)
            betas = where.betas.expand(len(depth), -1)
            states.append(fit.state(pose, betas, transl))
            depths.append(depth)
            tracks.append(person._replace(track=person.track._replace(
                intrinsics=camera.intrinsics.double().expand(len(depth), 3, 3))))
        if not tracks:
            return []
        return fit.refit(tracks, states, depths, [places[person.track_id].height for person in tracks], start, stop)

    def _bodies_of(self, person):
        """A person in those of its frames in which it has a body, and pose (G, 24, 3) and transl (G, 3) there."""
        rows, kept = [], torch.zeros(len(person.frames), dtype=torch.bool)
        for i, frame in enumerate(person.frames.tolist()):
            arrays = self.bodies[frame]
            for row in np.flatnonzero(arrays['track_ids'] == person.track_id) if arrays else ():
                rows.append([arrays[name][row] for name in ('global_orient', 'body_pose', 'transl')])
                kept[i] = True
        person = person._replace(frames=person.frames[kept], track=person.track.rows(kept))
        if not rows:
            return person, None, None
        orient, body_pose, transl = (torch.from_numpy(np.stack(values)) for values in zip(*rows))
        return person, torch.cat([orient[:, None], body_pose], 1), transl

    def _notes(self, failed):
        said = dict(still='the camera is taken to stand still', moving='the camera moves in ways nobody knows')
        notes = [said.get(self.inferencer.cameras, f'the camera moves as {self.inferencer.cameras} tells')]
        if failed:
            frame, why = failed[0]
            notes.append(f'{len(failed)} frames in which nobody could be looked for (frame {frame}: {why})')
        if self.video.ended_early:
            notes.append(self.video.ended_early)
        return tuple(notes)


def camera_of(size, numbers):
    """:class:`Camera` of frames (height, width): the median focal length of those that know one, else a guess.

    ``numbers``: 'focal' and 'focal_std' (F) of :class:`~.observing.Observer`.
    """
    focals = numbers['focal'][np.isfinite(numbers['focal'])]
    intrinsics = guessed_intrinsics(size)
    if not len(focals):
        return Camera(intrinsics=intrinsics, focal_std=torch.tensor(GUESSED_FOCAL_STD))
    intrinsics[0, 0] = intrinsics[1, 1] = float(np.median(focals))
    return Camera(intrinsics=intrinsics, focal_std=torch.tensor(float(np.nanmedian(numbers['focal_std']))))


def fingerprint(inferencer, video):
    """8 letters that differ where the video or the settings do."""
    stat = video.path.stat()
    cameras = inferencer.cameras if inferencer.poses is None else inferencer.poses.poses.tolist()
    config = {name: inferencer.config[name] for name in ('stages', 'body_model')}
    about = dict(size=stat.st_size, changed=stat.st_mtime_ns, frames=list(video.size), config=config, cameras=cameras,
                 temporal=inferencer.temporal, version=mmhuman_dto.__version__)
    return hashlib.sha256(json.dumps(about, sort_keys=True, default=str).encode()).hexdigest()[:8]


def _in_metres(poses, places):
    """Poses (T, 4, 4) by the scale that was found; None: there are none."""
    if poses is None or not places:
        return poses
    return scaled_poses(poses, float(np.median([one.camera_scale for one in places.values()])))


class _Reading:
    """A video read part by part, from any of them on."""

    def __init__(self, video):
        self.video, self.frames, self.next, self.before = video, None, None, deque(maxlen=BEFORE)

    def part(self, start):
        """(images of the frames before, iterator of (number, time, image)) of :data:`PART` frames from one on."""
        if self.next != start:
            first = max(0, start - BEFORE)
            self.frames, self.before = self.video.frames(first), deque(maxlen=BEFORE)
            for _, _, image in islice(self.frames, start - first):
                self.before.append(image)
        self.next = start + PART
        return list(self.before), self._remembered()

    def _remembered(self):
        for frame in islice(self.frames, PART):
            self.before.append(frame[2])
            yield frame


def _stacked(rows):
    """{field: array (N, ...)} of [{field: value}]."""
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]} if rows else {}


def _fields(person, result):
    pose = result.pose.float().cpu().numpy()
    return dict(global_orient=pose[:, 0], body_pose=pose[:, 1:], betas=result.state.betas.float().cpu().numpy(),
                transl=result.transl.float().cpu().numpy())


def _placed_rows(person, result, where):
    """Yield (frame, {field: value}) of a placed person in a piece."""
    fields, scores = _fields(person, result), person.track.scores.float().cpu().numpy()
    depth, std = where.depths_at(person.frames)
    seen = torch.isin(person.frames, where.frames)
    for row, frame in enumerate(person.frames.tolist()):
        yield frame, {name: field[row] for name, field in fields.items()} | dict(
            track_ids=np.int64(person.track_id), heights=np.float32(where.height),
            heights_std=np.float32(where.height_std), depths_std=np.float32(depth[row] * std[row]),
            scores=np.float32(scores[row].mean() if seen[row] else 0), keypoint_scores=scores[row])

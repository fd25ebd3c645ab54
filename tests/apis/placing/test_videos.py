"""Results about a video are placed in all of its frames together: one height a person, who moves as people do."""
import json

import numpy as np
import pytest
import torch
from apis.placing.moving import moving
from results import test_phalp as phalp
from results import test_tram as tram
from results import test_wham as wham
from results.videos import true_tracks

from mmhuman_dto.apis.placing import place
from mmhuman_dto.apis.placing import through_time as together
from mmhuman_dto.fileio import load_pickle
from mmhuman_dto.fileio.images import write_image
from mmhuman_dto.fileio.plain_pickle import write_pickle
from mmhuman_dto.fileio.video_writer import VideoWriter
from mmhuman_dto.results import ResultError

FPS, NAME = 30., '{:06d}.jpg'


@pytest.fixture(scope='module')
def crowd():
    """Three people in 20 frames; the second is not found from frame 5 to 9, the third only until frame 14."""
    made = moving(seconds=20 / FPS)
    gone = {1: range(5, 10), 2: range(15, 20)}
    for number, frames in gone.items():
        track = made.tracks[number]
        rows = [row for row, frame in enumerate(track.frames) if frame not in frames]
        made.tracks[number] = track._replace(frames=[track.frames[row] for row in rows], **{
            name: getattr(track, name)[rows] for name in ('pose', 'betas', 'transl', 'joints')})
    return made


@pytest.fixture(scope='module')
def root(crowd, tmp_path_factory):
    """PHALP's file, and depth maps of its frames in m."""
    folder = tmp_path_factory.mktemp('video')
    tracks = crowd.seen_by(5000 / 256 * max(crowd.size))
    write_pickle(folder / 'demo_v.pkl', phalp.frames_of(tracks, len(crowd.truth), crowd.size, {7: (1, 4)}))
    (folder / 'depth').mkdir()
    for number, picture in enumerate(crowd.pictures):
        np.save(folder / 'depth' / f'{number + 1:06d}.npy', picture.depth.astype(np.float32))
    return folder


def metres(folder):
    return dict(type='PrecomputedDepth', folder=str(folder), suffix='.npy', kind='metres')


def placed_of(root, crowd, **options):
    return place(root / 'demo_v.pkl', **{'focal': crowd.focal, **options}).finish()


def roots(placed):
    """{number: (frames, (F, 3) m)}."""
    return {track.track_id: (track.frames.tolist(), track.people.pelvis.double().numpy())
            for track in placed.clip.tracks}


def accelerations(placed):
    """Mean over people of the size of second differences, m/s^2, of the first ones found in all frames."""
    frames, places = roots(placed)[0]
    assert frames == list(range(20))
    return np.linalg.norm(np.diff(places, 2, axis=0), axis=-1).mean() * FPS**2


def test_people_have_one_height_and_move_as_people_do(root, crowd):
    each, whole = placed_of(root, crowd, through_time=False), placed_of(root, crowd)
    assert whole.is_video and whole.through_time and each.is_video and not each.through_time
    assert accelerations(whole) < .2 * accelerations(each)
    for track, (number, truth) in zip(whole.clip.tracks, crowd.tracks.items()):
        assert track.track_id == number and track.frames.tolist() == truth.frames  # who is not found stays absent
        assert np.ptp(track.people.heights.numpy()) < 1e-5
    assert max(np.ptp(track.people.heights.numpy()) for track in each.clip.tracks) > .005
    assert any('stand still; --cameras' in note for note in whole.notes)
    assert any('1/30 s apart; --fps' in note for note in whole.notes)


def test_depth_maps_say_as_much_as_they_do_of_pictures(root, crowd, tmp_path):
    for path in (root / 'depth').iterdir():
        np.save(tmp_path / path.name, 1.2 * np.load(path))
    ratios = []
    for through in (True, False):
        true, farther = (np.concatenate([places[:, 2] for _, places in roots(placed_of(
            root, crowd, depth=metres(folder), through_time=through)).values()])
            for folder in (root / 'depth', tmp_path))
        ratios.append(np.median(farther / true))
    assert min(ratios) > 1.015 and ratios[0] == pytest.approx(ratios[1], abs=.03)


def test_a_video_of_one_frame_is_a_picture(root, crowd, tmp_path):
    """Evidence that was kept of maps which are gone says what the maps said, of feet and depth."""
    frames = load_pickle(root / 'demo_v.pkl')
    name = next(iter(frames))
    write_pickle(tmp_path / 'one.pkl', {name: frames[name]})
    for depth in (None, metres(root / 'depth')):
        one, picture = (place(tmp_path / 'one.pkl', focal=crowd.focal, depth=depth, through_time=through).finish()
                        for through in (True, False))
        for scene in ('shift', 'scale'):
            torch.testing.assert_close(getattr(one._moves[0], scene), getattr(picture._moves[0], scene), rtol=2e-4,
                                       atol=2e-4)


def test_moves_are_written_in_the_program_s_own_layout(root, crowd, tmp_path):
    placed = placed_of(root, crowd)
    placed.write_back(tmp_path)
    written, before = load_pickle(tmp_path / 'demo_v.pkl'), load_pickle(root / 'demo_v.pkl')
    assert (written[frame_name(7)]['camera'][-1] == before[frame_name(7)]['camera'][-1]).all()  # a ghost's stays
    again = place(tmp_path / 'demo_v.pkl', focal='results', dto=False).finish()
    for number, (frames, places) in roots(placed).items():
        for frame, place_ in zip(frames, places):
            people = again.results.images[frame].people
            row = people.track_ids.tolist().index(number)
            np.testing.assert_allclose(people.pelvis[row], place_, atol=1e-4)


def frame_name(number):
    return f'outputs/_DEMO/v/img/{number + 1:06d}.jpg'


def test_whole_meshes_stand_where_the_few_vertices_do(root, crowd):
    placed = place(root / 'demo_v.pkl', focal=crowd.focal)
    scenes = list(placed)
    for frame, scene in enumerate(scenes):
        people, few = scene.sample.pred_instances, placed._frames[frame].sample.pred_instances
        step = people.vertices.shape[1] // together.FEW
        assert people.vertices.shape[1] == 6900
        torch.testing.assert_close(people.vertices[:, ::step], few.vertices, rtol=1e-5, atol=1e-4)
        before = placed.results.images[frame].people
        moves = placed._moves[frame]
        for row in range(len(people)):
            torch.testing.assert_close(people.vertices[row], moves.points(row, before.vertices[row],
                                                                          before.pelvis[row]), rtol=1e-4, atol=1e-3)
        assert scene.is_placed and scene.before is not None


def test_the_report_has_one_height_a_person(root, crowd, tmp_path):
    placed = placed_of(root, crowd, fps=25)
    placed.write_report(tmp_path / 'placement.json')
    report = json.loads((tmp_path / 'placement.json').read_text())
    assert report['through_time'] and [image['time'] for image in report['images'][:2]] == [0, .04]
    second = report['people'][1]
    assert (second['track_id'], second['frames'], second['first_frame'], second['last_frame']) == (1, 15, 0, 19)
    heights = {person['height'] for image in report['images'] for person in image['people'] if person['track_id'] == 1}
    assert max(heights) - min(heights) < 1e-5 and second['height'] == pytest.approx(max(heights), abs=1e-5)
    assert .01 < second['height_std'] < .2 and not any('--fps' in note for note in report['notes'])


def test_frames_without_a_depth_map_are_placed_by_their_neighbours(root, crowd, tmp_path):
    for path in (root / 'depth').iterdir():
        if path.stem != '000004':
            (tmp_path / path.name).write_bytes(path.read_bytes())
    placed = place(root / 'demo_v.pkl', focal=crowd.focal, depth=metres(tmp_path))
    scenes = list(placed)
    assert '000004' in scenes[3].note and not any(scene.note for scene in scenes[:3] + scenes[4:])
    assert accelerations(placed) < 12


def test_nobody_moves_where_most_depth_maps_cannot_be_what_they_are_taken_for(root, crowd, tmp_path):
    for factor, frames, moved in ((1000., range(20), False), (1000., range(8), True)):
        for number in range(20):
            name = f'{number + 1:06d}.npy'
            np.save(tmp_path / name, np.load(root / 'depth' / name) * (factor if number in frames else 1))
        placed = place(root / 'demo_v.pkl', focal=crowd.focal, depth=metres(tmp_path))
        notes = [scene.note for scene in placed]
        assert all(('depth map not used' in note) == (number in frames) for number, note in enumerate(notes))
        assert all(bool((moves.scale != 1).any()) == moved for moves in placed._moves)


def test_two_people_of_one_number_are_told(root, crowd, tmp_path):
    frames = load_pickle(root / 'demo_v.pkl')
    frames[frame_name(3)]['tid'][1] = 0
    write_pickle(tmp_path / 'v.pkl', frames)
    with pytest.raises(ResultError, match=r'000004.jpg: two people of one number among \[0, 0, 2\].*--frame-by-frame'):
        place(tmp_path / 'v.pkl', focal=crowd.focal).finish()


def test_times_and_poses_of_cameras(root, crowd, tmp_path):
    images = tmp_path / 'clip.mp4'
    with VideoWriter(images, 10.) as video:
        for number in range(20):
            video.add(np.full((*crowd.size, 3), 10 * number, np.uint8), number / 10)
    tracks = crowd.tracks
    write_pickle(tmp_path / 'wham_output.pkl', wham.content(verts=False, tracks=tracks))
    np.savez(tmp_path / 'poses.npz', world_to_camera=np.tile(np.eye(4), (20, 1, 1)))
    found = {}
    for cameras in (None, 'moving', str(tmp_path / 'poses.npz')):
        placed = place(tmp_path / 'wham_output.pkl', images, focal=crowd.focal, cameras=cameras).finish()
        np.testing.assert_allclose(placed.clip.times, np.arange(20) / 10, atol=1e-6)
        assert any('--cameras' in note for note in placed.notes) == (cameras is None)
        assert (placed.clip.camera_poses is None) == (cameras in (None, 'moving'))
        found[cameras] = placed.clip.tracks[0].people.pelvis
    assert not torch.equal(found[None], found['moving'])
    for cameras, said in (('nowhere.txt', "cameras nowhere.txt: expected 'still'"), ):
        with pytest.raises(ResultError, match=said):
            place(tmp_path / 'wham_output.pkl', images, cameras=cameras)
    write_pickle(tmp_path / 'wham_output.pkl', wham.content(verts=False, tracks={
        0: tracks[0]._replace(frames=[frame + 5 for frame in tracks[0].frames])}))
    with pytest.raises(ResultError, match='has 20 frames, and the results one of number 24'):
        place(tmp_path / 'wham_output.pkl', images)


def test_the_unit_of_camera_poses_is_found(crowd, tmp_path):
    """A camera that walks, whose file counts in another unit: the world's places are in metres all the same."""
    write_pickle(tmp_path / 'wham_output.pkl', wham.content(verts=False, tracks=crowd.tracks))
    poses = np.tile(np.eye(4), (20, 1, 1))
    poses[:, 0, 3] = np.linspace(0, 40, 20)
    np.savez(tmp_path / 'poses.npz', world_to_camera=poses, metric=np.array(False))
    placed = place(tmp_path / 'wham_output.pkl', crowd_pictures(crowd, tmp_path), focal=crowd.focal,
                   cameras=str(tmp_path / 'poses.npz'))
    next(iter(placed))
    scales = [frame.sample.camera_scale for frame in placed._frames]
    assert len(set(scales)) == 1 and 0 < scales[0] < .2  # people would be dashing about otherwise
    np.testing.assert_allclose(placed.clip.camera_poses[:, 0, 3], scales[0] * poses[:, 0, 3])


def test_cameras_that_results_tell_are_theirs(tmp_path):
    (tmp_path / 'hps').mkdir()
    for number, truth in enumerate(true_tracks()):
        np.save(tmp_path / 'hps' / f'hps_track_{number}.npy', tram.track(truth))
    moves = torch.tensor([[0., 0, 0], [.1, 0, 0], [.2, 0, 0], [.3, 0, 0]])
    for frames, said in ((4, 'moves as the results say'), (3, 'stand still')):
        camera = dict(tram.camera(), world_cam_R=torch.eye(3).repeat(frames, 1, 1), world_cam_T=moves[:frames])
        np.save(tmp_path / 'camera.npy', camera)
        placed = place(tmp_path).finish()
        assert any(said in note for note in placed.notes) and (placed.clip.camera_poses is None) == (frames == 3)
    np.save(tmp_path / 'camera.npy', dict(tram.camera(), world_cam_R=torch.eye(3).repeat(4, 1, 1), world_cam_T=moves))
    assert place(tmp_path, through_time=False).finish().clip.camera_poses is None  # in a unit that nobody found
    for wrong in (dict(world_cam_R=None), dict(world_cam_R=-torch.eye(3).repeat(4, 1, 1)), dict(world_cam_T='far')):
        camera = dict(tram.camera(), world_cam_R=torch.eye(3).repeat(4, 1, 1), world_cam_T=moves) | wrong
        np.save(tmp_path / 'camera.npy', camera)
        assert any('stand still' in note for note in place(tmp_path).notes)
    placed = place(tmp_path, cameras='still')
    assert placed.clip.camera_poses is None and not any('--cameras' in note for note in placed.notes)


def crowd_pictures(crowd, folder):
    for number in range(len(crowd.truth)):
        write_image(folder / 'images' / f'{number:06d}.png', np.zeros((*crowd.size, 3), np.uint8))
    return folder / 'images'

"""A clip's mp4: people over their picture with number, height and distance, beside the view from above."""
import numpy as np
import pytest
import torch
from pictures import colored, extent, person_at

from mmhuman_dto.dto.bodies import MeshBodies
from mmhuman_dto.fileio.video import VideoReader
from mmhuman_dto.structures import Camera, HumanDataSample, People
from mmhuman_dto.visualization import Placement, Scene, person_colors
from mmhuman_dto.visualization.clip_video import ClipVideoWriter, panel_sizes, root_places_of

#: The pictures of tests, and how large they are drawn.
PHOTO = np.full((200, 240, 3), 235, np.uint8)
SHOWN = (480, 576)


def scene(placement, faces):
    return Scene('', PHOTO, faces, placement)


def write(path, placements, faces, times, **options):
    with ClipVideoWriter(path, 10, **options) as video:
        for placement, time in zip(placements, times):
            video.add(scene(placement, faces), time)
    return [image for _, _, image in VideoReader(path).frames()]


@pytest.mark.parametrize('size, picture, plan', [
    ((1080, 1920), (720, 1280), (720, 640)), ((1920, 1080), (1080, 608), (1080, 960)),
    ((2160, 3840), (720, 1280), (720, 640)), ((360, 640), (480, 854), (480, 426)),
    ((800, 1001), (800, 1000), (800, 712)), ((100, 3000), (62, 1864), (62, 56))])
def test_pictures_fit_screens(size, picture, plan):
    assert panel_sizes(size) == (picture, plan)


def test_people_are_over_the_picture_and_from_above_in_their_colours(boxes, faces, tmp_path, texts):
    placements = [boxes([(-.5 + .1 * step, .6, 4), (1, .6, 5)], (.3, .9, .2), ids=[4, 2])._replace(
        heights=np.array([1.83, 1.43])) for step in range(6)]
    frames = write(tmp_path / 'a.mp4', placements, faces, np.arange(6) / 10)
    assert len(frames) == 6 and frames[0].shape == (*SHOWN[:1], SHOWN[1] + 426, 3)
    lines = {text.lines for text in texts}
    assert {('#4 1.83 m', '4.0 m away'), ('#2 1.43 m', '5.0 m away'), ('0:00.0', ), ('0:00.5', ), ('#4 1.83', ),
            ('#2 1.43', )} <= lines
    plates = {text.plate for text in texts if text.lines[0] == '#4 1.83 m'}
    assert len(plates) == 1 and person_at(np.array(list(plates))[None], (0, 0)) == 4
    for step, frame in enumerate(frames):
        x = SHOWN[1] / 240 * (120 + 100 * (-.5 + .1 * step) / 3.8)
        y = SHOWN[0] / 200 * (100 + 100 * .6 / 4)
        assert person_at(frame, (x, y + 40)) == 4
        assert {person_at(frame, np.argwhere(mask)[:, ::-1].mean(0) + (SHOWN[1], 0)) for mask in parts(frame)} == {2, 4}


def parts(frame):
    """The two blots of colour from above, left and right of the middle between them."""
    plan = colored(frame[:, SHOWN[1]:])
    left, _, right, _ = extent(plan)
    columns = np.arange(plan.shape[1]) < (left + right) / 2
    return plan & columns, plan & ~columns


def test_a_frame_without_people_and_a_new_shot(boxes, faces, tmp_path):
    placement = boxes([(0, .6, 4)], (.3, .9, .3))
    nobody = placement.only([])
    with ClipVideoWriter(tmp_path / 'a.mp4', 10) as video:
        video.add(scene(nobody, faces), 0)
        video.add(scene(placement, faces), .1)
        video.add(scene(nobody, faces), .2)
        video.add(scene(boxes([(2, .6, 9)], (.3, .9, .3)), faces), .3, new_shot=True)
    frames = [image for _, _, image in VideoReader(tmp_path / 'a.mp4').frames()]
    there = [colored(frame[:, :SHOWN[1]]).sum() > 500 for frame in frames]
    assert there == [False, True, False, True]


def test_the_ground_from_the_people_is_held(boxes, faces, tmp_path, monkeypatch):
    from mmhuman_dto.visualization import clip_video
    seen = []

    class Plan(clip_video.PlanView):
        def draw(self, placement, faces, places, to_world, time):
            seen.append(to_world)
            return super().draw(placement, faces, places, to_world, time)

    monkeypatch.setattr(clip_video, 'PlanView', Plan)
    # Feet of a walker are now and then in the air.
    rng = np.random.default_rng(0)
    write(tmp_path / 'a.mp4', [boxes([(0, .6 + lift, 4), (1, .6, 6)], (.2, .9, .2)) for lift in rng.normal(0, .1, 30)],
          faces, np.arange(30) / 10)
    heights = np.array([matrix[1, 3] for matrix in seen])
    assert np.abs(np.diff(heights)).max() < .01 and abs(heights[-1] - 1.5) < .1
    given = np.eye(4)
    with ClipVideoWriter(tmp_path / 'b.mp4', 10) as video:
        video.add(scene(boxes([(0, .6, 4)]), faces), 0, given)
    assert seen[-1] is given


def test_labels_keep_with_their_people_and_do_not_jump(boxes, faces, tmp_path, texts):
    """Two who pass each other: no label moves much faster than the people do."""
    placements = [boxes([(-1 + .05 * step, .6, 4), (1 - .05 * step, .6, 6)], (.2, .9, .2)) for step in range(41)]
    write(tmp_path / 'a.mp4', placements, faces, np.arange(41) / 20)
    for number in ('#0', '#1'):
        middles = np.array([text.middle for text in texts if text.lines[0].startswith(number) and text.plate])
        assert len(middles) > 30
        assert np.linalg.norm(np.diff(middles, axis=0), axis=1).max() < 40


def test_people_of_a_sample_have_the_numbers_of_their_tracks():
    def body_of(**more):
        sample = HumanDataSample(metainfo=dict(ori_shape=(9, 9)))
        sample.pred_instances = People(
            vertices=torch.rand(3, 5, 3), pelvis=torch.rand(3, 3), heights=torch.ones(3), **more)
        sample.pred_camera = Camera(intrinsics=torch.eye(3))
        return Placement.from_sample(sample, MeshBodies([[0, 1, 2]]))

    assert body_of(track_ids=torch.tensor([7, -1, 3])).ids.tolist() == [7, -2, 3]
    placed = body_of(track_ids=torch.tensor([7, 8, 3]), person_index=torch.tensor([0, 2, 3]))
    assert placed.ids.tolist() == [7, 8, 3]
    np.testing.assert_allclose(root_places_of(placed), placed.people.pelvis)
    assert body_of(person_index=torch.tensor([0, 2, 3])).ids.tolist() == [0, 2, 3] and len(person_colors([7, -2])) == 2

"""The view from above keeps its metres through a clip, and shows where people were."""
import numpy as np
import pytest
import torch
from pictures import colored, extent, person_at

from mmhuman_dto.structures import Clip, People, PersonTrack
from mmhuman_dto.visualization import Ground, person_colors
from mmhuman_dto.visualization.clip_plan import PlanView, plan_bounds
from mmhuman_dto.visualization.plot import BACKGROUND, fit_plot
from mmhuman_dto.visualization.text import text_height

SIZE, BOUNDS = (400, 360), ((-3., -1.), (3., 7.))
#: Of a level camera 1.5 m above the ground.
LEVEL = Ground(np.array([0, -1., 0]), 1.5).camera_to_world
FRAME = fit_plot(*np.array(BOUNDS), SIZE, text_height(SIZE))


def view(**options):
    return PlanView(SIZE, 240, **{'bounds': BOUNDS, **options})


def draw(plan, placement, faces, time, to_world=LEVEL):
    return plan.draw(placement, faces, placement.vertices.mean(1), to_world, time)


def near_color(panel, identity):
    """(H, W) bool where the hue of a person's colour is."""
    tone, color = panel.astype(float) - panel.mean(-1, keepdims=True), person_colors([identity])[0].astype(float)
    color -= color.mean()
    return (tone @ color > .97 * np.linalg.norm(tone, axis=-1) * np.linalg.norm(color)) & (np.ptp(panel, -1) > 12)


def test_people_stand_at_their_metres_in_every_frame(boxes, faces):
    plan = view()
    for time, (x, z) in enumerate([(0, 3), (1, 5), (-2, 4)]):
        panel = draw(plan, boxes([(x, .6, z)], (.3, .9, .3)), faces, 10. * time)  # trails are gone by the next
        (x0, y1), (x1, y0) = FRAME.to_pixels([x - .3, x + .3], [z - .3, z + .3])
        np.testing.assert_allclose(extent(colored(panel)), (x0, y0, x1, y1), atol=1.6)
        assert person_at(panel, FRAME.to_pixels(x + .2, z - .2)) == 0


def test_trails_are_behind_who_walked_and_fade(boxes, faces):
    plan = view(trail_seconds=2.)
    for step in range(41):  # 1 m/s to the right, at 10 frames/s
        panel = draw(plan, boxes([(-2 + .1 * step, .6, 3)], (.15, .9, .15), ids=[5]), faces, .1 * step)
    seen = near_color(panel, 5)
    left, top, right, bottom = extent(seen)
    assert -3 < left - FRAME.to_pixels(0., 3)[0] < 16  # fainter and fainter to where it was 2 s ago, not farther
    assert right == pytest.approx(FRAME.to_pixels(2.15, 3)[0], abs=3)
    line = panel[int(FRAME.to_pixels(0, 3)[1])].astype(float)
    strength = [np.ptp(line[int(FRAME.to_pixels(x, 3)[0])]) for x in (.3, 1., 1.7)]
    assert strength[0] < .6 * strength[1] < .7 * strength[2]
    above = panel[int(FRAME.to_pixels(0, 3.2)[1])]
    assert not colored(above[None])[0, :int(FRAME.to_pixels(1.5, 3)[0])].any()


def test_trails_have_gaps_where_nobody_was_seen_and_end_with_the_shot(boxes, faces):
    plan = view()
    there = boxes([(-2, .6, 3)], (.1, .9, .1)), boxes([(2, .6, 3)], (.1, .9, .1))
    middle = tuple(FRAME.to_pixels(0, 3).astype(int))[::-1]
    draw(plan, there[0], faces, 0.)
    assert not near_color(draw(plan, there[1], faces, 2.), 0)[middle]
    plan.new_shot()
    draw(plan, there[0], faces, 0.)
    assert near_color(draw(plan, there[1], faces, .2), 0)[middle]
    assert near_color(draw(plan, there[0]._replace(ids=np.array([3])), faces, .3), 0)[middle]  # of one who is gone
    plan.new_shot()
    assert not near_color(draw(plan, there[1], faces, .4), 0)[middle]


def test_a_camera_that_walks_leaves_people_where_they_are(boxes, faces):
    plan, middles = view(), []
    for step in (0., 1.):
        to_world = LEVEL.copy()
        to_world[:3, 3] += (step, 0, -step)  # to the right and ahead
        panel = draw(plan, boxes([(0 - step, .6, 5 - step)], (.3, .9, .3)), faces, step, to_world)
        left, top, right, bottom = extent(near_color(panel, 0))
        middles.append(((left + right) / 2, (top + bottom) / 2))
        x, y = FRAME.to_pixels(step, step - .12).astype(int)
        assert panel[y, x + 2].max() < 100  # the camera
    np.testing.assert_allclose(*middles, atol=1.1)


def grid_lines(panel):
    """Columns of the vertical lines of the grid, in a row of pixels with nothing else."""
    row = panel[int(len(panel) * .12)].astype(int).sum(-1)
    return np.flatnonzero(row < sum(BACKGROUND) - 30)


def test_a_frame_that_grows_does_so_without_jumps_and_never_shrinks(boxes, faces):
    plan, scales, sheets = view(bounds=None), [], []
    for step in range(60):
        placement = boxes([(0, .6, 4 if step < 10 or step > 40 else 14)], (.3, .9, .3))
        panel = draw(plan, placement, faces, step / 10)
        scales.append(plan._sheet[3].scale)
        sheets.append(plan._sheet)
    scales = np.array(scales)
    assert (scales[:10] == scales[0]).all() and scales[-1] < .5 * scales[0]
    assert (np.diff(scales) <= 0).all() and (scales[1:] / scales[:-1]).min() > .8
    assert sheets[9] is sheets[0] and sheets[-1] is sheets[-5]  # the grid is drawn once
    _, top, _, bottom = extent(colored(panel))
    assert top > 0 and bottom < SIZE[0]


def test_numbers_and_heights_are_written_and_who_has_no_track_is_grey(boxes, faces, texts):
    placement = boxes([(-1, .6, 3), (1, .6, 4)], (.2, .9, .2), ids=[7, -1])
    placement = placement._replace(heights=np.array([1.834, 1.426]), people=People(heights_std=torch.tensor([.03, .2])))
    panel = draw(view(), placement, faces, 0.)
    assert {('#7 1.83 ± .03', ), ('1.43 ± .20', )} <= {text.lines for text in texts}
    x, y = FRAME.to_pixels(1.1, 3.9).astype(int)
    assert np.ptp(panel[y, x].astype(int)) < 12


def test_notes_stand_below(boxes, faces, texts):
    noted = boxes([(0, .6, 3)])._replace(notes=('focal length guessed', ))
    assert draw(view(), noted, faces, 0.).shape == (*SIZE, 3)
    note = next(text for text in texts if 'guessed' in text.lines[0])
    assert note.box[1] > 0 and len(note.lines) == 1


def test_bounds_of_a_clip_hold_its_people_and_its_camera():
    frames = torch.arange(200)
    pelvis = torch.stack([torch.linspace(-4, 5, 200), torch.zeros(200), torch.full((200, ), 6.)], 1)
    pelvis[100] = torch.tensor([900., 0, 900])  # one frame gone wrong
    pelvis[101] = torch.nan
    clip = Clip('a', frames / 30, (100, 100), torch.eye(3).expand(200, 3, 3), [
        PersonTrack(0, frames, People(pelvis=pelvis))])
    low, high = plan_bounds(clip, None, np.tile(LEVEL, (200, 1, 1)))
    np.testing.assert_allclose([low[0], high[0], high[1]], [-4 - 1.1, 5 + 1.1, 6 + 1.1], atol=.1)
    assert low[1] < 0
    assert np.isfinite(plan_bounds(Clip('a', frames[:0], (9, 9), torch.zeros(0, 3, 3), []), None,
                                   np.zeros((0, 4, 4)))).all()

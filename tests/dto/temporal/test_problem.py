import numpy as np
import pytest
import torch
from moving_problems import moving_people

from mmhuman_dto.dto import HeightPrior
from mmhuman_dto.dto.temporal import ClipProblem
from mmhuman_dto.dto.temporal.problem import joined_people


def test_observations_that_are_alike_are_worth_what_their_mean_is():
    problem, ids, times, _ = moving_people(0, frames=12, people=2)
    clip = ClipProblem.of(problem, ids, times)
    known = clip.rows.mask.clone()
    known[0, clip.person == 1] = False
    worth = clip.rows.worth(known, .1)[0]
    lag = np.abs(np.subtract.outer(times, times))
    exact = np.linalg.inv(np.exp(-lag / .1)).sum()
    assert float(worth[clip.person == 0].sum()) == pytest.approx(exact, rel=1e-9)
    assert (worth[clip.person == 1] == 0).all()
    assert clip.rows.worth(known, 0.) == 1.


def test_one_observation_is_worth_one():
    problem, ids, times, _ = moving_people(0, frames=1)
    clip = ClipProblem.of(problem, ids, times)
    assert clip.rows.worth(clip.rows.mask, 5.).tolist() == [[1.] * 4]


def test_who_is_not_seen_for_a_while_is_between_where_it_was_before_and_after():
    problem, ids, times, truth = moving_people(1, frames=20, people=3, absent=.4)
    clip = ClipProblem.of(problem, ids, times)
    assert len(clip.frame) == 60 and int(clip.seen.sum()) == int(truth.seen.sum()) == 60 - 3 * 8
    for person in range(3):
        mine = clip.person == person
        frames, seen = clip.frame[mine], clip.seen[mine]
        z, known = clip.rows.root_z[0][mine].log(), frames[seen].double().numpy()
        expected = np.interp(frames.double().numpy(), known, z[seen].numpy())
        np.testing.assert_allclose(z.numpy(), expected, atol=1e-12)
        ray = (clip.rows.pelvis[0, mine, 0] / clip.rows.pelvis[0, mine, 2]).numpy()
        np.testing.assert_allclose(ray, np.interp(frames.double().numpy(), known, ray[seen.numpy()]), atol=1e-12)
    assert (clip.place[~clip.seen] == -1).all()


def test_rows_are_those_of_the_frames_whatever_the_order_of_people():
    problem, ids, times, _ = moving_people(2, frames=6)
    clip = ClipProblem.of(problem, [torch.tensor([7, 3, 9, 5])] * 6, times)
    assert clip.track_ids.tolist() == [3, 5, 7, 9]
    place = {0: 1, 1: 3, 2: 0, 3: 2}
    for row in range(len(clip.frame)):
        frame, person = int(clip.frame[row]), int(clip.person[row])
        assert clip.rows.z[0, row] == problem.z[frame, place[person]]
        assert torch.equal(clip.rows.balls[0, row], problem.balls[frame, place[person]])


def test_people_who_are_there_at_different_times_share_a_slot():
    problem, ids, times, _ = moving_people(3, frames=9, people=3)
    for person, (first, last) in enumerate([(0, 3), (2, 8), (4, 8)]):
        problem.mask[:, person] = (torch.arange(9) >= first) & (torch.arange(9) <= last)
    clip = ClipProblem.of(problem, ids, times)
    slots = [set(clip.slot[clip.person == person].tolist()) for person in range(3)]
    assert slots == [{0}, {1}, {0}]


def test_bodies_are_the_means_of_all_frames():
    problem, ids, times, _ = moving_people(4, frames=5, people=2)
    problem.ages[:] = torch.tensor([[8., 30.], [10., float('nan')], [8., 30.], [8., 30.], [8., 30.]])
    clip = ClipProblem.of(problem, ids, times)
    assert torch.allclose(clip.people.heights[0], problem.heights.log().mean(0).exp())
    assert clip.people.ages[0].tolist() == pytest.approx([(10**4 * 12)**.2 - 2, 30.])
    assert clip.people.male_probs.isnan().all()


def test_windows_together_have_the_means_of_the_whole():
    problem, ids, times, _ = moving_people(5, frames=10, people=3)
    problem.mask[:4, 2] = False
    whole = ClipProblem.of(problem, ids, times)
    parts = []
    for rows in (slice(0, 3), slice(3, 10)):
        part = problem.of_scenes(rows)
        clip = ClipProblem.of(part, ids[rows], times[rows])
        parts.append((clip.people, clip.track_ids, clip.seen_counts()))
    people, track_ids, counts = joined_people(*parts, HeightPrior())
    assert track_ids.tolist() == [0, 1, 2] and counts.tolist() == [10, 10, 6]
    assert torch.allclose(people.heights, whole.people.heights)


def test_times_that_do_not_rise_are_named():
    problem, ids, times, _ = moving_people(6, frames=4)
    with pytest.raises(ValueError, match='frame 2 is at 0.01 s, the one before at 0.02 s'):
        ClipProblem.of(problem, ids, [0., .02, .01, .03])

"""People of whom no depth map says anything: who stays, what is known of their feet, and where the solver puts them."""
import dataclasses

import numpy as np
import pytest
import torch
from stick_people import FOCAL, SIZE, StickBody, make_sample

from mmhuman_dto.body_models.joint_sets import JOINT_SETS
from mmhuman_dto.dto import DropReason, DTOOptimizer, DTOProblem, PaperDTO, PosteriorDTO
from mmhuman_dto.dto.prior import HEIGHT_CLASSES
from mmhuman_dto.dto.problem import CACHED, STATISTICS
from mmhuman_dto.registry import BODY_MODELS
from mmhuman_dto.structures import Camera, HumanDataSample, People
from mmhuman_dto.synthetic.poses import POSES, pose_angles, to_axis_angle

CAMERA_HEIGHT = 1.6
#: No knowledge of initial heights, nor of depth.
MESHES = dict(initial=None)
NO_MAPS = dict(MESHES, depth=None, relief=None)
GROUND = dict(type='GroundTerm', min_people=2)
MALE = HEIGHT_CLASSES[4].mean


class CrossedLegs(StickBody):
    """The left foot is the lower one."""

    def skeleton(self, pose, betas, transl=None):
        joints = super().skeleton(pose, betas, transl)
        joints[..., [10, 11], :] = joints[..., [11, 10], :]
        return joints


def flat_ground(z, heights, focal=1., **people):
    """People of known heights, m, on flat ground at z, m: a sample of meshes 1.7 m tall that look as large, and z.

    The camera is said to have ``focal`` times less focal length than it has; no depth map, no id map.
    """
    z, heights = torch.tensor(z), torch.tensor(heights)
    foot = StickBody().skeleton(torch.zeros(1, 24, 3), torch.zeros(1, 2))[0, 11, 1] / 1.7 * heights
    true = torch.stack([torch.linspace(-1, 1, len(z)), CAMERA_HEIGHT - foot, z], -1)
    transl = true * (1.7 / heights)[:, None] / torch.tensor([1, 1, focal])
    sample = HumanDataSample(metainfo=dict(ori_shape=(480, 640)))
    sample.pred_instances = People(global_orient=torch.zeros(len(z), 3), body_pose=torch.zeros(len(z), 23, 3),
                                   betas=torch.zeros(len(z), 2), transl=transl,
                                   **{name: torch.tensor(values) for name, values in people.items()})
    given = 500 / focal
    sample.pred_camera = Camera(intrinsics=torch.tensor([[given, 0, 320], [0, given, 240], [0, 0, 1]]))
    return sample, z


def with_unseen(**fields):
    """Three people in a depth map, of whom the second shows too little to have evidence."""
    return make_sample(visible_vertices=torch.tensor([1000, 10, 1000]), **fields)


def without_maps(sample):
    sample = sample.clone()
    del sample.pred_maps
    sample.set_metainfo(dict(ori_shape=(SIZE, SIZE)))
    return sample


def place(sample, terms, **options):
    result = DTOOptimizer(PosteriorDTO(terms, needs_depth=False, **options)).solve([sample], StickBody())
    return result, result.apply([sample], StickBody())[0]


# The problem


@pytest.mark.parametrize('depth, there, has_depth, reasons', [
    ('needed', [0, 2], [True, True], [0, 3, 0, 1]),
    ('used', [0, 1, 2], [True, False, True], [0, 0, 0, 1]),
    ('unused', [0, 1, 2], [False] * 3, [0, 0, 0, 1])])
def test_who_is_in_the_problem(depth, there, has_depth, reasons):
    sample = make_sample(z=(3., 4., 5., 6.), visible_vertices=torch.tensor([1000, 10, 1000, 1000]))
    sample.pred_instances.betas[3, 1] = torch.nan
    problem = DTOProblem.from_samples([sample], StickBody(), depth=depth)
    assert problem.person_index[problem.mask].tolist() == there
    assert problem.has_depth[problem.mask].tolist() == has_depth
    assert problem.drop_reasons[0].tolist() == reasons
    assert all(getattr(problem, name).isfinite().all() for name in STATISTICS)
    known = problem.has_depth
    expected = torch.tensor([3., 4., 5.]).double()[there][known[0]]
    torch.testing.assert_close(problem.z[known], expected, atol=.06, rtol=0)
    torch.testing.assert_close(300 / problem.disparity[known], expected, atol=.06, rtol=0)


def test_depth_is_told_only_of_those_who_have_it():
    problem = DTOProblem.from_samples([with_unseen()], StickBody(), depth='used')
    rows, told = problem.cached(0), len(STATISTICS)
    assert rows[:, :told].isnan().all(1).tolist() == [False, True, False] and rows.isfinite()[[0, 2]].all()
    assert rows[:, told:].isfinite().all()  # whether feet are seen is known of everybody


@pytest.mark.parametrize('depth', ['used', 'unused'])
def test_samples_need_no_maps(depth):
    problem = DTOProblem.from_samples([without_maps(make_sample())], StickBody(), depth=depth)
    assert problem.mask.all() and not problem.has_depth.any()
    np.testing.assert_allclose(problem.apparent_size[0], 2 * FOCAL / SIZE / np.array([3, 4, 5]))
    with pytest.raises(ValueError, match='needs pred_maps .* or dto_evidence'):
        DTOProblem.from_samples([without_maps(make_sample())], StickBody())


def test_samples_with_and_without_maps_go_apart():
    with pytest.raises(ValueError, match='some of the samples have pred_maps.disparity and others have not'):
        DTOProblem.from_samples([make_sample(), without_maps(make_sample())], StickBody(), depth='used')


def test_kept_evidence_with_rows_of_nobody():
    """What a map said is found again from what was kept; a row of nan is a person without depth, not a broken one."""
    sample = with_unseen()
    before = DTOProblem.from_samples([sample], StickBody(), depth='used')
    later = without_maps(sample)
    later.pred_instances.dto_evidence = before.cached(0)
    after = DTOProblem.from_samples([later], StickBody(), depth='used')
    assert after.has_depth.tolist() == [[True, False, True]] and after.mask.all()
    assert all(getattr(after, name).isfinite().all() for name in STATISTICS)
    for name in (*STATISTICS, 'feet_seen'):
        known = before.has_depth | (name == 'feet_seen')
        there, again = (getattr(problem, name)[known] for problem in (before, after))
        torch.testing.assert_close(again, there, rtol=1e-6, atol=1e-6, msg=name)
    needed = DTOProblem.from_samples([later], StickBody())
    assert needed.drop_reasons[0].tolist() == [0, DropReason.NO_DEPTH, 0]
    unused = DTOProblem.from_samples([later], StickBody(), depth='unused')
    assert not unused.has_depth.any() and torch.equal(unused.feet_seen, before.feet_seen)
    assert before.cached(0).shape == (3, len(CACHED))


def test_what_stands_for_missing_depth_says_nothing():
    """The same placements to the bit, whatever the numbers are that fill the rows of people without depth."""
    problem = DTOProblem.from_samples([with_unseen()], StickBody(), depth='used')
    generator = torch.Generator().manual_seed(0)
    other = {name: getattr(problem, name).where(
        problem.has_depth, .1 + 9 * torch.rand(1, 3, generator=generator).double()) for name in STATISTICS}
    solver = PosteriorDTO(needs_depth=False)
    first, second = (solver.solve(one) for one in (problem, dataclasses.replace(problem, **other)))
    assert torch.equal(first.scale, second.scale)
    assert torch.equal(first.posterior.depths_std, second.posterior.depths_std)


# Feet


@pytest.mark.parametrize('body, lower', [(StickBody(), 'right'), (CrossedLegs(), 'left')])
def test_the_lower_foots_ankle_tells_whether_it_is_seen(body, lower):
    names = JOINT_SETS['coco17'].names
    sample = without_maps(make_sample(z=(3., 4.)))
    sample.set_metainfo(dict(keypoint_set='coco17'))
    sample.pred_instances.transl[:, 0] = 0
    scores = torch.ones(2, 17)
    scores[0, names.index(f'{lower}_ankle')] = .19
    scores[1, names.index(f'{"left" if lower == "right" else "right"}_ankle')] = 0.
    sample.pred_instances.keypoint_scores = scores
    problem = DTOProblem.from_samples([sample], body, depth='unused')
    assert problem.feet_seen.tolist() == [[False, True]]
    scores[0, names.index(f'{lower}_ankle')] = .2
    assert DTOProblem.from_samples([sample], body, depth='unused').feet_seen.tolist() == [[True, True]]


def test_without_an_id_map_feet_are_seen_in_the_picture():
    """Feet 1.5 m beside the axis at 3 m fall to column 70 of 40; 8 cm more than the edge still count."""
    sample = without_maps(make_sample(z=(3., 3., 3., 3.)))
    sample.pred_instances.transl[:, 0] = torch.tensor([0., 1.5, .6 + .06, .6 + .1])
    seen = DTOProblem.from_samples([sample], StickBody(), depth='unused').feet_seen
    assert seen.tolist() == [[True, False, True, False]]


# Placements by heights and ground


def test_a_child_among_men_on_one_ground():
    """Three men of the class's mean height; the fourth, of unknown age, stands as far away as its feet say."""
    sample, z = flat_ground([4., 5., 7., 6.], [MALE, MALE, MALE, 1.2], ages=[30., 30, 30, np.nan], male_probs=[1.] * 4)
    by_ground, placed = place(sample, dict(NO_MAPS, ground=GROUND), focal_std=0.)
    people = placed.pred_instances
    torch.testing.assert_close(people.transl[:, 2], z, rtol=.006, atol=0)
    assert float(people.heights[3]) == pytest.approx(1.2, abs=.01)
    assert float(people.depths_std[3]) < .5
    by_height, placed = place(sample, dict(NO_MAPS, ground=None), focal_std=0.)
    assert float(placed.pred_instances.transl[3, 2]) > 7.2 and float(placed.pred_instances.depths_std[3]) > 1.5


def test_two_people_tell_a_ground_where_two_are_asked_for():
    sample, z = flat_ground([4., 6.], [MALE, MALE], ages=[30., 30], male_probs=[1., 1])
    stds = {}
    for people in (2, 3):
        result, placed = place(sample, dict(NO_MAPS, ground=dict(GROUND, min_people=people)), focal_std=0.)
        torch.testing.assert_close(placed.pred_instances.transl[:, 2], z, rtol=.012, atol=0)
        stds[people] = result.posterior.differences_std[0, 0, 1]
    alone, _ = place(sample, dict(NO_MAPS, ground=None), focal_std=0.)
    assert stds[2] < .75 * stds[3]
    torch.testing.assert_close(stds[3], alone.posterior.differences_std[0, 0, 1], rtol=1e-6, atol=0)


@pytest.mark.parametrize('unseen', [.05, 1.])
def test_a_foot_that_nobody_sees_counts_as_little_as_is_said(unseen):
    """The fourth person's mesh ends .3 m above the ground, as of somebody seated whose legs are hidden."""
    sample, z = flat_ground([4., 5., 7., 6.], [MALE] * 4, ages=[30.] * 4, male_probs=[1.] * 4)
    sample.pred_instances.transl[3, 1] -= .3
    sample.set_metainfo(dict(keypoint_set='coco17'))
    sample.pred_instances.keypoint_scores = torch.ones(4, 17)
    sample.pred_instances.keypoint_scores[3, 15:] = 0
    result, placed = place(sample, dict(NO_MAPS, ground=dict(GROUND, unseen=unseen)), focal_std=0.)
    assert result.problem.feet_seen.tolist() == [[True, True, True, False]]
    error = (placed.pred_instances.transl[:, 2] / z - 1).abs()
    assert error.max() < .03 if unseen < 1 else error.max() > .06


def test_people_who_are_sure_of_their_size():
    """Height alone is known: the variance of log depth is that of log height and that of log size."""
    terms = dict(NO_MAPS, ground=None)
    sample, _ = flat_ground([4., 4., 4.], [MALE] * 3, ages=[30.] * 3, male_probs=[1.] * 3,
                            sizes_std=[.3, .02, np.nan])
    variance, = place(sample, terms, size_std=.1)[0].posterior.log_depth_covariance.diagonal(dim1=1, dim2=2)
    np.testing.assert_allclose(variance[[0, 2]] - variance[1], [.3**2 - .02**2, .1**2 - .02**2], rtol=.02)


# Who does not stand


class Seated(StickBody):
    """Who has a left hip turned by 1 about x has a trunk that points down, so that legs do not reach away from it."""

    def skeleton(self, pose, betas, transl=None):
        joints = super().skeleton(pose, betas, transl)
        joints[..., 12, 1] = joints[..., 0, 1] - 1 + 2 * pose[..., 1, 0]
        return joints


@pytest.mark.parametrize('name, low, high', [('standing', .9, 1.), ('bending', .5, .8), ('sitting', .4, .6),
                                             ('sitting on the ground', -.2, .2)])
def test_how_far_legs_reach_on_from_the_trunk(name, low, high):
    body_model = BODY_MODELS.build(dict(type='OpenBody'))
    pose = torch.from_numpy(to_axis_angle(pose_angles(POSES[name]))).float()
    sample = HumanDataSample(metainfo=dict(ori_shape=(480, 640)))
    sample.pred_instances = People(
        global_orient=pose[None, 0], body_pose=pose[None, 1:], betas=torch.zeros(1, body_model.num_betas),
        transl=torch.tensor([[0., 0, 4]]))
    sample.pred_camera = Camera(intrinsics=torch.tensor([[500., 0, 320], [0, 500, 240], [0, 0, 1]]))
    assert low <= float(DTOProblem.from_samples([sample], body_model, depth='unused').leg_reach) <= high


def test_feet_of_who_does_not_stand_may_be_elsewhere():
    """The fourth of five men sits on steps with the feet .3 m above the ground; an age is not known of him."""
    placed = {}
    for seated in (0., 1.):
        for share in (0., .2):
            sample, z = flat_ground([4., 5., 7., 4.5, 6.], [MALE] * 5, ages=[30., 30, 30, np.nan, 30],
                                    male_probs=[1.] * 5)
            sample.pred_instances.transl[3, 1] -= .3
            sample.pred_instances.body_pose[3, 0, 0] = seated
            result = DTOOptimizer(PosteriorDTO(dict(NO_MAPS, ground=dict(GROUND, seated_elsewhere=share)), focal_std=0.,
                                               needs_depth=False)).solve([sample], Seated())
            people = result.apply([sample], Seated())[0].pred_instances
            placed[seated, share] = (people.transl[:, 2] / z - 1).abs(), people.depths_std / z
    assert all(torch.equal(*pair) for pair in zip(placed[0., 0.], placed[0., .2]))  # who stands is on the ground
    (error, std), (doubted_error, doubted_std) = placed[1., 0.], placed[1., .2]
    assert doubted_error[3] < .5 * error[3] and doubted_error[3] < 1.5 * doubted_std[3]
    others = torch.tensor([0, 1, 2, 4])
    assert doubted_error[others].max() < .02 and (doubted_std[others] < 1.1 * std[others]).all()


# The camera's focal length


def test_a_known_focal_length_stays():
    sample, _ = flat_ground([4., 5., 6.], [1.7] * 3)
    sample.pred_camera.focal_std = torch.tensor(0.)
    result, placed = place(sample, dict(NO_MAPS, ground=GROUND), focal_std=.5)
    assert result.focal_scale is None
    assert torch.equal(placed.pred_camera.intrinsics, sample.pred_camera.intrinsics)
    assert float(placed.pred_camera.focal_std) == 0


def test_each_picture_states_its_own_doubt_of_the_focal_length():
    """0 keeps a camera also beside others; without a statement, or nan, the solver's counts."""
    stated = [0., .3, np.nan, None]
    samples = [flat_ground([4., 5., 6.], [1.7] * 3)[0] for _ in stated]
    for sample, std in zip(samples, stated):
        if std is not None:
            sample.pred_camera.focal_std = torch.tensor(std)
    dto = DTOOptimizer(PosteriorDTO(dict(NO_MAPS, ground=GROUND), focal_std=.15, needs_depth=False))
    result = dto.solve(samples, StickBody())
    assert float(result.focal_scale[0]) == pytest.approx(1, abs=1e-6)
    assert result.posterior.log_focal_std.tolist() == pytest.approx([0, .3, .15, .15], rel=.05, abs=1e-5)
    placed = result.apply(samples, StickBody())
    torch.testing.assert_close(torch.stack([one.pred_camera.focal_std for one in placed]).double(),
                               result.posterior.log_focal_std)


def test_a_metric_map_makes_the_focal_length_sure():
    """A guess that is off by a factor 1.25, with a map in metres that knows better; ground and heights can't tell."""
    sample = make_sample(z=(3. / 1.25, 4. / 1.25, 5. / 1.25), distance=(3., 4., 5.), ages=torch.full((3, ), 30.),
                         male_probs=torch.full((3, ), .5), betas=[[0., 0.]] * 3)
    sample.pred_maps.disparity *= 1000 / 300
    sample.pred_camera.focal_std = torch.tensor(.3)
    metric = dict(MESHES, relief=None, ground=None,
                  depth=dict(type='DepthTerm', domain='log', scale_std=.02, offset_std=.02))
    stds = {}
    for name, terms in (('metric', metric), ('none', dict(NO_MAPS, ground=GROUND))):
        result, placed = place(sample, terms)
        stds[name] = float(placed.pred_camera.focal_std)
        if name == 'metric':
            assert float(result.focal_scale[0]) == pytest.approx(1.25, rel=.03)
            torch.testing.assert_close(placed.pred_instances.transl[:, 2], torch.tensor([3., 4., 5.]), rtol=.03, atol=0)
    assert stds['none'] == pytest.approx(.3, rel=.05) and stds['metric'] < .07


# People who stay


def test_why_people_were_left_out():
    for needs_depth, reasons in ((True, [0, 3, 0]), (False, [0, 0, 0])):
        result = DTOOptimizer(PosteriorDTO(needs_depth=needs_depth)).solve([with_unseen()], StickBody())
        people = result.apply([with_unseen()], StickBody(), keep_dropped=True)[0].pred_instances
        assert people.drop_reasons.tolist() == reasons
        assert people.depths_std.isfinite().tolist() == [reason == 0 for reason in reasons]


def test_what_a_solver_wants_of_maps():
    wants = {name: PosteriorDTO(terms, needs_depth=needs).depth for name, terms, needs in (
        ('maps', None, True), ('maps where there are any', None, False), ('no maps', NO_MAPS, True),
        ('relief alone', dict(depth=None), False))}
    assert list(wants.values()) == ['needed', 'used', 'unused', 'used']
    with pytest.raises(ValueError, match='needs pred_maps'):
        DTOOptimizer(PaperDTO()).solve([without_maps(make_sample())], StickBody())

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from mmhuman_dto.synthetic.appearance import landmarks
from mmhuman_dto.synthetic.attire import BAG, BODY, HAT, LOCKS, SKIRT, attire_colours, cloth_colour, sample_attire
from mmhuman_dto.synthetic.clothing import Wardrobe


@dataclass
class Fitting:
    wardrobe: Wardrobe
    rest: np.ndarray
    marks: tuple
    body_model: object

    def attire(self, **changes):
        plain = sample_attire(30., False, self.marks, np.random.default_rng(1))
        plain = plain._replace(skirt=None, coat=None, hat=None, bag=None, cut='short', pattern='plain')
        return plain._replace(**changes)

    def dress(self, mesh, **changes):
        dressed = self.wardrobe.dress(mesh, self.attire(**changes), 1.7)
        return dressed.vertices.numpy(), dressed.attributes.numpy(), dressed.faces.numpy()


@pytest.fixture(scope='module')
def fitting(body_model):
    out = body_model(torch.zeros(1, 24, 3), torch.zeros(1, body_model.num_betas), None)
    rest = out.vertices[0].numpy()
    marks = landmarks(rest, out.joints[0].numpy(), body_model.joint_names)
    return Fitting(Wardrobe(rest, body_model.faces, marks), rest, marks, body_model)


def test_clothes_lie_as_far_from_the_skin_as_asked(fitting):
    points, attributes, _ = fitting.dress(fitting.rest, loose=(.02, .01, .01), volume=.03)
    far = np.linalg.norm(points - fitting.rest, axis=1)
    y, x = fitting.rest[:, 1], np.abs(fitting.rest[:, 0])
    chest = (np.abs(y - .1) < .05) & (x < .15)
    assert np.allclose(far[chest], .02, atol=1e-5)
    assert np.allclose(far[(np.abs(y + .5) < .03)], .01, atol=1e-5)  # thighs
    assert np.allclose(far[y > fitting.marks.top - .02], .03, atol=1e-5)
    assert (far[x > fitting.marks.wrist + .03] == 0).all()  # hands are bare
    assert np.allclose(np.linalg.norm(attributes[:, :3], axis=1), 1, atol=1e-4)
    outward = (attributes[:len(points), :3] * (fitting.rest - fitting.rest.mean(0)))[chest].sum(1)
    assert (outward > 0).mean() > .95
    assert (attributes[:, 6] == BODY).all()


def test_a_skirt_is_around_the_legs_whatever_they_do(fitting):
    pose = torch.zeros(1, 24, 3)
    pose[0, 1], pose[0, 2], pose[0, 4] = torch.tensor([[-.6, 0, .1], [.4, 0, -.1], [.3, 0, 0]])  # a step
    mesh = fitting.body_model(pose, torch.zeros(1, fitting.body_model.num_betas), None).vertices[0].numpy()
    points, attributes, faces = fitting.dress(mesh, skirt=fitting.marks.knee + .1, flare=0.)
    rings = points[attributes[:, 6] == SKIRT].reshape(-1, 24, 3)
    assert len(rings) >= 6 and faces.max() == len(points) - 1
    thighs = (np.abs(fitting.rest[:, 1] + .45) < .06) & (np.abs(fitting.rest[:, 0]) < .25)
    for axis in (0, 2):  # wider than the legs to both sides, and before and behind them
        near = rings[(np.abs(rings[:, :, 1].mean(1) - mesh[thighs, 1].mean()) < .12)]
        assert near[..., axis].min() < mesh[thighs, axis].min() + .02
        assert near[..., axis].max() > mesh[thighs, axis].max() - .02
    # None of it is far from the body.
    distance = np.linalg.norm(rings.reshape(-1, 1, 3) - mesh[None, ::11], axis=-1).min(1)
    assert distance.max() < .25


def test_a_skirt_ends_where_legs_are_folded(fitting):
    pose = torch.zeros(1, 24, 3)
    pose[0, [1, 2], 0], pose[0, [4, 5], 0] = -2.2, 2.4
    mesh = fitting.body_model(pose, torch.zeros(1, fitting.body_model.num_betas), None).vertices[0].numpy()
    count = [(fitting.dress(m, skirt=fitting.marks.ankle)[1][:, 6] == SKIRT).sum() for m in (fitting.rest, mesh)]
    assert 48 <= count[1] < .8 * count[0]


@pytest.mark.parametrize('changes, part', [(dict(cut='long'), LOCKS), (dict(hat='brim'), HAT),
                                           (dict(bag=np.ones(3)), BAG)])
def test_what_hangs_on_a_body_moves_with_it(fitting, changes, part):
    turn, shift = Rotation.from_rotvec([.4, -2., .3]), np.array([.5, -.2, 4])
    moved = (.6 * turn.apply(fitting.rest) + shift).astype(np.float32)
    (before, attributes, _), (after, *_) = (fitting.dress(mesh, **changes) for mesh in (fitting.rest, moved))
    piece = attributes[:, 6] == part
    assert piece.sum() > 40
    assert np.abs(.6 * turn.apply(before[piece]) + shift - after[piece]).max() < 1e-3


def test_colours_are_those_worn(fitting):
    red, blue, green = np.eye(3)[[0, 2, 1]]
    attire = fitting.attire(hat='cap', hat_colour=red, bag=blue, creases=np.float32(0), skirt=fitting.marks.knee)
    attire = attire._replace(outfit=attire.outfit._replace(top=green, bottom=blue))
    rest = np.float32([[.1, .1, .1], [0, -.5, .1], [0, fitting.marks.top, 0], [0, .1, -.2], [.8, .2, 0]])
    parts = np.float32([BODY, SKIRT, HAT, BAG, BODY])
    colours = attire_colours(rest, parts, attire, fitting.marks)
    assert np.allclose(colours, [green, blue, red, blue, attire.outfit.skin], atol=1e-6)


def test_people_are_dressed_differently_and_half_of_them_without_colour(fitting):
    rng = np.random.default_rng(0)
    colours = np.array([cloth_colour(rng) for _ in range(400)])
    assert colours.min() >= 0 and colours.max() <= 1
    assert .3 < (np.ptp(colours, axis=1) < .15).mean() < .7
    people = [sample_attire(30., i % 2 == 0, fitting.marks, rng) for i in range(300)]
    women, men = people[1::2], people[::2]
    assert .2 < np.mean([p.skirt is not None for p in women]) < .6 and np.mean([p.skirt is not None for p in men]) < .3
    assert not any(p.beard for p in women) and len({p.cut for p in people}) == 7
    assert .1 < np.mean([p.hat is not None for p in people]) < .3

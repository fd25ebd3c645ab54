import numpy as np
import pytest
import torch
from dto_reference import person_evidence
from hypothesis import given, settings
from hypothesis import strategies as st

from mmhuman_dto.dto import DropReason, EvidenceExtractor
from mmhuman_dto.structures import Maps

STATISTICS = ('depth', 'depth_std', 'z', 'down_depth', 'down_z', 'slope', 'correlation')


def random_maps(rng, height=60, width=80, dtype=np.float32):
    """Maps (numpy) of ellipses in front of each other, with noise, holes, outliers and people who must be dropped."""
    num = int(rng.integers(1, 6))
    y, x = np.mgrid[:height, :width]
    id_map, z_map = np.zeros((height, width), np.int32), np.zeros((height, width), np.float32)
    disparity = rng.uniform(10, 20, (height, width))
    for person in range(num):
        cy, cx, radius = rng.uniform(0, height), rng.uniform(0, width), rng.choice([2, 8, 15])
        inside = ((y - cy) / (2 * radius))**2 + ((x - cx) / radius)**2 < 1
        z = rng.uniform(2, 6) + .01 * (y - cy) + .02 * np.sin(x / 3 + person) * rng.uniform(0, 3)
        depth = z / rng.uniform(200, 400) * np.exp(rng.choice([0, .002, .05]) * rng.standard_normal(z.shape))
        id_map[inside], z_map[inside], disparity[inside] = person + 1, z[inside], 1 / depth[inside]
    holes = rng.random((height, width)) < rng.choice([0, .1])
    disparity[holes] = rng.choice([0., -5., 1e-3, 1e4], holes.sum())
    return disparity.astype(dtype), id_map, z_map, rng.choice([499, 500, 3000], num, p=[.1, .2, .7])


def extract(*images, **kwargs):
    maps = [Maps(disparity=torch.as_tensor(d), id_map=torch.as_tensor(i), z_map=torch.as_tensor(z))
            for d, i, z, _ in images]
    return EvidenceExtractor(**kwargs)(maps, [torch.as_tensor(v) for *_, v in images])


def test_agrees_with_reference_on_images_of_different_sizes():
    rng = np.random.default_rng(5)
    images = [random_maps(rng, *size, dtype) for _ in range(40)
              for size, dtype in (((60, 80), np.float32), ((90, 50), np.float16))]
    found, person, seen = extract(*images), 0, set()
    for disparity, id_map, z_map, visible in images:
        for i, vertices in enumerate(visible):
            want = person_evidence(disparity, id_map == i + 1, z_map, vertices)
            reason = DropReason(int(found.reason[person]))
            seen.add(reason)
            assert (reason == DropReason.KEPT) == (want is not None), reason
            for name in STATISTICS if want else ():
                assert float(getattr(found, name)[person]) == pytest.approx(want[name], rel=1e-7, abs=1e-12), name
            person += 1
    assert seen >= {DropReason.KEPT, DropReason.TOO_FEW_PIXELS, DropReason.TOO_FEW_VISIBLE_VERTICES}


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_batch_is_each_image_alone(seed):
    rng = np.random.default_rng(seed)
    images = [random_maps(rng, 40 + 7 * i) for i in range(3)]
    together = extract(*images)
    alone = [torch.cat(field) for field in zip(*(extract(image) for image in images))]
    for one, other in zip(together, alone):
        torch.testing.assert_close(one, other, equal_nan=True)


def one_person(height=40, width=40, rows=(5, 35), columns=(10, 30)):
    """A person whose z is 300 times its depth, falling from left to right: (disparity, id_map, z_map, visible)."""
    id_map, z_map = torch.zeros(height, width, dtype=torch.int32), torch.zeros(height, width)
    inside = slice(*rows), slice(*columns)
    id_map[inside] = 1
    z_map[inside] = 3 + torch.linspace(.1, -.1, columns[1] - columns[0])
    return torch.where(id_map > 0, 300 / z_map, 50.), id_map, z_map, torch.tensor([1000])


def test_known_person():
    found = extract(one_person())
    assert found.reason.tolist() == [DropReason.KEPT]
    assert float(found.slope) == pytest.approx(300, rel=1e-5)
    assert float(found.correlation) == pytest.approx(1)
    assert float(found.z) == pytest.approx(3)
    assert float(found.depth) == pytest.approx(.01)


def test_pixels_off_the_line_are_left_out():
    disparity, id_map, z_map, visible = one_person()
    z_map[10, 20] += 1
    found = extract((disparity, id_map, z_map, visible))
    assert float(found.z) == pytest.approx(3, abs=1e-4)
    found = extract((disparity, id_map, z_map, visible), max_residual=9.)
    assert float(found.z) == pytest.approx(3 + 1 / 600, abs=1e-4)


@pytest.mark.parametrize('reason, change', [
    (DropReason.TOO_FEW_PIXELS, lambda d, i, z, v: i.zero_()),
    (DropReason.TOO_FEW_PIXELS, lambda d, i, z, v: (i[6:].zero_(), i[:, 11:].zero_())),  # one pixel
    (DropReason.TOO_FEW_PIXELS, lambda d, i, z, v: (i[6:].zero_(), i[:, 13:].zero_())),  # three of the four needed
    (DropReason.TOO_FEW_PIXELS, lambda d, i, z, v: z.zero_()),
    (DropReason.TOO_FEW_PIXELS, lambda d, i, z, v: z.fill_(torch.nan)),
    (DropReason.TOO_FEW_VISIBLE_VERTICES, lambda d, i, z, v: v.fill_(499)),
    (DropReason.NO_DEPTH, lambda d, i, z, v: d.zero_()),
    (DropReason.NO_DEPTH, lambda d, i, z, v: d.fill_(-1)),
    (DropReason.NO_DEPTH, lambda d, i, z, v: d.fill_(torch.nan)),
    (DropReason.NO_DEPTH, lambda d, i, z, v: d.fill_(torch.inf)),
    (DropReason.DEPTH_OUTLIERS, lambda d, i, z, v: d.fill_(100)),
    (DropReason.DEPTH_UNLIKE_MESH, lambda d, i, z, v: z[:, ::2].add_(1)),
])
def test_why_people_are_dropped(reason, change):
    image = one_person()
    change(*image)
    if reason == DropReason.DEPTH_UNLIKE_MESH:  # depth differs between rows only, z only within them
        image[0][:] = torch.linspace(95, 105, 40)[:, None]
    assert extract(image).reason.tolist() == [reason]


@pytest.mark.parametrize('dtype', [torch.uint8, torch.uint16, torch.int64])
def test_half_precision_maps_and_any_integers(dtype):
    disparity, id_map, z_map, visible = one_person()
    found = extract((disparity.half(), id_map.to(dtype), z_map.half(), visible))
    assert found.reason.item() == DropReason.KEPT
    assert float(found.z) == pytest.approx(3, abs=2e-3)
    assert found.depth.dtype == torch.float64


def test_refuses_maps_that_do_not_fit():
    disparity, id_map, z_map, visible = one_person()
    with pytest.raises(ValueError, match='image 0 .* same size'):
        extract((disparity[1:], id_map, z_map, visible))
    with pytest.raises(ValueError, match='person 2, but there are 1'):
        extract((disparity, id_map * 2, z_map, visible))


@pytest.mark.gpu
def test_same_evidence_on_cuda():
    rng = np.random.default_rng(2)
    images = [random_maps(rng) for _ in range(5)]
    moved = [tuple(torch.as_tensor(x).cuda() for x in image) for image in images]
    for one, other in zip(extract(*images), extract(*moved)):
        torch.testing.assert_close(one, other.cpu(), equal_nan=True)

import pytest
from smplx.joint_names import SMPLH_JOINT_NAMES

from mmhuman_dto.body_models import JOINT_SETS, SMPL_PARENTS
from mmhuman_dto.body_models.joint_sets import pick_rows, shared_joints


@pytest.mark.parametrize('name', JOINT_SETS)
def test_sets_are_whole(name):
    joint_set = JOINT_SETS[name]
    size = int(''.join(filter(str.isdigit, name.removeprefix('h36m').removeprefix('smpl') or name)))
    assert len(set(joint_set.names)) == len(joint_set.names) == size
    permutation = joint_set.flip_permutation
    assert [permutation[i] for i in permutation] == list(range(size))
    unpaired = [n for n in joint_set.names if not n.startswith(('left_', 'right_'))]
    assert [n for n, i in zip(joint_set.names, permutation) if joint_set.names[i] == n] == unpaired
    mirrored = {frozenset(permutation[i] for i in edge) for edge in joint_set.edges}
    assert mirrored == {frozenset(edge) for edge in joint_set.edges}


def test_smpl45_is_the_order_of_smplx():
    names = JOINT_SETS['smpl45'].names
    assert names[:22] == tuple(SMPLH_JOINT_NAMES[:22])
    assert names[24:] == tuple(SMPLH_JOINT_NAMES[52:])


def test_smpl24_edges_are_its_tree():
    assert set(JOINT_SETS['smpl24'].edges) == {(parent, child) for child, parent in enumerate(SMPL_PARENTS) if child}


def test_relative_human_orders_map_to_crowdpose():
    assert pick_rows(JOINT_SETS['bk19'].names, 'crowdpose14') == [5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 0, 2]
    assert pick_rows(JOINT_SETS['ochuman19'].names, 'crowdpose14') == [3, 0, 4, 1, 5, 2, 9, 6, 10, 7, 11, 8, 12, 13]


def test_shared_joints():
    source, target = shared_joints('coco17', 'crowdpose14')
    assert source == list(range(5, 17)) and target == list(range(12))
    with pytest.raises(KeyError, match="'crowdpose14' needs \\['head_top', 'neck'\\]"):
        pick_rows(JOINT_SETS['coco17'].names, 'crowdpose14')

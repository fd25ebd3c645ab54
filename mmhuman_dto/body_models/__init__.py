from .base import BodyModel, BodyModelError, BodyOutput
from .conversion import MeshConversion
from .joint_sets import JOINT_SETS, SMPL_PARENTS, JointSet
from .measuring import measured_heights
from .openbody import OpenBody
from .smpl import SMPL, SMPLA
from .smplx import SMPLX
from .topologies import faces_of, topology_of

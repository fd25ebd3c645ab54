from .anny import Anny
from .base import BodyModel, BodyModelError, BodyOutput
from .foreign import ForeignBody
from .joint_sets import JOINT_SETS, SMPL_PARENTS, JointSet
from .measuring import measured_heights
from .mhr import MHR, mhr_smpl24
from .openbody import OpenBody
from .smpl import SMPL, SMPLA
from .smplx import SMPLX
from .topologies import faces_of, topology_of

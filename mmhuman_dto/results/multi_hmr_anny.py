"""Multi-HMR's network of Anny bodies."""
from mmhuman_dto.registry import RESULTS

from . import anny_bodies
from .base import AGED_BODIES
from .files import numbers, stacked
from .meshes_only import faces_for, mesh_people
from .multi_hmr import MultiHMR, square_camera


@RESULTS.register_module()
class MultiHMRAnny(MultiHMR):
    """A list of people a picture, each a dictionary with ``v3d`` of Anny's mesh, ``transl_pelvis`` (1, 3), m, camera
    frame, and ``K`` (3, 3), px of the network's square."""
    kind = 'multi_hmr_anny'
    initial_heights = AGED_BODIES
    program = 'Multi-HMR, its Anny network (https://github.com/naver/multi-hmr)'
    files = 'a file a picture with the list of people of the model'
    licence = 'NAVER, non-commercial; Anny: Apache-2.0, its data CC0'
    body = 'Anny'
    _takes_meshes = False

    @classmethod
    def _is_body(cls, person):
        return 'K' in person and 'transl_pelvis' in person

    def _bodies(self, people, vertices, pelvis, where):
        faces = faces_for(vertices, self.own_faces(), self.context, where)
        shape, pose = (stacked(people, key, size, where) for key, size in (('shape', (None, )), ('rotvec', (None, 3))))
        joints = anny_bodies.anny_joints(pose, shape, pelvis, vertices)
        found = mesh_people(vertices, faces, pelvis, joints, **anny_bodies.anny_heights(shape))
        return found, faces, self.body, ()

    def _stated(self, part, people, where):
        return numbers(people[0], 'K', (3, 3), where)

    def _refocused(self, person, moves, image):
        if moves.intrinsics is not None:
            person['K'] = square_camera(person['K'], moves.intrinsics, image.image_size)
        return person

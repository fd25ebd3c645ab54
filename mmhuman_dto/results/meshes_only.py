"""People of whom a program gives the mesh alone."""
import torch

from mmhuman_dto.body_models import faces_of
from mmhuman_dto.geometry.point_surface import triangles_of_points
from mmhuman_dto.structures import People

from .base import ResultError

#: Sides (m) of the boxes around people, of whom the median is between these: from a toddler who sits to a tall adult
#: who stretches.
PERSON_SIZES = (.4, 2.5)
#: Units, by how many of them are a metre.
UNITS = dict(m=1., cm=100., mm=1000.)
#: Points that a surface is told by at least.
FEWEST_POINTS = 500
#: What is said where triangles are neighbours.
GUESSED_FACES = ('nobody told the triangles of these meshes: they are drawn, and hide each other, by neighbours among '
                 'their points, and heights are told less well. ')
#: What to do about unknown triangles.
FACES_HINT = ("Save them as faces.npy (F, 3) beside the results, or name the folder of the body model's own files with "
              '--body-models.')


def mesh_people(vertices, faces, pelvis=None, joints=None, **more):
    """:class:`People` of meshes; N may be 0.

    Args:
        vertices: (N, V, 3) m, camera frame. faces: (F, 3).
        pelvis: (N, 3) m; None: the middle of each surface.
        joints: (N, 24, 3) m, SMPL's, nan where not known; None: of nobody.
        **more: further fields of people; heights are nan where not among them.
    """
    vertices = torch.as_tensor(vertices).float()
    count = len(vertices)
    joints = vertices.new_full((count, 24, 3), torch.nan) if joints is None else torch.as_tensor(joints).float()
    pelvis = surface_middles(vertices, faces) if pelvis is None else torch.as_tensor(pelvis).float()
    people = People(num_people=count, vertices=vertices, pelvis=pelvis, smpl_joints=joints)
    unknown = vertices.new_full((count, ), torch.nan)
    for name, values in {'heights': unknown, 'heights_std': unknown, **more}.items():
        setattr(people, name, values)
    return people


def nobody():
    """:class:`People` of a picture that nobody is in."""
    return mesh_people(torch.zeros(0, 1, 3), None)


def surface_middles(vertices, faces):
    """Centres of gravity (N, 3) of the surfaces of meshes (N, V, 3): of people near the navel."""
    if not len(vertices):
        return vertices.new_zeros(0, 3)
    corners = vertices.double()[:, torch.as_tensor(faces).long()]
    areas = torch.linalg.cross(corners[:, :, 1] - corners[:, :, 0], corners[:, :, 2] - corners[:, :, 0]).norm(dim=-1)
    middles = (areas[..., None] * corners.mean(2)).sum(1) / areas.sum(1).clamp(min=1e-12)[:, None]
    return middles.to(vertices.dtype)


def check_meshes(vertices, where, key, hint=''):
    """Raise ResultError unless meshes (N, V, 3) are finite, of a person's size in metres, and before the camera.

    Args:
        where, key: file and key for the message. hint: what to do where the unit is wrong.
    """
    if not len(vertices):
        return
    if not torch.isfinite(vertices).all():
        raise ResultError(f'{where}, key {key!r}: not all numbers are finite')
    size = float((vertices.amax(1) - vertices.amin(1)).amax(1).median())
    low, high = PERSON_SIZES
    if not low <= size <= high:
        unit = next((unit for unit, per_metre in UNITS.items() if low <= size / per_metre <= high), None)
        guess = f'they look like {unit}' if unit else 'they are in no unit known here (m, cm, mm)'
        raise ResultError(f'{where}, key {key!r}: people are {size:.4g} m large (median), expected {low} to {high} m; '
                          f'{guess}.{hint and " "}{hint}')
    behind = (vertices[..., 2] <= 0).all(1)
    if behind.any():
        raise ResultError(f'{where}, key {key!r}: person {int(behind.nonzero()[0])} is behind the camera (z <= 0). The '
                          'camera frame is x right, y down, z forward; meshes with y up have to be turned by half a '
                          'turn about x, and world coordinates turned to the camera first.')


def faces_for(vertices, given, context, where):
    """Triangles (F, 3) int64 of meshes (N, V, 3), N >= 1: those given, else those of a known body, else neighbours.

    Neighbours among the points of the first mesh are kept in ``context.guessed_faces`` for all others.

    Args:
        given: (F, 3) or None. context: the reader's, whose body model files may have them. where: file, for messages.

    Raises:
        ResultError: given faces do not fit, or the points are too few for a surface.
    """
    num_vertices = vertices.shape[1]
    if given is None:
        given = _known_faces(num_vertices, context)
    if given is None:
        if num_vertices < FEWEST_POINTS:
            raise ResultError(f'{where}: meshes of {num_vertices} vertices, whose triangles are not known. '
                              f'{FACES_HINT}')
        if num_vertices not in context.guessed_faces:
            context.guessed_faces[num_vertices] = triangles_of_points(torch.as_tensor(vertices)[0])
        return context.guessed_faces[num_vertices]
    faces = torch.as_tensor(given).long()
    if faces.ndim != 2 or faces.shape[1] != 3 or len(faces) and not 0 <= int(faces.min()) <= int(
            faces.max()) < num_vertices:
        raise ResultError(f'{where}: faces of shape {tuple(faces.shape)} with numbers up to '
                          f'{int(faces.max()) if faces.numel() else 0} do not fit to {num_vertices} vertices')
    return faces


def _known_faces(num_vertices, context):
    """By the user's files, else by what is bundled or installed; None."""
    folder = getattr(context.bodies, 'model_path', None)
    try:
        return faces_of(num_vertices, folder)
    except FileNotFoundError:
        return faces_of(num_vertices)

"""Files of people of one body as files of people of another."""
import inspect
from pathlib import Path

import torch

from mmhuman_dto.body_models import BodyModelError
from mmhuman_dto.body_models.assets import read_mapping
from mmhuman_dto.fitting import MeshConversion
from mmhuman_dto.fitting.posed import Errors
from mmhuman_dto.registry import BODY_MODELS
from mmhuman_dto.structures import People
from mmhuman_dto.tables.people_file import read_people, write_people
from mmhuman_dto.tables.people_table import PeopleTable, PeopleTableBuilder

#: Bodies by the names that a user types.
BODIES = {'openbody': 'OpenBody', 'smpl': 'SMPL', 'smpl+a': 'SMPL+A', 'smplx': 'SMPLX', 'anny': 'Anny'}
#: Rigs of anny by their number of bones.
_RIGS = {104: 'anny', 163: 'makehuman'}
_NEEDED = ('global_orient', 'body_pose', 'betas', 'transl')


def build_body(name, model_path=None, people=None, **options):
    """A body by its name: of :data:`BODIES`, or as configs call it.

    Args:
        model_path: file or folder of those that have one.
        people: :class:`~mmhuman_dto.structures.People` of it, if there are, who tell SMPL's and SMPL-X's number of
            betas and anny's rig. options: what else the body takes.

    Raises:
        BodyModelError: no such body, or one that needs a ``model_path``.
    """
    name = BODIES.get(name.lower(), name)
    body = BODY_MODELS.get(name)
    if body is None:
        raise BodyModelError(f'no body {name!r}; there are {", ".join(BODIES)}')
    takes = inspect.signature(body).parameters
    if 'model_path' in takes:
        if model_path is None:
            raise BodyModelError(f'{name} comes with its own files: say where they are (model_path; docs/bodies.md)')
        options['model_path'] = str(model_path)
    if people is not None and 'num_betas' in takes:
        options['num_betas'] = people.betas.shape[1] - body.knows_children
    if people is not None and 'rig' in takes:
        options['rig'] = _RIGS.get(people.body_pose.shape[1] + 1, 'anny')
    return BODY_MODELS.build(dict(type=name, **{key: value for key, value in options.items() if key in takes}))


class PeopleConversion:
    """Converts files of people: a people file (``.json``, ``.npz``), or a people table (a folder).

    Args:
        target: name of the body that they become. model_path, mapping: file or folder of it, and the file of the
            mapping that SMPL-X's authors publish between SMPL and SMPL-X, or None.
        source: name of their own body; None: as the files say. source_path: file or folder of that.
        gender: of both bodies' files.
    """

    def __init__(self, target, model_path=None, source=None, source_path=None, mapping=None, gender='neutral'):
        self.target = build_body(target, model_path, gender=gender)
        self.source, self.source_path, self.mapping, self.gender = source, source_path, mapping, gender
        self._conversions = {}

    def __call__(self, path, out):
        """Write ``out``, of the same kind as ``path``; gives [(image id, Errors)] of its images.

        Raises:
            BodyModelError: people who are not of a body, or of one that is not known.
        """
        path, out = Path(path), Path(out)
        if not path.is_dir():
            sample = read_people(path)
            errors = self.sample(sample, path)
            write_people(out, sample)
            return [(sample.get('img_id', path.name), errors)]
        table, errors = PeopleTable(path), []
        builder = PeopleTableBuilder(type(self.target).__name__, dict(table.schema.get('provenance', {}),
                                                                      converted_from=table.schema['body_model']))
        for index in range(len(table)):
            sample = table[index]
            errors.append((sample.img_id, self.sample(sample, path)))
            builder.add(sample)
        builder.write(out)
        return errors

    def sample(self, sample, where):
        """Convert ``pred_instances`` of a sample in place; gives their errors."""
        people, name = sample.pred_instances, self.source or sample.get('body_model')
        missing = [field for field in _NEEDED if field not in people]
        if missing or not name:
            raise BodyModelError(f'{where}: its people have no {", ".join(missing)}' if missing else
                                 f'{where}: it does not say of which body its people are; say it (source)')
        if 'mesh_scales' in people and (people.mesh_scales != 1).any():
            raise BodyModelError(f'{where}: its people were placed as meshes, which made them larger or smaller '
                                 '(mesh_scales), and their parameters do not say that')
        converted = self._conversion(name, people).convert(people)
        fields = dict(converted.people.items())
        if 'heights' in fields and len(people):
            fields['heights'] = self.target.height(fields['betas']).to(fields['heights'])
        sample.pred_instances = People(num_people=len(people), **fields)
        sample.set_metainfo(dict(body_model=type(self.target).__name__))
        return converted.errors

    def _conversion(self, name, people):
        key = name, people.body_pose.shape[1], people.betas.shape[1]
        if key not in self._conversions:
            source = build_body(name, self.source_path, people, gender=self.gender)
            mapping = None if self.mapping is None else read_mapping(
                self.mapping, self.target.num_vertices, source.num_vertices)
            self._conversions[key] = MeshConversion(source, self.target, fit=True, mapping=mapping)
        return self._conversions[key]


def summary(errors):
    """Lines that say by how much people are off, of a list of (image id, Errors)."""
    lines = [f'{name}: person {row}: joints {joints:.1f} mm (worst {joints_max:.1f}), surface {surface:.1f} mm '
             f'(worst {surface_max:.1f})'
             for name, some in errors for row, (joints, joints_max, surface, surface_max) in enumerate(zip(*some))]
    if lines:
        every = Errors(*(torch.cat(parts) for parts in zip(*(some for _, some in errors))))
        lines.append(f'{len(lines)} people: joints {every.joints.mean():.1f} mm, surface {every.surface.mean():.1f} mm '
                     f'on average; worst {every.joints_max.max():.1f} and {every.surface_max.max():.1f} mm')
    return lines or ['nobody']

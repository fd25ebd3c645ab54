"""Other programs' results through DTO: read, placed picture by picture, drawn, and written back."""
import json
from pathlib import Path

import numpy as np
import torch

from mmhuman_dto.apis.inference.depth import kind_of_source
from mmhuman_dto.apis.inference.inferencer import copied, odd_depth, why_ended
from mmhuman_dto.apis.inference.recipe import recipe_config
from mmhuman_dto.apis.inference.result import HumanScene
from mmhuman_dto.dto.bodies import MeshBodies
from mmhuman_dto.engine.device import pick_device
from mmhuman_dto.fileio.atomic import write_atomically
from mmhuman_dto.fileio.images import ImageError
from mmhuman_dto.fileio.names import OutputNames
from mmhuman_dto.generation.pipeline import Clock, Stages
from mmhuman_dto.perception.keypoint_fit import GUESSED_FOCAL_STD
from mmhuman_dto.results import Moves, ResultError, open_results, read_results
from mmhuman_dto.results.base import ReaderContext
from mmhuman_dto.results.smpl_family import SmplFamily
from mmhuman_dto.stages.base import Context
from mmhuman_dto.stages.isolation import Outcome
from mmhuman_dto.structures import Camera, HumanDataSample, Maps

from .cameras import Cameras, refocused
from .people import completed
from .pictures import Pictures
from .report import Report

#: Grey of pictures that nobody has.
_PAPER = 235
#: Size (height, width), px, of the paper of people without a camera, and of nobody.
_PAPER_SIZE = 720, 1280
#: What people have before the stages of the recipe.
_GIVEN = ('image', 'pred_instances', 'pred_camera', 'checked people')


def place(results, images=None, kind=None, depth=None, depth_kind=None, ages=None, masks=None, focal=None,
          body_models=None, dto=True, device=None, options=None, recipe='place'):
    """Place the people of another program's results in metres: :class:`PlacedResults`.

    ::

        placed = place('wham_output.pkl', 'frames', depth='depth_maps', depth_kind='disparity')
        for scene in placed:
            print(scene.img_id, scene.summary)
        placed.write_back('placed')

    Args:
        results: file or folder of the results, see docs/place_formats.md.
        images: folder of the pictures, or the video; None: none are drawn on, and sizes are those that results tell.
        kind: of the results; None: found by looking at them.
        depth: depth maps: a folder of files, a network of ``transformers``, or a config; None: none.
        depth_kind: 'disparity', 'depth' or 'metres': what the maps hold, where their layout does not say.
        ages: JSON file or folder of ages (:class:`~mmhuman_dto.perception.PrecomputedAges`), or a config of a source.
        masks: folder of id maps (:class:`~mmhuman_dto.perception.PrecomputedMasks`), or a config of a source.
        focal: see :class:`~.cameras.Cameras`.
        body_models: folder of SMPL's and SMPL-X's files; None: OpenBody stands in where results have no meshes.
        dto: False only reads, for files in our format and pictures of what was there.
        device, options: as of :class:`~mmhuman_dto.HumanInferencer`. recipe: config of the stages.

    Raises:
        ResultError, BrokenFileError, UnsafeFileError: results that cannot be read; say file, key and what to do.
        FileNotFoundError, ConfigError, ValueError: what else was given does not fit.
    """
    pictures = Pictures(images)
    context = ReaderContext(pictures.size, SmplFamily(body_models))
    if focal == 'depth' and depth in (None, 'none'):
        raise ValueError("focal='depth' is the focal length that comes with depth maps; give depth too")
    reader = open_results(Path(results), kind, context)
    if dto and not reader.before_camera:
        raise ResultError(f'{results}: {reader.kind} has people in a world without a camera, who cannot be placed; '
                          'with dto=False (--no-dto) they are shown and exported as they are')
    found = read_results(reader)
    config = _config(recipe, depth, depth_kind, ages, masks, device, options, reader)
    return PlacedResults(reader, found, pictures, config, Cameras(focal), dto)


class PlacedResults:
    """The pictures of results, placed as they are asked for, once each; iterating gives a
    :class:`~mmhuman_dto.apis.inference.result.HumanScene` of each.

    Attributes:
        bodies: :class:`~mmhuman_dto.dto.bodies.MeshBodies` of the people.
        results: :class:`~mmhuman_dto.results.Results` that were read. reader: what read them.
    """

    def __init__(self, reader, results, pictures, config, cameras, dto):
        self.reader, self.results = reader, results
        self._pictures, self._cameras, self._dto = pictures, cameras, dto
        device = pick_device(config['device'])
        self.bodies = MeshBodies(results.faces)
        context = Context(MeshBodies(results.faces.to(device)), Path(config['data_root']), device)
        self._stages = Stages(config['stages'], context)
        self._mapping = [name for name, stage in config['stages'].items() if stage['type'] == 'AddDepth']
        self._placing = [name for name in config['stages'] if not (cameras.needs_maps and name in self._mapping)]
        self._metric = any(kind_of_source(config['stages'][name]['source']) == 'metres' for name in self._mapping)
        self._batch, self._names = config['batch_size'], OutputNames()
        self._moves, self._report = [], Report(reader, results)

    def __len__(self):
        return len(self.results.images)

    def __iter__(self):
        images = self.results.images
        while len(self._moves) < len(images):  # by index: images may be read or posed when they are asked for
            yield from self._place(images[len(self._moves):len(self._moves) + self._batch])

    def finish(self):
        """Place whoever was not placed yet; self."""
        for _ in self:
            pass
        return self

    def write_back(self, out):
        """Write the placed results in their own layout below ``out``: the paths."""
        self.finish()
        out = Path(out)
        out.mkdir(parents=True, exist_ok=True)
        return self.reader.write(out, self._moves)

    def write_report(self, path):
        """Write who is where, how sure that is, and how much each mesh grew, as JSON."""
        self.finish()
        text = json.dumps(self._report.content, indent=1, allow_nan=False) + '\n'
        write_atomically(path, lambda temporary: temporary.write_text(text))

    def _place(self, batch):
        """Scenes of :class:`~mmhuman_dto.results.ImageResult`, whose moves are kept."""
        begun, errors = map(list, zip(*map(self._opened, batch)))
        if self._cameras.needs_maps:
            self._stages.run(begun, Clock(), self._mapping)
        samples = [self._peopled(sample, image) for sample, image in zip(begun, batch)]
        ended = [copied(sample) if self._dto and len(sample.pred_instances) else None for sample in samples]
        run = [sample for sample in ended if sample is not None]
        self._stages.run(run, Clock(), self._placing)
        run = iter(run)
        for image, sample, error, after in zip(batch, samples, errors, ended):
            scene = self._scene(sample, None if after is None else next(run), error)
            moves = _moves(image, scene.sample)
            self._moves.append(moves)
            self._report.add(image, scene, moves)
            yield scene

    def _opened(self, image):
        """(sample without people, why its picture could not be read) of an image result."""
        picture, path, error = None, '', ''
        try:
            picture, path = self._pictures.read(image.name, image.frame)
        except ImageError as wrong:
            error = str(wrong)
        size = tuple(picture.shape[:2] if picture is not None else image.image_size or self._size(image))
        # Maps, ages and focal lengths are of pictures, whose names results shorten, or count.
        name = self._pictures.found(image.name, image.frame) or image.name
        sample = HumanDataSample(metainfo=dict(img_id=name, img_path=path, ori_shape=size, img_shape=size,
                                               body_model=self.results.body))
        if picture is not None:
            sample.image = picture
        return sample.to(self._stages.context.device), error

    def _peopled(self, sample, image):
        """The sample with people and the camera that they are placed for."""
        if isinstance(sample, Outcome):
            raise ResultError(f'{image.name}: its focal length was to come with its depth map: {sample.reason}')
        intrinsics, source = self._cameras(sample, image.intrinsics, self.results.focal_is_guess)
        people = completed(image.people, self.results.faces, self.results.faces_are_guess)
        if image.intrinsics is not None:
            people = refocused(people, image.intrinsics, intrinsics)
        sample.pred_instances, sample.pred_camera = people, Camera(intrinsics=intrinsics.float())
        if source == 'guess' and self._metric:  # heights and distances in metres tell the focal length
            sample.pred_camera.focal_std = torch.tensor(GUESSED_FOCAL_STD)
        sample.set_metainfo(dict(focal_source=source))
        return sample.to(self._stages.context.device)

    def _size(self, image):
        """(height, width) px of a picture that nobody has seen."""
        if not self.reader.before_camera or image.intrinsics is None and not len(image.people):
            return _PAPER_SIZE
        if image.intrinsics is None:
            there = self._pictures.root
            raise ResultError(f'{image.name}: the results tell neither its camera nor its size, and ' + (
                f'{there} has no picture of that name' if there else 'there are no pictures; give --images'))
        return _size_of(image)

    def _scene(self, before, after, error):
        """:class:`HumanScene` of a sample before and, None where they were not run, after the stages."""
        notes = [error]
        if isinstance(after, Outcome):
            notes.insert(0, why_ended(after))
            after = None
        elif after is not None and (odd := odd_depth(after, self._stages.stages)):
            refused = any(one.stops for one in odd)
            notes = [('not placed: ' if refused else '') + '; '.join(one.text for one in odd), *notes]
            after = None if refused else after  # distances by a map that cannot be right are nothing to show
        image = before.image if 'image' in before else np.full((*before.ori_shape, 3), _PAPER, np.uint8)
        kept = [None if sample is None else _kept(sample) for sample in (before, after)]
        return HumanScene(before.img_id, image, self.bodies, sample=kept[1] or kept[0],
                          before=kept[0] if kept[1] else None, name=self._names.of(before.img_id),
                          note='; '.join(text for text in notes if text))


def _config(recipe, depth, depth_kind, ages, masks, device, options, reader):
    """The recipe's checked config, with what was given and what is known of the program's meshes."""
    share, std = reader.initial_heights
    added = {'stages.dto.solver.terms.initial': dict(type='InitialTerm', share=share, std=std)}
    if ages is not None:
        source = ages if isinstance(ages, dict) else dict(type='PrecomputedAges', path=str(Path(ages).absolute()))
        added['stages.ages'] = dict(type='AddAges', source=source, before='rasterise')
    if masks is not None:
        source = masks if isinstance(masks, dict) else dict(
            type='PrecomputedMasks', folder=str(Path(masks).absolute()))
        added['stages.masks'] = dict(type='AddMasks', source=source, before='rasterise')
    return recipe_config(recipe, depth, True, device=device, options={**added, **(options or {})},
                         depth_kind=depth_kind, given=_GIVEN)


def _size_of(image):
    """(height, width) px of a picture that nobody has seen: its axis goes through its middle."""
    return tuple(max(1, round(2 * float(centre))) for centre in image.intrinsics[[1, 0], 2])


def _moves(image, sample):
    """:class:`Moves` from the people as they were read to those of a sample."""
    people = sample.pred_instances
    scale = people.get('mesh_scales', torch.ones(len(people))).double()
    shift = people.pelvis.double() - image.people.pelvis.double()
    intrinsics = sample.pred_camera.intrinsics.double()
    same = image.intrinsics is not None and torch.equal(image.intrinsics.float(), intrinsics.float())
    return Moves(shift, scale, None if same else intrinsics)


def _kept(sample):
    """A sample on the CPU with what is shown of it: people, camera, and the depth map in m where there is one."""
    kept = sample.to('cpu')
    depth = kept.pred_maps.get('depth') if 'pred_maps' in kept else None
    for name in set(kept.keys()) - {'pred_instances', 'pred_camera'}:
        delattr(kept, name)
    if depth is not None:
        kept.pred_maps = Maps(depth=depth)
    if kept.focal_source == 'guess' and 'focal_std' not in kept.pred_camera:  # for those who look at it
        kept.pred_camera.focal_std = torch.tensor(GUESSED_FOCAL_STD)
    return kept

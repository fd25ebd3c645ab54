"""Folders of synthetic crowds in the public file layouts, so that they take exactly the path of real data.

::

    FOLDER/
      images/0000.jpg ...      the pictures; ids in all files are relative to this folder
      initial_meshes.npz       `annots`, pickled: {id: {trans_cam (N, 3), pose_cam (N, 72), shape (N, 10 or 11),
                               cam_int (N, 3, 3), body_model}}
      disparity/0000.png ...   16 bit, times the picture's factor in disparity/scale.json = disparity
      masks/0000.png ...       8 bit, 0 nobody, i + 1 the person in row i of the initial meshes
      ages.json                {id: {ages: [years], male_probs: [0..1]}}, as a network would guess them
      truth/                   people table: pose, betas, transl, heights, ages, male_probs (0 or 1), intrinsics
      visible.json             {id: [share of each person that nobody else hides]}
      crowd.json               how it was made
"""
import dataclasses
import json
from pathlib import Path

import cv2
import numpy as np

from mmhuman_dto.tables.people_table import PeopleTableBuilder

from ..corruption import NetworkErrors, ages_and_sexes, disparity, initial_meshes
from ..crowd_config import CrowdConfig
from ..render import Renderer
from ..samples import truth_sample
from ..scenes import sample_scene, visible_share


def write_crowd(folder, indices, body_model, config=None, seed=0, errors=None, jpeg_quality=90, map_divisor=1):
    """Write scenes, the same bytes for the same arguments.

    Args:
        folder: made where missing.
        indices: which scenes of the seed.
        body_model: with a child coefficient.
        config, seed: see :func:`sample_scene`.
        errors: :class:`NetworkErrors` of the imitated networks, default all of them at their defaults.
        jpeg_quality: 0..100.
        map_divisor: disparity maps are this many times smaller than the pictures.
    """
    config, errors, folder = config or CrowdConfig(), errors or NetworkErrors(), Path(folder)
    for name in ('images', 'disparity', 'masks'):
        (folder / name).mkdir(parents=True, exist_ok=True)
    renderer, body_name = Renderer(body_model), type(body_model).__name__
    # A network that knows adults only has no child coefficient to write.
    shape_columns = body_model.num_betas - (errors.initial.child_shrinkage == 1)
    truth = PeopleTableBuilder(body_name, provenance=dict(source='synthetic crowd', seed=seed))
    meshes, scales, guesses, visible = {}, {}, {}, {}
    for number, index in enumerate(indices):
        scene = sample_scene(index, body_model, config, seed)
        picture, stem = renderer(scene), f'{number:04d}'
        name = f'{stem}.jpg'
        cv2.imwrite(str(folder / 'images' / name), picture.image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality])
        cv2.imwrite(str(folder / 'masks' / f'{stem}.png'), picture.id_map.astype(np.uint8))
        values = disparity(scene, picture, errors.disparity)
        scales[name] = _write_disparity(folder / 'disparity' / f'{stem}.png', values, map_divisor)
        record = initial_mesh_record(initial_meshes(scene, body_model, errors.initial), shape_columns)
        meshes[name] = dict(record, body_model=body_name)
        ages, male_probs = ages_and_sexes(scene, errors.ages)
        guesses[name] = dict(ages=ages.round(2).tolist(), male_probs=male_probs.round(3).tolist())
        visible[name] = visible_share(scene, body_model.faces).round(4).tolist()
        truth.add(truth_sample(scene, name))
    np.savez(folder / 'initial_meshes.npz', annots=np.array(meshes, dtype=object))
    truth.write(folder / 'truth')
    about = dict(body_model=body_name, seed=seed, indices=list(indices), config=config.stated(),
                 errors=dataclasses.asdict(errors))
    for name, value in {'disparity/scale': scales, 'ages': guesses, 'visible': visible, 'crowd': about}.items():
        (folder / f'{name}.json').write_text(json.dumps(value, indent=1) + '\n', encoding='utf-8')


def initial_mesh_record(meshes, columns):
    """One picture's entry of the initial-mesh layout, with the first ``columns`` shape coefficients.

    ``meshes`` are a scene, or its imitated initial meshes.
    """
    count = len(meshes.betas)
    arrays = dict(trans_cam=meshes.transl, pose_cam=meshes.pose.reshape(count, 72), shape=meshes.betas[:, :columns],
                  cam_int=np.repeat(meshes.intrinsics[None], count, 0))
    return {key: value.astype(np.float32) for key, value in arrays.items()}


def _write_disparity(path, values, divisor):
    """Write a 16-bit map ``divisor`` times smaller; the factor from stored values to disparity."""
    height, width = values.shape
    values = cv2.resize(values, (width // divisor, height // divisor), interpolation=cv2.INTER_AREA)
    scale = float(values.max()) / 65535
    cv2.imwrite(str(path), np.round(values / scale).astype(np.uint16))
    return scale

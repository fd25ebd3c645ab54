"""Where DTO puts the people of recorded scenes, and where our DTO puts them.

A file holds scenes ``{i}/in/*`` (disparity, id_map, z_map, betas, pose, transl, cam_int, age, gender,
visible_vertices), ``{i}/flags`` (json), ``{i}/kind`` and the records ``{i}/out/*`` (person, transl, betas, optimized,
mean_height_deviation), computed with the synthetic body of ``mmhuman_dto.synthetic.writers.smpl``.
"""
import argparse
import json
import tempfile

import numpy as np
import torch

from mmhuman_dto.dto import DTOOptimizer, HeightPrior, PaperDTO
from mmhuman_dto.registry import BODY_MODELS
from mmhuman_dto.structures import Camera, HumanDataSample, Maps, People
from mmhuman_dto.synthetic.writers.smpl import write_synthetic_smpl

#: Largest allowed |difference| of a scene, m, - and standard deviations; of all betas' median.
LIMITS = {'transl': 5e-4, 'betas': 1e-3, 'deviation': 1e-3}
MEDIAN_BETAS_LIMIT = 1e-5


def read_scenes(path):
    """Scenes of a parity file: dicts with ``in`` and ``out`` (name -> array), ``flags`` (dict) and ``kind``."""
    scenes = {}
    with np.load(path, allow_pickle=False) as file:
        for key in file.files:
            index, part, *field = key.split('/')
            scene = scenes.setdefault(int(index), {'in': {}, 'out': {}})
            if field:
                scene[part][field[0]] = file[key]
            else:
                scene[part] = str(file[key])
    for scene in scenes.values():
        scene['flags'] = json.loads(scene['flags'])
    return [scenes[index] for index in sorted(scenes)]


def to_sample(scene):
    """Inputs of a scene as a sample; transl in float64, as the records have it."""
    data = {name: torch.as_tensor(value) for name, value in scene['in'].items()}
    sample = HumanDataSample()
    sample.pred_instances = People(
        global_orient=data['pose'][:, 0],
        body_pose=data['pose'][:, 1:],
        betas=data['betas'],
        transl=data['transl'].double(),
        ages=data['age'],
        male_probs=data['gender'],
        visible_vertices=data['visible_vertices'])
    sample.pred_camera = Camera(intrinsics=data['cam_int'])
    sample.pred_maps = Maps(**{name: data[name] for name in ('disparity', 'id_map', 'z_map')})
    return sample


def place(samples, flags, body_model):
    """The samples after DTO with a record's flags."""
    prior = HeightPrior(use_age=flags.get('use_age_prior', True), use_gender=flags.get('use_gender_prior', True))
    return DTOOptimizer(PaperDTO(slope_bound=flags.get('use_X_cond', True)), prior)(samples, body_model)


def place_all(scenes, body_model):
    """Placed samples of all scenes; those with the same flags go through DTO in one batch."""
    batches, placed = {}, [None] * len(scenes)
    for index, scene in enumerate(scenes):
        batches.setdefault(json.dumps(scene['flags'], sort_keys=True), []).append(index)
    for flags, indices in batches.items():
        samples = place([to_sample(scenes[i]) for i in indices], json.loads(flags), body_model)
        for index, sample in zip(indices, samples):
            placed[index] = sample
    return placed


def compare(scene, placed):
    """|Differences| of a placed sample from its record: name -> array, and the names of what isn't the same at all."""
    want, people = scene['out'], placed.pred_instances
    order = np.argsort(want['person'])
    wrong = []
    if bool(want['optimized']) != placed.optimised:
        wrong.append('optimised')
    differences = {'deviation': np.abs(want['mean_height_deviation'] - placed.height_deviation)}
    if np.array_equal(want['person'][order], people.person_index.numpy()):
        differences['transl'] = np.abs(want['transl'][order] - people.transl.numpy())
        differences['betas'] = np.abs(want['betas'][order] - people.betas.numpy())
    else:
        wrong.append('people')
    wrong += [name for name, limit in LIMITS.items() if not np.max(differences.get(name, 0), initial=0) <= limit]
    return differences, wrong


def main(argv):
    parser = argparse.ArgumentParser(prog='check_parity.py dto', description=__doc__.splitlines()[0])
    parser.add_argument('file', help='dto_scenes.npz or another file of its layout')
    path = parser.parse_args(argv).file
    with tempfile.TemporaryDirectory() as folder:
        body_model = BODY_MODELS.build(
            dict(type='SMPL+A', model_path=str(write_synthetic_smpl(folder)), gender='neutral'))
    scenes = read_scenes(path)
    collected, ok = {name: [] for name in LIMITS}, True
    print(f'{"scene":20} {"people":>6} ' + ' '.join(f'{name:>9}' for name in LIMITS) + '  wrong')
    for index, (scene, placed) in enumerate(zip(scenes, place_all(scenes, body_model))):
        differences, wrong = compare(scene, placed)
        ok &= not wrong
        for name, values in differences.items():
            collected[name].append(values.ravel())
        largest = ' '.join(f'{np.max(differences.get(name, np.nan), initial=0):9.1e}' for name in LIMITS)
        print(f'{index:3} {scene["kind"]:16} {len(scene["out"]["person"]):6} {largest}  {", ".join(wrong) or "-"}')
    collected = {name: np.concatenate(values or [[]]) for name, values in collected.items()}
    for name, values in collected.items():
        print(f'largest |difference| of {name}: {values.max(initial=0):.1e} (limit {LIMITS[name]:.0e})')
    median = float(np.median(collected['betas'])) if collected['betas'].size else 0.
    print(f'median |difference| of betas: {median:.1e} (limit {MEDIAN_BETAS_LIMIT:.0e})')
    ok &= median <= MEDIAN_BETAS_LIMIT
    print('PASS' if ok else 'FAIL')
    return 0 if ok else 1

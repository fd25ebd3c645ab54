"""How fast DTO is: evidence + solve + update from given maps, and the z-buffer, on one thread of one CPU core.

    python tools/benchmark/bench_dto.py [--json FILE] [--images N] [--batch-size B]

Scenes are 360 x 480 px with 3 to 6 bodies of 6890 vertices (a synthetic body in SMPL's layout), rasterised once.
The same run times a plain one-person-at-a-time implementation, so that ratios don't depend on the machine, and how
much the peak of memory grows after the first tenth of the images (use ``--images 10000`` to see that it is flat).
"""
import argparse
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault('OMP_NUM_THREADS', '1')
sys.path.append(str(Path(__file__).parents[2] / 'tests'))  # the plain reference that tests hold DTO against

import numpy as np  # noqa: E402
import torch  # noqa: E402
from _common import report, take_turns  # noqa: E402
from dto_reference import height_prior, move_person, person_evidence, solve_scene  # noqa: E402

from mmhuman_dto.dto import DTOOptimizer, DTOProblem, EvidenceExtractor, PaperDTO  # noqa: E402
from mmhuman_dto.geometry import intrinsics_from_fov  # noqa: E402
from mmhuman_dto.geometry.rasterize import rasterize, visible_vertices  # noqa: E402
from mmhuman_dto.programs import output_file, program  # noqa: E402
from mmhuman_dto.registry import BODY_MODELS  # noqa: E402
from mmhuman_dto.structures import Camera, HumanDataSample, Maps, People  # noqa: E402
from mmhuman_dto.synthetic.writers.smpl import write_synthetic_smpl  # noqa: E402

HEIGHT, WIDTH, FOCAL = 360, 480, 413.
NUM_SCENES, SOLVER_PEOPLE, REPEATS, REFERENCE_IMAGES = 32, 100_000, 5, 4


def build_body_model():
    with tempfile.TemporaryDirectory() as folder:
        return BODY_MODELS.build(dict(type='SMPL+A', model_path=str(write_synthetic_smpl(folder)), gender='neutral'))


def make_sample(body_model, num, rng):
    """A scene of ``num`` people: initial meshes off by 10 % in distance, disparity with 2 % noise a person."""
    z = rng.uniform(2, 5, num)
    x = (np.arange(num) + .5 - num / 2) * .8
    pose = torch.from_numpy(rng.normal(0, .15, (num, 24, 3))).float()
    pose[:, 0] = torch.tensor([np.pi, 0, 0])
    betas = torch.from_numpy(rng.normal(0, .7, (num, 11))).float()
    betas[:, 10] = torch.from_numpy(rng.choice([0, .5], num))
    transl = torch.from_numpy(np.stack([x, np.zeros(num), z], -1)).float()
    intrinsics = torch.tensor([[FOCAL, 0, WIDTH / 2], [0, FOCAL, HEIGHT / 2], [0, 0, 1]])
    raster = rasterize(body_model(pose, betas, transl).vertices, body_model.faces, intrinsics, (HEIGHT, WIDTH))
    noise = torch.from_numpy(np.append(1., rng.normal(1, .1, num) * rng.normal(1, .02, num))).float()
    depth = torch.where(raster.id_map > 0, raster.z_map * noise[raster.id_map.long()], 10.)
    sample = HumanDataSample()
    sample.pred_instances = People(
        global_orient=pose[:, 0], body_pose=pose[:, 1:], betas=betas, transl=transl,
        ages=torch.from_numpy(rng.choice([2., 6., 12., 30.], num)), male_probs=torch.from_numpy(rng.uniform(0, 1, num)),
        visible_vertices=visible_vertices(raster, body_model.faces, num, body_model.num_vertices))
    sample.pred_camera = Camera(intrinsics=intrinsics)
    sample.pred_maps = Maps(disparity=600 / depth, id_map=raster.id_map, z_map=raster.z_map)
    return sample


def time_stages(samples, body_model, batch_size):
    """Milliseconds an image of each stage; ``problem`` is heights, prior and padding."""
    batches = [samples[i:i + batch_size] for i in range(0, len(samples), batch_size)]
    extractor, solver = EvidenceExtractor(), PaperDTO()
    problems = [DTOProblem.from_samples(batch, body_model) for batch in batches]
    results = [solver.solve(problem) for problem in problems]

    def evidence():
        return [extractor([s.pred_maps for s in batch], [s.pred_instances.visible_vertices for s in batch])
                for batch in batches]

    found = evidence()
    stages = {
        'evidence': evidence,
        'problem': lambda: [DTOProblem.from_samples(batch, body_model, evidence=lambda *_, known=known: known)
                            for batch, known in zip(batches, found)],
        'solve': lambda: [solver.solve(problem) for problem in problems],
        'update': lambda: [result.apply(batch, body_model) for result, batch in zip(results, batches)]}
    return {name: 1e3 * seconds / len(samples) for name, seconds in shortest(stages).items()}


def shortest(cases):
    """Seconds of each case, the shortest of several runs: the longer ones measure what else the machine does."""
    return take_turns(cases, REPEATS, warm_up=False, of_rounds=min)


def stream(samples, body_model, batch_size, images):
    """Run ``images`` images through DTO.

    Returns:
        images a second of the fastest tenth and of the whole run, and the growth, MB, of peak memory after the first.
    """
    place, tenth, speeds, warm = DTOOptimizer(PaperDTO()), -(-images // 10), [], None
    for _ in range(10):
        start = time.perf_counter()
        for first in range(0, tenth, batch_size):
            batch = [samples[i % len(samples)] for i in range(first, min(first + batch_size, tenth))]
            place(batch, body_model)
        speeds.append(tenth / (time.perf_counter() - start))
        warm = warm or peak_memory()
    return max(speeds), 10 / sum(1 / speed for speed in speeds), peak_memory() - warm


def peak_memory():
    """Peak resident memory of this process so far, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == 'darwin' else 2**10)


def solver_speed(samples, body_model, rng):
    """People a second through the solver alone: the scenes' problem, repeated with other depths each time."""
    problem = DTOProblem.from_samples(samples, body_model)
    repeats = -(-SOLVER_PEOPLE // int(problem.mask.sum()))
    tensors = {name: value for name, value in vars(problem).items() if torch.is_tensor(value)}
    fields = {name: value.repeat_interleave(repeats, 0) for name, value in tensors.items()}
    for name in ('depth', 'down_depth', 'z', 'down_z'):
        fields[name] *= torch.from_numpy(rng.normal(1, .05, fields[name].shape))
    large = DTOProblem(**fields, drop_reasons=())
    return int(large.mask.sum()) / shortest({'solve': lambda: PaperDTO().solve(large)})['solve']


def time_rasteriser(size=(720, 1280)):
    """Milliseconds of drawing 10 bodies that overlap, in two rows, by each backend; they cover a quarter of it."""
    body_model, place = BODY_MODELS.build(dict(type='OpenBody')), torch.arange(10.)
    depth = 2.8 + 1.6 * (place % 2)
    transl = torch.stack([(place - 4.5) * .1 * depth, torch.full((10, ), .2), depth], -1)
    pose = torch.zeros(10, 24, 3)
    pose[:, 0, 0] = np.pi
    vertices = body_model(pose, torch.zeros(10, 11), transl).vertices
    intrinsics = intrinsics_from_fov(np.radians(50), size[1], size[0])
    seconds = shortest({backend: lambda backend=backend: rasterize(
        vertices, body_model.faces, intrinsics, size, backend) for backend in ('numba', 'torch')})
    return {backend: 1e3 * value for backend, value in seconds.items()}


class OnePerson:
    """The body model for one person at a time, in numpy."""

    def __init__(self, body_model):
        self.body_model = body_model

    def height(self, betas):
        return float(self.body_model.height(torch.from_numpy(betas)))

    def joints(self, pose, betas, transl):
        return self.body_model.skeleton(*map(torch.from_numpy, (pose, betas, transl))).numpy()


def reference(sample, body):
    """DTO of one image by the plain implementation; people's new translations (N, 3), nan where dropped."""
    people, maps = sample.pred_instances, {name: value.numpy() for name, value in sample.pred_maps.items()}
    apparent = 2 * FOCAL / min(HEIGHT, WIDTH)
    pose, betas, transl = people.pose.numpy(), people.betas.numpy(), people.transl.numpy()
    scene, kinds, rows = [], [], []
    for i in range(len(people)):
        found = person_evidence(maps['disparity'], maps['id_map'] == i + 1, maps['z_map'], people.visible_vertices[i])
        if found:
            height = body.height(betas[i])
            mean, std, kind = height_prior(height, float(people.ages[i]), float(people.male_probs[i]))
            scene.append(dict(found, height=height, mean=mean, std=std, apparent_size=apparent / transl[i, 2]))
            kinds.append(kind)
            rows.append(i)
    scale = solve_scene(scene)[0]
    moved = np.full_like(transl, np.nan)
    for person, i, kind, factor in zip(scene, rows, kinds, scale):
        moved[i] = transl[i] if factor == 1 else move_person(
            body, pose[i], betas[i], transl[i], person['height'], factor, kind)[1]
    return moved


def time_reference(samples, body_model):
    """Images a second of the plain implementation, and how far (m) its people are from ours."""
    body, samples = OnePerson(body_model), samples[:REFERENCE_IMAGES]
    start = time.perf_counter()
    moved = [reference(sample, body) for sample in samples]
    speed = len(samples) / (time.perf_counter() - start)
    ours = DTOOptimizer(PaperDTO())(samples, body_model)
    apart = [np.abs(want[placed.pred_instances.person_index] - placed.pred_instances.transl.numpy()).max(initial=0)
             for want, placed in zip(moved, ours)]
    return speed, float(max(apart))


def readable(value):
    if isinstance(value, dict):
        return ', '.join(f'{name} {readable(part)}' for name, part in value.items())
    if isinstance(value, float):
        return f'{value:,.3g}' if value < 1e3 else f'{value:,.0f}'
    return str(value)


@program
def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--json', type=output_file, help='write the results to this file')
    parser.add_argument('--images', type=int, default=1000, help='images to stream (default 1000)')
    parser.add_argument('--batch-size', type=int, default=4, help='images a batch (default 4)')
    args = parser.parse_args()
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    body_model = build_body_model()
    samples = [make_sample(body_model, 3 + i % 4, rng) for i in range(NUM_SCENES)]
    with torch.inference_mode():
        speed, mean_speed, growth = stream(samples, body_model, args.batch_size, args.images)
        stages = time_stages(samples, body_model, args.batch_size)
        people_speed = solver_speed(samples, body_model, rng)
        reference_speed, apart = time_reference(samples, body_model)
        rasteriser = time_rasteriser()
    results = {
        'images_per_second': mean_speed,
        'images_per_second_fastest_tenth': speed,
        'solver_people_per_second': people_speed,
        'stages_ms_per_image': stages,
        'rasterise_10_bodies_ms': rasteriser,
        'memory_growth_mb': growth,
        'reference_images_per_second': reference_speed,
        'speedup_over_reference': mean_speed / reference_speed,
        'largest_difference_from_reference_m': apart,
        'images': args.images,
        'batch_size': args.batch_size,
        'people_per_image': float(np.mean([len(s.pred_instances) for s in samples])),
        'person_pixels_per_image': float(np.mean([int((s.pred_maps.id_map > 0).sum()) for s in samples]))}
    report('DTO', ['', ''], [(name, readable(value)) for name, value in results.items()], results, args.json)


if __name__ == '__main__':
    main()

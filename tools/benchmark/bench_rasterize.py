"""How long the rasteriser takes to draw a crowd: backends and image sizes in one run.

    python tools/benchmark/bench_rasterize.py --json rasterize.json

writes {'milliseconds': {'720x1280': {'numba': ..., 'torch': ...}, ...}, 'ratio_torch_to_numba': {...}, 'meshes': ...,
'faces': ..., 'covered': ..., 'machine': ...}; medians over the rounds.
"""
import argparse
import math
from functools import partial
from importlib.util import find_spec

import torch
from _common import report, take_turns

from mmhuman_dto.geometry import intrinsics_from_fov, rasterize

SIZES = (720, 1280), (288, 512)
FIELD_OF_VIEW = math.radians(50)


def bumpy_body(rings=84, segments=84):
    """A closed bumpy ellipsoid, as tall as a person and of as large a silhouette (0.6 m^2): vertices m, faces."""
    polar = torch.linspace(0, math.pi, rings)[:, None]
    around = torch.arange(segments) * 2 * math.pi / segments
    radius = 1 + .15 * torch.sin(5 * polar) * torch.cos(4 * around)
    ring = polar.sin() * radius
    vertices = torch.stack([.22 * ring * around.cos(), -.88 * polar.cos() * radius, .16 * ring * around.sin()], -1)
    here, right = torch.arange(segments), (torch.arange(segments) + 1) % segments
    start = torch.arange(rings - 1)[:, None] * segments
    upper = torch.stack([start + here, start + right, start + segments + here], -1)
    lower = torch.stack([start + right, start + segments + right, start + segments + here], -1)
    return vertices.flatten(0, 1), torch.cat([upper.flatten(0, 1), lower.flatten(0, 1)])


def crowd(count):
    """``count`` bodies in two rows, 3.5 and 5.5 m away, that overlap: vertices (N, V, 3) m camera frame, and faces."""
    body, faces = bumpy_body()
    place = torch.arange(count)
    depth = 3.5 + 2. * (place % 2)
    across = (place + .5 - count / 2) * 4.6 / count * depth / 4.5
    return body + torch.stack([across, torch.full((count, ), .2), depth], -1)[:, None], faces


def draw(*args):
    """Rasterise and wait for it: reading a result back lets a GPU finish."""
    raster = rasterize(*args)
    raster.id_map[0, 0].item()
    return raster


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--meshes', type=int, default=10, help='bodies in the scene')
    parser.add_argument('--rounds', type=int, default=20, help='timed draws of each case')
    parser.add_argument('--device', default='cpu', help="'cuda' times the torch backend there")
    parser.add_argument('--json', help='file to write the figures to')
    args = parser.parse_args()

    torch.set_num_threads(1)
    vertices, faces = (tensor.to(args.device) for tensor in crowd(args.meshes))
    backends = ['numba', 'torch'] if args.device == 'cpu' and find_spec('numba') else ['torch']
    cases, covered = {}, {}
    for size in SIZES:
        intrinsics = intrinsics_from_fov(FIELD_OF_VIEW, size[1], size[0]).to(args.device)
        name = '{}x{}'.format(*size)
        for backend in backends:
            cases[name, backend] = partial(draw, vertices, faces, intrinsics, size, backend)
        covered[name] = float((draw(vertices, faces, intrinsics, size, 'auto').id_map > 0).float().mean())

    seconds = take_turns(cases, args.rounds)
    milliseconds = {name: {backend: seconds[name, backend] * 1e3 for backend in backends} for name in covered}
    ratios = {name: times['torch'] / times['numba'] for name, times in milliseconds.items() if 'numba' in times}
    rows = [[name, f'{covered[name]:.0%}', *(f'{times[backend]:.1f}' for backend in backends),
             f'{ratios[name]:.1f}' if name in ratios else '-'] for name, times in milliseconds.items()]
    report(f'{args.meshes} meshes of {len(faces)} faces on {args.device}, one thread',
           ['size', 'covered', *(f'{backend}, ms' for backend in backends), 'torch / numba'], rows,
           {'milliseconds': milliseconds, 'ratio_torch_to_numba': ratios, 'meshes': args.meshes, 'faces': len(faces),
            'covered': covered}, args.json)


if __name__ == '__main__':
    main()

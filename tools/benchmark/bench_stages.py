"""What each stage of a generation costs, and what that makes of many images: processor time, disk, GPUs.

    python tools/benchmark/bench_stages.py [--config CONFIG] [--data-root DIR] [--images 560000 100000000]

Processor time of one core, so that other programs on the machine do not count. The networks that make meshes, maps and
ages from photos are not run: what they take is what ``--network-ms`` says, an assumption.
"""
import argparse
import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault('OMP_NUM_THREADS', '1')

import cv2  # noqa: E402
import torch  # noqa: E402
from _common import report  # noqa: E402

from mmhuman_dto.fileio.config import read_config  # noqa: E402
from mmhuman_dto.generation import Generator  # noqa: E402
from mmhuman_dto.generation.pipeline import Clock  # noqa: E402
from mmhuman_dto.programs import output_file, program  # noqa: E402

CONFIG = Path(__file__).parents[2] / 'configs/dto/paper_synthetic-crowd.py'
#: The row of what is assumed, not measured.
NETWORKS = 'networks (GPU, ASSUMED)'


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--config', default=CONFIG)
    parser.add_argument('--data-root', help="folder of the config's data; default its own")
    parser.add_argument('--limit', type=int, help='only the first images')
    parser.add_argument('--rounds', type=int, default=3, help='how often all are generated (default %(default)s)')
    parser.add_argument('--images', type=int, nargs='+', default=[560_000, 100_000_000],
                        help='numbers of images to extrapolate to (default %(default)s)')
    parser.add_argument('--network-ms', type=float, default=150.,
                        help='GPU time an image of all perception networks, ms: assumed (default %(default)s)')
    parser.add_argument('--cores', type=int, default=64, help='cores of the cluster (default %(default)s)')
    parser.add_argument('--gpus', type=int, default=8, help='GPUs of the cluster (default %(default)s)')
    parser.add_argument('--json', type=output_file, help='write the figures to this file')
    return parser.parse_args()


def measure(config, rounds, limit=None):
    """Generate the (first ``limit``) images of a config ``rounds`` times, after once to warm up.

    Returns:
        dict: ms, {stage: processor time an image, the best round}; images, people (of one round), bytes_in (a file of
        each kind that an image has), bytes_out (of the results) of an image.
    """
    best, counts = {}, None
    for number in range(rounds + 1):
        with tempfile.TemporaryDirectory() as folder:
            generator = Generator(config, folder, limit)
            generator.pipeline.clock = Clock(time.process_time)
            counts = generator.run()
            images = len(generator.ids)
            written = sum(path.stat().st_size for path in Path(folder, 'people_table').iterdir())
        for stage, seconds in generator.pipeline.seconds.items() if number else ():
            best[stage] = min(best.get(stage, float('inf')), 1e3 * seconds / images)
    names = {Path(name).stem for name in generator.ids}
    read = sum(path.stat().st_size for path in Path(config['data_root']).rglob('*')
               if path.is_file() and path.stem in names)
    return dict(ms=best, images=images, people=counts['people'], bytes_in=read / images, bytes_out=written / images)


def cost_model(measured, images, network_ms, cores, gpus):
    """What ``images`` images take: core_hours, gpu_hours, days on the cluster's, terabytes read and written."""
    core_hours = images * sum(measured['ms'].values()) / 3.6e6
    gpu_hours = images * network_ms / 3.6e6
    return dict(core_hours=core_hours, gpu_hours=gpu_hours, core_days=core_hours / cores / 24,
                gpu_days=gpu_hours / gpus / 24, terabytes_in=images * measured['bytes_in'] / 1e12,
                terabytes_out=images * measured['bytes_out'] / 1e12)


def rows_of(measured, args):
    """Rows of the table: each stage, their sum, and the networks as assumed; hours at each number of images."""
    stages, total = measured['ms'], sum(measured['ms'].values())
    for name, ms in {**stages, 'together': total, NETWORKS: args.network_ms}.items():
        share = f'{100 * ms / total:.0f} %' if name != NETWORKS else ''
        yield [name, f'{ms:.2f}', share, *(f'{ms * images / 3.6e6:,.1f}' for images in args.images)]


@program
def main():
    args = parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    config = read_config(args.config).to_dict()
    config['data_root'] = args.data_root or config['data_root']
    config['contact_sheets'] = dict(every=0)
    measured = measure(config, args.rounds, args.limit)
    models = {images: cost_model(measured, images, args.network_ms, args.cores, args.gpus) for images in args.images}
    columns = ['stage', 'ms an image', 'share', *(f'hours for {images:,}' for images in args.images)]
    figures = dict(measured=measured, assumed_network_ms=args.network_ms, models=models)
    report(f'{measured["images"]} images of {measured["people"] / measured["images"]:.1f} people who are kept', columns,
           rows_of(measured, args), figures, args.json)
    for images, model in models.items():
        print(f'{images:,} images: {model["core_hours"]:,.0f} core hours ({model["core_days"]:.1f} days of '
              f'{args.cores} cores); {model["gpu_hours"]:,.0f} GPU hours if {args.network_ms:g} ms are right '
              f'({model["gpu_days"]:.1f} days of {args.gpus} GPUs); '
              f'{model["terabytes_in"]:.2f} TB read, {model["terabytes_out"]:.3f} TB written')


if __name__ == '__main__':
    main()

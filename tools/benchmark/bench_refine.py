"""Processor time an image of DTO in a training pipeline (the transform RefineTranslations), by images a batch.

The bundled crowd, 24 images of 7 people, with its evidence kept; one thread, the best of some rounds.
"""
import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / 'tests'))  # the table that tests of the transform take

import torch  # noqa: E402
from _common import markdown  # noqa: E402
from evidence_table import write_evidence_table  # noqa: E402

from mmhuman_dto.programs import program  # noqa: E402
from mmhuman_dto.registry import TRANSFORMS  # noqa: E402
from mmhuman_dto.structures import HumanDataSample  # noqa: E402
from mmhuman_dto.tables.people_table import PeopleTable  # noqa: E402

SOLVERS = {
    "the paper's": dict(type='PaperDTO'),
    'posterior': dict(type='PosteriorDTO', terms=dict(initial=None)),
    'posterior, rounds=8': dict(type='PosteriorDTO', rounds=8, terms=dict(initial=None)),
}


def training_sample(placed):
    sample = HumanDataSample(metainfo=dict(img_id=placed.img_id, ori_shape=placed.ori_shape))
    sample.gt_instances, sample.gt_camera = placed.pred_instances.clone(), placed.pred_camera.clone()
    return sample


def seconds_an_image(transform, placed, size, rounds):
    """Least processor time (s) an image over some rounds of batches of ``size`` images."""
    times = []
    for _ in range(rounds):
        batch = [training_sample(placed[i % len(placed)]) for i in range(size)]
        start = time.process_time()
        transform.many(batch)
        times.append((time.process_time() - start) / size)
    return min(times)


@program
def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--batches', type=int, nargs='+', default=[1, 4, 16, 32], help='images a batch')
    parser.add_argument('--rounds', type=int, default=20)
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        placed = list(PeopleTable(write_evidence_table(Path(folder), None)))
    rows = []
    for name, solver in SOLVERS.items():
        transform = TRANSFORMS.build(dict(
            type='RefineTranslations', body_model=dict(type='OpenBody'), solver=solver))
        rows.append([name, *(f'{1e3 * seconds_an_image(transform, placed, size, args.rounds):.2f}'
                             for size in args.batches)])
    print(markdown(['ms an image', *(f'{size} a batch' for size in args.batches)], rows))


if __name__ == '__main__':
    main()

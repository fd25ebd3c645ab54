#!/usr/bin/env python
"""Constants of PosteriorDTO for a network's own predictions: what its distances, sizes and focal lengths are worth.

    python tools/benchmark/fit_network_terms.py CONFIG WEIGHTS [--scenes 200] [--seed 3] [--threshold .35]

Runs the network on rendered crowds of the config's test set, but of another seed, and prints the constants with which
vit-tiny_synthetic-crowd_dto.py and vit-tiny_dto-refresh.py describe it, and the F1 of several thresholds.
"""
import argparse
import os

os.environ.setdefault('OMP_NUM_THREADS', '1')

import numpy as np  # noqa: E402
import torch  # noqa: E402
from mmengine.dataset import pseudo_collate  # noqa: E402
from scipy.stats import median_abs_deviation  # noqa: E402

from mmhuman_dto.apis import init_model  # noqa: E402
from mmhuman_dto.dto.terms import InitialTerm  # noqa: E402
from mmhuman_dto.fileio.config import read_config  # noqa: E402
from mmhuman_dto.geometry import focal_from_fov  # noqa: E402
from mmhuman_dto.programs import program  # noqa: E402
from mmhuman_dto.registry import DATASETS, METRICS  # noqa: E402

THRESHOLDS = np.arange(.25, .56, .025)


def parse_args(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config')
    parser.add_argument('weights')
    parser.add_argument('--scenes', type=int, default=200)
    parser.add_argument('--seed', type=int, default=3, help='of the scenes; the test set has another one')
    parser.add_argument('--threshold', type=float, help="confidence of the people that count; default: the network's")
    return parser.parse_args(argv)


@torch.inference_mode()
def predict(model, dataset, batch_size=8):
    """Yield the samples of a data set as dicts, with predictions above the least threshold."""
    model.threshold = float(THRESHOLDS[0])
    for start in range(0, len(dataset), batch_size):
        items = [dataset[i] for i in range(start, min(start + batch_size, len(dataset)))]
        for sample in model(**model.data_preprocessor(pseudo_collate(items), False), mode='predict'):
            yield sample.to_dict()


def figures(cfg, samples, threshold):
    """CrowdMetric's records of predictions, and its F1."""
    metric = METRICS.build({**cfg.test_evaluator, 'threshold': threshold})
    metric.process(None, samples)
    return metric.results, metric.compute_metrics(metric.results)['f1']


def constants(records):
    """Yield (name, value): stds of logarithms, robust ones where a few people are far off."""
    log_focal = np.array([np.log(focal_from_fov(r['fov_true'], 1) / focal_from_fov(r['fov_pred'], 1)) for r in records])
    log_scale = [np.log(r['joints_true'][:, 0, 2] / r['joints_pred'][:, 0, 2]) - focal
                 for r, focal in zip(records, log_focal)]
    shown, true = (np.log(np.concatenate([r[f'heights_{kind}'] for r in records]) / InitialTerm().typical)
                   for kind in ('pred', 'true'))
    within = np.concatenate([(scale - scale.mean()) * np.sqrt(len(scale) / (len(scale) - 1))
                             for scale in log_scale if len(scale) > 1])
    std = median_abs_deviation(within, scale='normal')
    means, counts = np.array([(scale.mean(), len(scale)) for scale in log_scale if len(scale)]).T
    share = (shown @ true) / (true @ true)
    yield 'focal_std', log_focal.std()
    yield 'size_std', median_abs_deviation(true - shown - np.concatenate(log_scale), scale='normal')
    yield 'TranslationTerm.std', std
    yield 'TranslationTerm.bias_std', np.sqrt(max(means.var() - (std**2 / counts).mean(), 0))
    yield 'InitialTerm.share', share
    yield 'InitialTerm.std', np.std(shown - share * true)


@program
def main(argv=None):
    args = parse_args(argv)
    torch.set_num_threads(1)
    cfg = read_config(args.config)
    model = init_model(args.config, args.weights, 'cpu')
    threshold = model.threshold if args.threshold is None else args.threshold
    samples = list(predict(model, DATASETS.build(
        {**cfg.test_dataloader.dataset, 'seed': args.seed, 'num_scenes': args.scenes})))
    for value in THRESHOLDS:
        print(f'F1 above {value:.3f}: {figures(cfg, samples, value)[1]:.1f} %')
    for name, value in constants(figures(cfg, samples, threshold)[0]):
        print(f'{name:25s}{value:7.3f}')


if __name__ == '__main__':
    main()

# A network of stage 3 on CMU Panoptic. Where nobody is surely found the protocol takes doubtful people too.
_base_ = [
    '../../_base_/models/metric_hmr.py', '../../_base_/datasets/panoptic.py', '../../_base_/default_runtime.py',
]

model = dict(threshold=0.)

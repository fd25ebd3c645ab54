# A network of stage 3 on COCO's 17 joints. AP ranks people: doubtful ones belong to it.
_base_ = [
    '../../_base_/models/metric_hmr.py', '../../_base_/datasets/coco.py', '../../_base_/default_runtime.py',
]

model = dict(threshold=.05)

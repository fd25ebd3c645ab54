# A network of stage 3 on BEDLAM.
_base_ = [
    '../../_base_/models/metric_hmr.py', '../../_base_/datasets/bedlam.py', '../../_base_/default_runtime.py',
]

# A network of stage 3 on MuPoTS-3D.
_base_ = [
    '../../_base_/models/metric_hmr.py', '../../_base_/datasets/mupots.py', '../../_base_/default_runtime.py',
]

# Metric-Aware HMR small enough for a CPU, from random weights, with the open body: needs no files.
_base_ = ['metric_hmr.py']

model = dict(
    threshold=.35,  # best for F1 on training scenes
    data_preprocessor=dict(input_size=224),
    backbone=dict(arch='nano', input_size=224, num_additional_blocks=2, patch_embed='conv', layer_scale=1.),
    decoder=dict(in_dims=128, num_queries=12, num_layers=3, dims=128, num_heads=4, ffn_dims=256),
    head=dict(dims=128, num_layers=3, mean_params=None),
    camera_head=dict(in_dims=128),
    body_model=dict(_delete_=True, type='OpenBody'),
    # The published weights suit an encoder that is trained already. From scratch the decoder's losses have to reach it:
    # more for poses and confidence, less for the scale map and the field of view.
    criterion=dict(
        losses=[
            dict(type='ConfidenceLoss', weight=10.),
            dict(type='BoxLoss', weight=2.),
            dict(type='GIoULoss', weight=2.),
            dict(type='PoseLoss', weight=25.),
            dict(type='ShapeLoss', weight=3.),
            dict(type='Joints3DLoss', weight=8.),
            dict(type='Joints2DLoss', weight=10.),
            dict(type='ScaleMapConfidenceLoss', weight=1.),
            dict(type='ScaleMapLoss', weight=1.),
            dict(type='InverseDepthLoss', weight=2.),
            dict(type='RelativeMetricLoss', weight=2.),
            dict(type='FoVLoss', weight=.5),
        ]))

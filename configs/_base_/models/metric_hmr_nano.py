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
        losses=dict(
            confs=dict(weight=10.),
            poses=dict(weight=25.),
            j2ds=dict(weight=10.),
            map_confs=dict(weight=1.),
            map_scales=dict(weight=1.),
            depths=dict(weight=2.),
            depths_mt=dict(weight=2.),
        )))

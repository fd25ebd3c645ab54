# Metric-Aware HMR with a ViT-B/14 encoder at 1288 px, as published (arXiv 2511.13282). SMPL with a child coefficient.
model = dict(
    type='MetricHMR',
    data_preprocessor=dict(type='HMRDataPreprocessor', input_size=1288),
    backbone=dict(type='ScaleAdaptiveViT', arch='base', input_size=1288, num_additional_blocks=3),
    decoder=dict(
        type='BoxQueryDecoder', in_dims=768, num_queries=50, num_layers=6, dims=768, num_heads=4, ffn_dims=2048),
    head=dict(type='PeopleHead', dims=768, num_layers=6, num_betas=11, mean_params='data/smpl/smpl_mean_params.npz'),
    camera_head=dict(type='FoVHead', in_dims=768),
    body_model=dict(type='SMPL+A', model_path='data/smpl', gender='neutral'),
    threshold=.3,
    targets=dict(type='TargetEncoder'),
    criterion=dict(
        type='SetCriterion',
        assigner=dict(
            type='HungarianAssigner',
            costs=dict(
                confs=dict(type='ConfidenceCost', weight=1.),
                boxes=dict(type='BoxL1Cost', weight=1.),
                giou=dict(type='GIoUCost', weight=1.),
                j2ds=dict(type='KeypointCost', weight=20.),
            )),
        losses=dict(
            confs=dict(type='ConfidenceLoss', weight=4.),
            boxes=dict(type='BoxLoss', weight=2.),
            giou=dict(type='GIoULoss', weight=2.),
            poses=dict(type='PoseLoss', weight=5.),
            betas=dict(type='ShapeLoss', weight=3.),
            j3ds=dict(type='Joints3DLoss', weight=8.),
            j2ds=dict(type='Joints2DLoss', weight=40.),
            map_confs=dict(type='ScaleMapConfidenceLoss', weight=4.),
            map_scales=dict(type='ScaleMapLoss', weight=4.),
            depths=dict(type='InverseDepthLoss', weight=.5),
            depths_mt=dict(type='RelativeMetricLoss', weight=.5),
            fov=dict(type='FoVLoss', weight=.5),
        )))

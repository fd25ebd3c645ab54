# AGORA, BEDLAM, and DTO-Humans in 3D, on SMPL+A with the child coefficient.
# Tables: see docs/metric_hmr.md, "Files".
train_dataloader = dict(
    batch_size=8, num_workers=8, persistent_workers=True,
    sampler=dict(type='EndlessSampler', shuffle=False),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        type='WeightedMixture', weights=[.2, .3, .5],
        datasets=[
            dict(type='HumanTable', data_root='data/agora', table='data/agora/tables/train', num_betas=11),
            dict(type='HumanTable', data_root='data/bedlam', table='data/bedlam/tables/train', num_betas=11),
            dict(type='HumanTable', data_root='data/4dhumans/images', table='data/dto-humans/tables/train',
                 name='dto-humans', num_betas=11, detect_all=False),
        ],
        pipeline=[
            dict(type='LoadImage'),
            dict(type='JointsFromMeshes', body_model=dict(type='SMPL+A', model_path='data/smpl')),
            dict(type='RandomView', input_size=1288),
            dict(type='KeepVisiblePeople', min_joints=4),
            dict(type='OccludeWithNoise', prob=.6, max_area=.3),
            dict(type='ColorJitter', strength=.2),
            dict(type='PackHumanInputs'),
        ]))
val_dataloader = dict(
    batch_size=4, num_workers=4, persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        type='HumanTable', data_root='data/agora', table='data/agora/tables/validation', num_betas=11,
        pipeline=[
            dict(type='LoadImage'),
            dict(type='JointsFromMeshes', body_model=dict(type='SMPL+A', model_path='data/smpl')),
            dict(type='Resize', input_size=1288),
            dict(type='PackHumanInputs'),
        ]))
val_evaluator = dict(type='CrowdMetric', body_model=dict(type='SMPL+A', model_path='data/smpl'))
val_cfg = dict()
test_dataloader = dict(
    batch_size=4, num_workers=4, persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        type='HumanTable', data_root='data/agora', table='data/agora/tables/validation', num_betas=11,
        pipeline=[
            dict(type='LoadImage'),
            dict(type='JointsFromMeshes', body_model=dict(type='SMPL+A', model_path='data/smpl')),
            dict(type='Resize', input_size=1288),
            dict(type='PackHumanInputs'),
        ]))
test_evaluator = dict(type='CrowdMetric', body_model=dict(type='SMPL+A', model_path='data/smpl'))
test_cfg = dict()

# AGORA, BEDLAM, and DTO-Humans in 3D, on SMPL+A with the child coefficient.
# Tables: tools/dataset_converters/public2table.py, see docs/datasets.md.
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
    # One image a batch: figures are then the same to the last digit on any number of processes.
    batch_size=1, num_workers=4, persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        type='HumanTable', data_root='data/agora', table='data/agora/tables/validation', num_betas=11,
        pipeline=[
            dict(type='LoadImage'),
            dict(type='Resize', input_size=1288),
            dict(type='PackHumanInputs'),
        ]))
val_evaluator = dict(
    type='AGORAMetric', body_model=dict(type='SMPL+A', model_path='data/smpl'),
    body_vertices='data/smpl/body_verts_smpl.npy')
val_cfg = dict()
test_dataloader = dict(
    # One image a batch: figures are then the same to the last digit on any number of processes.
    batch_size=1, num_workers=4, persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        type='HumanTable', data_root='data/agora', table='data/agora/tables/validation', num_betas=11,
        pipeline=[
            dict(type='LoadImage'),
            dict(type='Resize', input_size=1288),
            dict(type='PackHumanInputs'),
        ]))
test_evaluator = [
    dict(type='AGORAMetric', body_model=dict(type='SMPL+A', model_path='data/smpl'),
         body_vertices='data/smpl/body_verts_smpl.npy'),
    dict(type='AGORAMetric', body_model=dict(type='SMPL+A', model_path='data/smpl'),
         body_vertices='data/smpl/body_verts_smpl.npy', parity=True, long_side=1288, prefix='agora_public'),
    dict(type='CameraSpaceMetric', body_model=dict(type='SMPL+A', model_path='data/smpl')),
]
test_cfg = dict()

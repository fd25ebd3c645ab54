# 3DPW, where not everyone is annotated. The public files have no validation split: validation is on the test split.
# Tables: tools/dataset_converters/public2table.py, see docs/datasets.md.
train_dataloader = dict(
    batch_size=8, num_workers=8, persistent_workers=True,
    sampler=dict(type='EndlessSampler', shuffle=False),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        type='WeightedMixture', weights=[1.],
        datasets=[
            dict(type='HumanTable', data_root='data/3dpw', table='data/3dpw/tables/train',
                 num_betas=11, detect_all=False),
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
        type='HumanTable', data_root='data/3dpw', table='data/3dpw/tables/test', num_betas=11, detect_all=False,
        pipeline=[
            dict(type='LoadImage'),
            dict(type='Resize', input_size=1288),
            dict(type='PackHumanInputs'),
        ]))
val_evaluator = dict(
    type='DPWMetric', prefix='3dpw', body_model=dict(type='SMPL+A', model_path='data/smpl'),
    gendered=dict(male=dict(type='SMPL+A', model_path='data/smpl', gender='male'),
                  female=dict(type='SMPL+A', model_path='data/smpl', gender='female')))
val_cfg = dict()
test_dataloader = dict(
    # One image a batch: figures are then the same to the last digit on any number of processes.
    batch_size=1, num_workers=4, persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        type='HumanTable', data_root='data/3dpw', table='data/3dpw/tables/test', num_betas=11, detect_all=False,
        pipeline=[
            dict(type='LoadImage'),
            dict(type='Resize', input_size=1288),
            dict(type='PackHumanInputs'),
        ]))
test_evaluator = [
    dict(type='DPWMetric', prefix='3dpw', body_model=dict(type='SMPL+A', model_path='data/smpl'),
         gendered=dict(male=dict(type='SMPL+A', model_path='data/smpl', gender='male'),
                       female=dict(type='SMPL+A', model_path='data/smpl', gender='female'))),
    dict(type='DPWMetric', prefix='3dpw_public', body_model=dict(type='SMPL+A', model_path='data/smpl'),
         gendered=dict(male=dict(type='SMPL+A', model_path='data/smpl', gender='male'),
                       female=dict(type='SMPL+A', model_path='data/smpl', gender='female')),
         parity=True, long_side=1288),
]
test_cfg = dict()

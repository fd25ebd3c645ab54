# Hi4D: two people in close contact.
# Tables: tools/dataset_converters/public2table.py, see docs/datasets.md.
train_dataloader = dict(
    batch_size=8, num_workers=8, persistent_workers=True,
    sampler=dict(type='EndlessSampler', shuffle=False),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        type='WeightedMixture', weights=[1.],
        datasets=[
            dict(type='HumanTable', data_root='data/hi4d', table='data/hi4d/tables/train', num_betas=11),
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
        type='HumanTable', data_root='data/hi4d', table='data/hi4d/tables/val', num_betas=11,
        pipeline=[
            dict(type='LoadImage'),
            dict(type='Resize', input_size=1288),
            dict(type='PackHumanInputs'),
        ]))
val_evaluator = dict(
    type='DPWMetric', prefix='hi4d', body_model=dict(type='SMPL+A', model_path='data/smpl'),
    gendered=dict(male=dict(type='SMPL+A', model_path='data/smpl', gender='male'),
                  female=dict(type='SMPL+A', model_path='data/smpl', gender='female')))
val_cfg = dict()
test_dataloader = dict(
    # One image a batch: figures are then the same to the last digit on any number of processes.
    batch_size=1, num_workers=4, persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        type='HumanTable', data_root='data/hi4d', table='data/hi4d/tables/test', num_betas=11,
        pipeline=[
            dict(type='LoadImage'),
            dict(type='Resize', input_size=1288),
            dict(type='PackHumanInputs'),
        ]))
test_evaluator = [
    dict(type='DPWMetric', prefix='hi4d', body_model=dict(type='SMPL+A', model_path='data/smpl'),
         gendered=dict(male=dict(type='SMPL+A', model_path='data/smpl', gender='male'),
                       female=dict(type='SMPL+A', model_path='data/smpl', gender='female'))),
    dict(type='DPWMetric', prefix='hi4d_public', body_model=dict(type='SMPL+A', model_path='data/smpl'),
         gendered=dict(male=dict(type='SMPL+A', model_path='data/smpl', gender='male'),
                       female=dict(type='SMPL+A', model_path='data/smpl', gender='female')),
         parity=True, long_side=1288),
]
test_cfg = dict()

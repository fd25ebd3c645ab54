# Relative Human: 14 CrowdPose joints, boxes, depth layers; no meshes, no cameras.
# Tables: tools/dataset_converters/public2table.py, see docs/datasets.md.
train_dataloader = dict(
    batch_size=8, num_workers=8, persistent_workers=True,
    sampler=dict(type='EndlessSampler', shuffle=False),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        type='WeightedMixture', weights=[1.],
        datasets=[
            dict(type='HumanTable', data_root='data/relative-human', table='data/relative-human/tables/train',
                 joint_set='crowdpose14', detect_all=False),
        ],
        pipeline=[
            dict(type='LoadImage'),
            dict(type='RandomView', input_size=1288, crop=.2),
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
        type='HumanTable', data_root='data/relative-human', table='data/relative-human/tables/val',
        joint_set='crowdpose14', detect_all=False,
        pipeline=[
            dict(type='LoadImage'),
            dict(type='Resize', input_size=1288),
            dict(type='PackHumanInputs'),
        ]))
val_evaluator = dict(type='RelativeHumanMetric')
val_cfg = dict()
test_dataloader = dict(
    # One image a batch: figures are then the same to the last digit on any number of processes.
    batch_size=1, num_workers=4, persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        type='HumanTable', data_root='data/relative-human', table='data/relative-human/tables/test',
        joint_set='crowdpose14', detect_all=False,
        pipeline=[
            dict(type='LoadImage'),
            dict(type='Resize', input_size=1288),
            dict(type='PackHumanInputs'),
        ]))
test_evaluator = [
    dict(type='RelativeHumanMetric'),
    dict(type='RelativeHumanMetric', parity=True, prefix='relative_human_public'),
]
test_cfg = dict()

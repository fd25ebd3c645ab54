# Relative Human: 14 CrowdPose joints, boxes, depth layers; no meshes, no cameras.
# Tables: see docs/metric_hmr.md, "Files".
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

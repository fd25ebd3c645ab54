# People tables with meshes to be trained on, and one each to be validated and tested on. A data set adds which.
_base_ = ['./test.py']

train_dataloader = dict(
    batch_size=8, num_workers=8, persistent_workers=True,
    sampler=dict(type='EndlessSampler', shuffle=False),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        type='WeightedMixture', weights=[1.],
        pipeline=[
            dict(type='LoadImage'),
            dict(type='JointsFromMeshes', body_model=dict(type='SMPL+A', model_path='data/smpl')),
            dict(type='RandomView', input_size=1288),
            dict(type='KeepVisiblePeople', min_joints=4),
            dict(type='OccludeWithNoise', prob=.6, max_area=.3),
            dict(type='ColorJitter', strength=.2),
            dict(type='PackHumanInputs'),
        ]))
val_dataloader = {{_base_.test_dataloader}}
val_cfg = dict()

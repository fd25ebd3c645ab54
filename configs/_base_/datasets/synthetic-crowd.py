# Rendered crowds of the open body, drawn once and kept in work_dirs/crowd_cache.
crowd = dict(
    type='SyntheticCrowd', cache_dir='work_dirs/crowd_cache',
    scenes=dict(size=(168, 224), people=(1, 4), fov=(25., 90.), far_share=.03, first_row=(.7, 1.),
                depth_range=(1.2, 1.8)))
train_dataloader = dict(
    batch_size=16, num_workers=1, persistent_workers=True,
    sampler=dict(type='EndlessSampler', shuffle=False),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        type='WeightedMixture', weights=[1.],
        datasets=[dict(crowd, seed=1, num_scenes=20_000)],
        pipeline=[
            dict(type='RandomView', input_size=224, rotation=0., scale=(1., 1.), below_spine=0.),
            dict(type='ColorJitter', strength=.2),
            dict(type='PackHumanInputs'),
        ]))
val_dataloader = dict(
    batch_size=8, num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(crowd, seed=2, num_scenes=200, pipeline=[dict(type='PackHumanInputs')]))
test_dataloader = val_dataloader
del crowd  # not a key of its own: to change it would change neither loader

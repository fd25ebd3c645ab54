# A people table to be tested on. A data set adds to `dataset` where it is.
test_dataloader = dict(
    # One image a batch: figures are then the same to the last digit on any number of processes.
    batch_size=1, num_workers=4, persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        type='HumanTable',
        pipeline=[
            dict(type='LoadImage', blank=True),
            dict(type='Resize', input_size=1288),
            dict(type='PackHumanInputs'),
        ]))
test_cfg = dict()

# CMU Panoptic: joints of people in four kinds of social games; for evaluation.
# Tables: tools/dataset_converters/public2table.py, see docs/datasets.md.
test_dataloader = dict(
    # One image a batch: figures are then the same to the last digit on any number of processes.
    batch_size=1, num_workers=4, persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        type='HumanTable', data_root='data/panoptic', table='data/panoptic/tables/test',
        pipeline=[
            dict(type='LoadImage'),
            dict(type='Resize', input_size=1288),
            dict(type='PackHumanInputs'),
        ]))
test_evaluator = [
    dict(type='PanopticMetric', body_model=dict(type='SMPL+A', model_path='data/smpl')),
    dict(type='PanopticMetric', prefix='panoptic_public', body_model=dict(type='SMPL+A', model_path='data/smpl'),
         parity=True),
]
test_cfg = dict()

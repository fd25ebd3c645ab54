# COCO's keypoints, validation: boxes and 17 joints of people in the wild; for the AP of 2D joints.
# Table: tools/dataset_converters/public2table.py coco val, see docs/datasets.md.
test_dataloader = dict(
    # One image a batch: figures are then the same to the last digit on any number of processes.
    batch_size=1, num_workers=4, persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        type='HumanTable', data_root='data/coco/val2017', table='data/coco/tables/val',
        pipeline=[
            dict(type='LoadImage'),
            dict(type='Resize', input_size=1288),
            dict(type='PackHumanInputs'),
        ]))
test_evaluator = [
    dict(type='KeypointAPMetric', joint_set='coco17', body_model=dict(type='SMPL+A', model_path='data/smpl')),
]
test_cfg = dict()

# COCO's keypoints, validation: boxes and 17 joints of people in the wild; for the AP of 2D joints.
# Table: tools/dataset_converters/public2table.py coco val, see docs/datasets.md.
_base_ = ['../loaders/test.py']

test_dataloader = dict(dataset=dict(table='data/coco/tables/val'))
test_evaluator = [
    dict(type='KeypointAPMetric', joint_set='coco17', body_model=dict(type='SMPL+A', model_path='data/smpl')),
]

# CMU Panoptic: joints of people in four kinds of social games; for evaluation.
# Tables: tools/dataset_converters/public2table.py, see docs/datasets.md.
_base_ = ['../loaders/test.py']

test_dataloader = dict(dataset=dict(table='data/panoptic/tables/test'))
test_evaluator = [
    dict(type='PanopticMetric', body_model=dict(type='SMPL+A', model_path='data/smpl')),
    dict(type='PanopticMetric', prefix='panoptic_public', body_model=dict(type='SMPL+A', model_path='data/smpl'),
         parity=True),
]

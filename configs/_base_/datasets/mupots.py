# MuPoTS-3D: joints of people in- and outdoors; for evaluation.
# Tables: tools/dataset_converters/public2table.py, see docs/datasets.md.
_base_ = ['../loaders/test.py']

test_dataloader = dict(dataset=dict(table='data/mupots/tables/test'))
test_evaluator = [
    dict(type='MuPoTSMetric', body_model=dict(type='SMPL+A', model_path='data/smpl')),
    dict(type='MuPoTSMetric', prefix='mupots_public', body_model=dict(type='SMPL+A', model_path='data/smpl'),
         parity=True, long_side=1288),
]

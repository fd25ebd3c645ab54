# 3DPW, where not everyone is annotated. The public files have no validation split: validation is on the test split.
# Tables: tools/dataset_converters/public2table.py, see docs/datasets.md.
_base_ = ['../loaders/train.py']

train_dataloader = dict(dataset=dict(datasets=[
    dict(type='HumanTable', table='data/3dpw/tables/train', num_betas=11, fully_annotated=False),
]))
val_dataloader = dict(dataset=dict(
    table='data/3dpw/tables/test', num_betas=11, fully_annotated=False))
test_dataloader = val_dataloader
val_evaluator = dict(
    type='DPWMetric', prefix='3dpw', body_model=dict(type='SMPL+A', model_path='data/smpl'),
    gendered=dict(male=dict(type='SMPL+A', model_path='data/smpl', gender='male'),
                  female=dict(type='SMPL+A', model_path='data/smpl', gender='female')))
test_evaluator = [val_evaluator, dict(val_evaluator, prefix='3dpw_public', parity=True, long_side=1288)]

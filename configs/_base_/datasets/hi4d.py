# Hi4D: two people in close contact.
# Tables: tools/dataset_converters/public2table.py, see docs/datasets.md.
_base_ = ['../loaders/train.py']

train_dataloader = dict(dataset=dict(datasets=[
    dict(type='HumanTable', table='data/hi4d/tables/train', num_betas=11),
]))
val_dataloader = dict(dataset=dict(table='data/hi4d/tables/val', num_betas=11))
test_dataloader = dict(dataset=dict(table='data/hi4d/tables/test', num_betas=11))
val_evaluator = dict(
    type='DPWMetric', prefix='hi4d', body_model=dict(type='SMPL+A', model_path='data/smpl'),
    gendered=dict(male=dict(type='SMPL+A', model_path='data/smpl', gender='male'),
                  female=dict(type='SMPL+A', model_path='data/smpl', gender='female')))
test_evaluator = [val_evaluator, dict(val_evaluator, prefix='hi4d_public', parity=True, long_side=1288)]

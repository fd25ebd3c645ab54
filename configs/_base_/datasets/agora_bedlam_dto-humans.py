# AGORA, BEDLAM, and DTO-Humans in 3D, on SMPL+A with the child coefficient.
# Tables: tools/dataset_converters/public2table.py, see docs/datasets.md.
_base_ = ['../loaders/train.py']

train_dataloader = dict(dataset=dict(weights=[.2, .3, .5], datasets=[
    dict(type='HumanTable', table='data/agora/tables/train', num_betas=11),
    dict(type='HumanTable', table='data/bedlam/tables/train', num_betas=11),
    dict(type='HumanTable', table='data/dto-humans/tables/train',
         name='dto-humans', num_betas=11, fully_annotated=False),
]))
val_dataloader = dict(dataset=dict(table='data/agora/tables/validation', num_betas=11))
test_dataloader = val_dataloader
val_evaluator = dict(
    type='AGORAMetric', body_model=dict(type='SMPL+A', model_path='data/smpl'),
    body_vertices='data/smpl/body_verts_smpl.npy')
test_evaluator = [
    val_evaluator,
    dict(val_evaluator, parity=True, long_side=1288, prefix='agora_public'),
    dict(type='CameraSpaceMetric', body_model=dict(type='SMPL+A', model_path='data/smpl')),
]

# AGORA, BEDLAM, and 4D-Humans as 2D supervision, on SMPL with 10 shape coefficients.
# Tables: tools/dataset_converters/public2table.py, see docs/datasets.md.
_base_ = ['../loaders/train.py']

train_dataloader = dict(dataset=dict(
    weights=[.2, .4, .4],
    pipeline=[
        dict(type='LoadImage'),
        dict(type='JointsFromMeshes', body_model=dict(type='SMPL', model_path='data/smpl')),
        dict(type='RandomView', input_size=1288),
        dict(type='KeepVisiblePeople', min_joints=4),
        dict(type='OccludeWithNoise', prob=.6, max_area=.3),
        dict(type='ColorJitter', strength=.2),
        dict(type='PackHumanInputs'),
    ],
    datasets=[
        dict(type='HumanTable', table='data/agora/tables/train', num_betas=10),
        dict(type='HumanTable', table='data/bedlam/tables/train', num_betas=10),
        dict(type='HumanTable', table='data/4dhumans/tables/train',
             name='4dhumans-2d', num_betas=10, has_3d=False, fully_annotated=False),
    ]))
val_dataloader = dict(dataset=dict(table='data/agora/tables/validation', num_betas=10))
test_dataloader = val_dataloader
val_evaluator = dict(
    type='AGORAMetric', body_model=dict(type='SMPL', model_path='data/smpl'),
    body_vertices='data/smpl/body_verts_smpl.npy')
test_evaluator = [
    val_evaluator,
    dict(val_evaluator, parity=True, long_side=1288, prefix='agora_public'),
    dict(type='CameraSpaceMetric', body_model=dict(type='SMPL', model_path='data/smpl')),
]

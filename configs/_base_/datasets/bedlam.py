# BEDLAM: synthetic crowds of adults; for evaluation.
# Tables: tools/dataset_converters/public2table.py, see docs/datasets.md.
_base_ = ['../loaders/test.py']

test_dataloader = dict(dataset=dict(table='data/bedlam/tables/validation', num_betas=11))
test_evaluator = [
    dict(type='AGORAMetric', prefix='bedlam', body_model=dict(type='SMPL+A', model_path='data/smpl'),
         body_vertices='data/smpl/body_verts_smpl.npy'),
    dict(type='AGORAMetric', prefix='bedlam_public', body_model=dict(type='SMPL+A', model_path='data/smpl'),
         body_vertices='data/smpl/body_verts_smpl.npy', parity=True, long_side=1288),
    dict(type='CameraSpaceMetric', body_model=dict(type='SMPL+A', model_path='data/smpl')),
]

# BEDLAM: synthetic crowds of adults; for evaluation.
# Tables: tools/dataset_converters/public2table.py, see docs/datasets.md.
test_dataloader = dict(
    # One image a batch: figures are then the same to the last digit on any number of processes.
    batch_size=1, num_workers=4, persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        type='HumanTable', data_root='data/bedlam', table='data/bedlam/tables/validation', num_betas=11,
        pipeline=[
            dict(type='LoadImage'),
            dict(type='Resize', input_size=1288),
            dict(type='PackHumanInputs'),
        ]))
test_evaluator = [
    dict(type='AGORAMetric', prefix='bedlam', body_model=dict(type='SMPL+A', model_path='data/smpl'),
         body_vertices='data/smpl/body_verts_smpl.npy'),
    dict(type='AGORAMetric', prefix='bedlam_public', body_model=dict(type='SMPL+A', model_path='data/smpl'),
         body_vertices='data/smpl/body_verts_smpl.npy', parity=True, long_side=1288),
    dict(type='CameraSpaceMetric', body_model=dict(type='SMPL+A', model_path='data/smpl')),
]
test_cfg = dict()

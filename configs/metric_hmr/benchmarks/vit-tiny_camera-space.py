# The small network in camera space, against the exact truth of rendered crowds: needs no files.
_base_ = ['../vit-tiny_synthetic-crowd.py']

body_model = dict(type='OpenBody')
test_dataloader = dict(batch_size=1)
test_evaluator = [
    dict(type='CrowdMetric', body_model=body_model),
    dict(type='CameraSpaceMetric', body_model=body_model),
    dict(type='KeypointAPMetric', body_model=body_model),
]

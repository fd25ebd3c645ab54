# COCO's 17 joints of the people of AGORA, all of whom are annotated. AP ranks people: doubtful ones belong to it.
_base_ = ['../vit-b_dto-humans.py']

model = dict(threshold=.05)
test_dataloader = dict(dataset=dict(pipeline=[
    dict(type='LoadImage', blank=True),
    dict(type='JointsFromMeshes', body_model=dict(type='SMPL+A', model_path='data/smpl')),
    dict(type='Resize', input_size=1288),
    dict(type='PackHumanInputs'),
]))
test_evaluator = [
    dict(type='KeypointAPMetric', joint_set='coco17', body_model=dict(type='SMPL+A', model_path='data/smpl')),
]

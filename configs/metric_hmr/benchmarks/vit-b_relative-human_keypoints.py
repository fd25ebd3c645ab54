# CrowdPose's 14 joints of the people of Relative Human. AP ranks people: doubtful ones belong to it.
_base_ = ['../vit-b_relative-human.py']

model = dict(threshold=.05)
test_evaluator = [
    dict(type='KeypointAPMetric', joint_set='crowdpose14', body_model=dict(type='SMPL+A', model_path='data/smpl')),
]

# Relative Human: 14 CrowdPose joints, boxes, depth layers; no meshes, no cameras.
# Tables: tools/dataset_converters/public2table.py, see docs/datasets.md.
_base_ = ['../loaders/train.py']

train_dataloader = dict(dataset=dict(
    datasets=[
        dict(type='HumanTable', table='data/relative-human/tables/train',
             joint_set='crowdpose14', fully_annotated=False),
    ],
    pipeline=[
        dict(type='LoadImage'),
        dict(type='RandomView', input_size=1288, crop=.2),
        dict(type='KeepVisiblePeople', min_joints=4),
        dict(type='OccludeWithNoise', prob=.6, max_area=.3),
        dict(type='ColorJitter', strength=.2),
        dict(type='PackHumanInputs'),
    ]))
val_dataloader = dict(dataset=dict(
    table='data/relative-human/tables/val',
    joint_set='crowdpose14', fully_annotated=False))
test_dataloader = dict(dataset=dict(
    table='data/relative-human/tables/test',
    joint_set='crowdpose14', fully_annotated=False))
val_evaluator = dict(type='RelativeHumanMetric')
test_evaluator = [val_evaluator, dict(val_evaluator, parity=True, prefix='relative_human_public')]

# From photos to placed people: everything DTO starts from is made by networks, then DTO as in the paper. A recipe adds
# `source` and the sources of the stages that have none here. docs/perception.md lists them.
_base_ = ['./paper.py']

stages = dict(
    image=dict(before='people'),
    focal=dict(before='people', type='AddFocal', source=dict(type='ExifFocal')),
    detect=dict(before='people', type='AddDetections'),
    pose=dict(before='people', type='AddKeypoints'),
    meshes=dict(before='people', type='AddMeshes'),
    match=dict(before='depth', type='MatchDetections'),
    masks=None)  # from the detections
batch_size = 8

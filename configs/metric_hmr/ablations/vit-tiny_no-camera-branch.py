# The same with a fixed field of view instead of the camera branch.
_base_ = ['vit-tiny_short.py']

model = dict(
    camera_head=dict(_delete_=True, type='FixedFoV', input_size=224),
    criterion=dict(losses=dict(fov=None)))

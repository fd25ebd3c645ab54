# The same with a fixed field of view instead of the camera branch.
_base_ = ['vit-tiny_short.py']

model = dict(
    camera_head=dict(_delete_=True, type='FixedFoV', input_size=224),
    criterion=dict(
        losses=[
            dict(type='ConfidenceLoss', weight=10.),
            dict(type='BoxLoss', weight=2.),
            dict(type='GIoULoss', weight=2.),
            dict(type='PoseLoss', weight=25.),
            dict(type='ShapeLoss', weight=3.),
            dict(type='Joints3DLoss', weight=8.),
            dict(type='Joints2DLoss', weight=10.),
            dict(type='ScaleMapConfidenceLoss', weight=1.),
            dict(type='ScaleMapLoss', weight=1.),
            dict(type='InverseDepthLoss', weight=2.),
            dict(type='RelativeMetricLoss', weight=2.),
        ]))

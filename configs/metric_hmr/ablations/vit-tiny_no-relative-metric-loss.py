# The same without the relative metric loss.
_base_ = ['vit-tiny_short.py']

model = dict(
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
            dict(type='FoVLoss', weight=.5),
        ]))

# A data set like DTO-Humans of a folder of photos, offline and without licences: --cfg-options data_root=DIR. Joints,
# bodies fitted to them, DTO by heights and ground, then labels to train on, with how sure they are, for
# configs/metric_hmr/vit-s_open.py. A depth map tells more: docs/tutorials/your_dto_humans.md.
_base_ = ['../photo/photo.py']

data_root = 'data/photos'
stages = dict(labels=dict(type='TrainingLabels'))
contact_sheets = dict(every=200)

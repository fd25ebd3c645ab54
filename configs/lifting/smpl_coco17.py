# From COCO's 17 joints to SMPL bodies of all ages, trained like openbody_coco17; needs SMPL's files (docs/lifting.md).
_base_ = ['openbody_coco17.py']

body_model = dict(_delete_=True, type='SMPL+A', model_path='data/smpl', gender='neutral')
model = dict(body_model=body_model)
train_dataloader = dict(dataset=dict(body_model=body_model))
val_dataloader = dict(dataset=dict(body_model=body_model))
test_dataloader = val_dataloader

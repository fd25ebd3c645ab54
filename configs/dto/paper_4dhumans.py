# DTO on 4D-Humans images with CameraHMR's pseudo ground truth (*-release.npz), as DTO-Humans was made.
# data/4dhumans/
#   images/                       as the annotations name them
#   coco-release.npz              --cfg-options source.ann_file=... for another set
#   disparity/ masks/ ages/       a file an image: 16-bit .png, id map .png, .npz (ages, male_probs)
# data/smpl/                      SMPL_NEUTRAL.pkl and smpl_kid_template.npy, see docs/generate_dto.md
_base_ = ['../_base_/dto/paper.py']

data_root = 'data/4dhumans'
body_model = dict(_delete_=True, type='SMPL+A', model_path='data/smpl', gender='neutral')
source = dict(type='CameraHMRRelease', ann_file='coco-release.npz', img_prefix='images')
stages = dict(
    depth=dict(source=dict(type='PrecomputedDepth', folder='disparity', suffix='.png', kind='disparity')),
    masks=dict(source=dict(type='PrecomputedMasks', folder='masks')),
    ages=dict(source=dict(type='PrecomputedAges', path='ages')))
contact_sheets = dict(every=2000)

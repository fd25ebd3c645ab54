# DTO on a folder written by tools/misc/make_synthetic_crowd.py; another folder: --cfg-options data_root=DIR
_base_ = ['../_base_/dto/paper.py']

data_root = 'demo/resources/crowd'
source = dict(type='InitialMeshes', ann_file='initial_meshes.npz', img_prefix='images')
stages = dict(
    depth=dict(source=dict(
        type='PrecomputedDepth', folder='disparity', suffix='.png', kind='disparity', scale='disparity/scale.json')),
    masks=dict(source=dict(type='PrecomputedMasks', folder='masks')),
    ages=dict(source=dict(type='PrecomputedAges', path='ages.json')))
contact_sheets = dict(every=20)

# DTO on a folder of photos: --cfg-options data_root=DIR. Needs pip install "mmhuman_dto[transformers]".
# A `model` is a folder (hf download NAME --local-dir DIR) or a name on the Hugging Face hub, fetched when first used.
# Meshes: a converted public checkpoint and SMPL files, see docs/metric_hmr.md. Other networks: docs/perception.md.
_base_ = ['../_base_/dto/photos.py']

data_root = 'data/photos'
source = dict(type='Photos')
body_model = dict(_delete_=True, type='SMPL+A', model_path='data/smpl', gender='neutral')
stages = dict(
    detect=dict(source=dict(type='TransformersPeople', model='facebook/mask2former-swin-small-coco-instance')),
    pose=dict(source=dict(type='TransformersKeypoints', model='usyd-community/vitpose-base-simple')),
    meshes=dict(source=dict(
        type='MetricHMRMeshes', config='configs/metric_hmr/vit-b_dto-humans.py',
        checkpoint='data/weights/vit-b_dto-humans.pth')),
    # Users report values of 0 to about 10; the paper's solver takes people below 50 for farther than 20 m.
    depth=dict(source=dict(
        type='TransformersDepth', model='depth-anything/Depth-Anything-V2-Small-hf', scale=100.)),
    ages=dict(source=dict(
        type='TransformersAges', model='dima806/fairface_age_image_detection',
        gender_model='rizvandwiki/gender-classification')))
contact_sheets = dict(every=20)

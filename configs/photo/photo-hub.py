# Photos to people in metres by networks of the Hugging Face hub, all Apache-2.0: boxes, joints and depth; bodies are
# fitted to the joints. Needs pip install "mmhuman_dto[transformers]". A `model` is a name on the hub, fetched when
# first used, or a folder (hf download NAME --local-dir DIR).
# On a folder: python tools/generate_dto.py configs/photo/photo-hub.py --cfg-options data_root=DIR
_base_ = ['../_base_/dto/keypoint_fit.py']

stages = dict(
    detect=dict(before='meshes', type='AddDetections', source=dict(
        type='TransformersBoxes', model='PekingU/rtdetr_r50vd')),
    pose=dict(before='meshes', type='AddKeypoints', min_score=.3, source=dict(
        type='TransformersKeypoints', model='usyd-community/vitpose-base-simple', masked=False)),
    depth=dict(before='rasterise', type='AddDepth', source=dict(
        type='TransformersDepth', model='depth-anything/Depth-Anything-V2-Small-hf')))

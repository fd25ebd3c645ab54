# Photos to people in metres by one Metric-Aware HMR network. The bundled one finds people by MoveNet; for another:
# --cfg-options stages.meshes.source.config=CONFIG stages.meshes.source.checkpoint=FILE
# In Python and demo/image_demo.py: model and checkpoint; DTO is off there unless asked for or a depth map is given.
_base_ = ['../_base_/dto/vit-tiny.py']

data_root = ''
source = dict(type='Photos')
body_model = dict(type='OpenBody')
stages = dict(
    image=dict(before='dto', type='LoadImage'),
    focal=dict(before='dto', type='AddFocal', source=dict(type='ExifFocal')),
    meshes=dict(before='dto', type='AddMeshes', source=dict(
        type='MetricHMRMeshes', config='movenet_synthetic-crowd')),
    people=dict(before='dto', type='CheckPeople'),
    rasterise=dict(before='dto', type='RasteriseMeshes', long_side=512),
    dto=dict(type='OptimiseTranslations', keep_dropped=True, solver=dict(needs_depth=False)))
contact_sheets = dict(every=20)

# From joints in the picture to placed people: bodies fitted to the joints, placed by what is known of heights, by the
# ground they stand on and by a depth map where there is one, then fitted again at their depths.
# A recipe adds the stages `detect` and, where people come without joints, `pose`.
data_root = ''
source = dict(type='Photos')
body_model = dict(type='OpenBody')
stages = dict(
    image=dict(type='LoadImage'),
    focal=dict(type='AddFocal', source=dict(type='ExifFocal')),
    meshes=dict(type='AddMeshes', source=dict(type='KeypointFitMeshes', lifter='openbody_coco17')),
    people=dict(type='CheckPeople'),
    rasterise=dict(type='RasteriseMeshes', long_side=512),
    dto=dict(
        type='OptimiseTranslations', keep_dropped=True,
        solver=dict(type='PosteriorDTO', needs_depth=False, terms=dict(
            # Fits know nothing of heights; two people tell a ground.
            initial=None, ground=dict(type='GroundTerm', min_people=2, unseen=.02, std=.027, dof=2.2,
                                      seated_elsewhere=.1),
            # Of the world's people (UN World Population Prospects 2022: a quarter is below 15 years).
            height=dict(type='HeightTerm', shares=(.05, .085, .12, .37, .375))))),
    refit=dict(type='RefitMeshes', source=dict(type='KeypointFitMeshes')))

batch_size = 8
shard_size = 1000
contact_sheets = dict(every=20)
device = 'auto'
num_threads = 1

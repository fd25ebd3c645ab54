# People in results of other programs, placed in metres (mmhuman-dto place, docs/place.md). Results bring the meshes,
# which keep their size in the picture. Depth maps, masks and ages are added where given; heights and the ground speak
# anyway.
data_root = ''
source = dict(type='Photos')
body_model = dict(type='OpenBody')  # of nobody here
stages = dict(
    rasterise=dict(type='RasteriseMeshes', long_side=512),
    dto=dict(
        type='OptimiseTranslations', keep_dropped=True,
        evidence=dict(min_visible_vertices=100),
        solver=dict(type='PosteriorDTO', needs_depth=False, focal_std=0, terms=dict(
            # Two people tell a ground.
            ground=dict(type='GroundTerm', min_people=2, seated_elsewhere=.1),
            # Of the world's people (UN World Population Prospects 2022: a quarter is below 15 years).
            height=dict(type='HeightTerm', shares=(.05, .085, .12, .37, .375))))))

batch_size = 8
device = 'auto'
num_threads = 1

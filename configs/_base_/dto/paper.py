# DTO as in the paper (arXiv 2511.13282): images with initial meshes, depth, masks and ages -> people placed together.
# A recipe adds `source` and the sources of the stages `depth`, `masks` and `ages`.
# A stage's key is its name in failures.jsonl.
data_root = ''
body_model = dict(type='OpenBody')
stages = dict(
    people=dict(type='CheckPeople'),
    image=dict(type='LoadImage'),
    depth=dict(type='AddDepth'),
    masks=dict(type='AddMasks'),
    ages=dict(type='AddAges'),
    rasterise=dict(type='RasteriseMeshes', long_side=512),
    dto=dict(
        type='OptimiseTranslations',
        evidence=dict(),
        prior=dict(type='HeightPrior', use_age=True, use_gender=True),
        solver=dict(type='PaperDTO', slope_bound=True)),
    keep=dict(type='KeepOptimised', max_deviation=1.5))

batch_size = 16
shard_size = 1000
contact_sheets = dict(every=0, rows=4)
device = 'auto'
num_threads = 1

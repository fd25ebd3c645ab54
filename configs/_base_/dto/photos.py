# From photos to placed people: everything DTO starts from is made by networks, then DTO as in the paper (arXiv
# 2511.13282). A recipe adds `source` and the sources of the stages that have none here. docs/perception.md lists them.
# A stage's key is its name in failures.jsonl.
data_root = ''
body_model = dict(type='OpenBody')
stages = dict(
    image=dict(type='LoadImage'),
    focal=dict(type='AddFocal', source=dict(type='ExifFocal')),
    detect=dict(type='AddDetections'),
    pose=dict(type='AddKeypoints'),
    meshes=dict(type='AddMeshes'),
    people=dict(type='CheckPeople'),
    match=dict(type='MatchDetections'),
    depth=dict(type='AddDepth'),
    ages=dict(type='AddAges'),
    rasterise=dict(type='RasteriseMeshes', long_side=512),
    dto=dict(
        type='OptimiseTranslations',
        evidence=dict(),
        prior=dict(type='HeightPrior', use_age=True, use_gender=True),
        solver=dict(type='PaperDTO', slope_bound=True)),
    keep=dict(type='KeepOptimised', max_deviation=1.5))

batch_size = 8
shard_size = 1000
contact_sheets = dict(every=0, rows=4)
device = 'auto'
num_threads = 1

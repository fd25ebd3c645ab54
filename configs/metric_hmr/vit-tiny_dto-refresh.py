# The small network on pseudo ground truth that is refreshed by DTO with the bodies it sees (docs/dto_refresh.md).
# data/crowd/            images/ and what imitated networks say of them, by tools/misc/make_synthetic_crowd.py
# data/crowd/dto/        people_table, by tools/generate_dto.py with stages.dto.keep_evidence=True
_base_ = ['./vit-tiny_synthetic-crowd.py']

train_dataloader = dict(dataset=dict(
    datasets=[
        dict(type='HumanTable', data_root='data/crowd/images', table='data/crowd/dto/people_table', name='crowd',
             num_betas=11),
    ],
    pipeline=[
        dict(type='LoadImage'),
        dict(type='JointsFromMeshes', body_model=dict(type='OpenBody')),
        dict(type='RandomView', input_size=224, rotation=0., scale=(1., 1.), below_spine=0.),
        dict(type='KeepVisiblePeople', min_joints=4),
        dict(type='ColorJitter', strength=.2),
        dict(type='PackHumanInputs'),
    ]))
test_dataloader = dict(batch_size=1)
# What this network's heights are worth (share, std of its logarithm) was measured on rendered crowds of its kind
# (tools/benchmark/fit_network_terms.py).
custom_hooks = [
    dict(type='DTORefreshHook', interval=500, begin=2000, solver=dict(
        type='PosteriorDTO', terms=dict(initial=dict(type='InitialTerm', share=.85, std=.1)))),
]

# As paper_synthetic-crowd.py, by the posterior over scene and people (docs/posterior.md).
# A term is changed by its key: --cfg-options stages.dto.solver.terms.ground=None
_base_ = ['./paper_synthetic-crowd.py']

stages = dict(dto=dict(solver=dict(_delete_=True, type='PosteriorDTO', focal_std=.1, terms=dict())))

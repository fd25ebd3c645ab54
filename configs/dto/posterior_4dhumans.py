# As paper_4dhumans.py, by the posterior over scene and people. Focal lengths are guesses here: the solver may change
# them; focal_std=0 keeps them. How to use metric depth instead of disparity: docs/posterior.md.
_base_ = ['./paper_4dhumans.py']

stages = dict(dto=dict(solver=dict(_delete_=True, type='PosteriorDTO', focal_std=.1, terms=dict())))

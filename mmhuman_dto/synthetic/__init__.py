"""Things with known answers, shared by tests, tools and benchmarks; ``synthetic.writers`` writes folders of them."""
from .corruption import (
    AgeErrors,
    DisparityErrors,
    InitialErrors,
    NetworkErrors,
    ages_and_sexes,
    disparity,
    initial_meshes,
)
from .render import Picture, Renderer
from .samples import dto_sample, truth_sample
from .scenes import CrowdConfig, Scene, sample_scene, visible_share

__all__ = [
    'AgeErrors', 'CrowdConfig', 'DisparityErrors', 'InitialErrors', 'NetworkErrors', 'Picture', 'Renderer', 'Scene',
    'ages_and_sexes', 'disparity', 'dto_sample', 'initial_meshes', 'sample_scene', 'truth_sample', 'visible_share'
]

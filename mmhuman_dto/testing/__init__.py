"""Things with known answers, shared by tests, tools and benchmarks; folders of them are written by ``testing.writer``."""
from .corruption import AgeErrors, DisparityErrors, InitialErrors, ages_and_sexes, disparity, initial_meshes
from .render import Picture, Renderer
from .samples import dto_sample, truth_sample
from .scenes import CrowdConfig, Scene, sample_scene, visible_share

__all__ = ['AgeErrors', 'CrowdConfig', 'DisparityErrors', 'InitialErrors', 'Picture', 'Renderer', 'Scene', 'ages_and_sexes',
           'disparity', 'dto_sample', 'initial_meshes', 'sample_scene', 'truth_sample', 'visible_share']

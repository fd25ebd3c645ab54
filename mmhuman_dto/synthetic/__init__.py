"""Things with known answers, shared by tests, tools and benchmarks; ``synthetic.writers`` writes folders of them."""
from .corruption import AgeErrors, DisparityErrors, InitialErrors, NetworkErrors, disparity
from .crowd_config import CrowdConfig
from .render import Picture, Renderer
from .samples import dto_sample
from .scenes import sample_scene, visible_share

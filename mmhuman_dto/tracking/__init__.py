"""Who is who from frame to frame of a video, and where its shots begin."""
from .appearance import colour_histograms
from .cost import CostConfig
from .linking import link
from .observations import Observations
from .offline import track_people
from .tracker import Tracker

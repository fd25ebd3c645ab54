"""Pictures of people in camera space: over the photo, from above on a metre grid, side by side.

All pictures are (H, W, 3) uint8 RGB arrays, drawn with numpy and OpenCV: no OpenGL, no window.
"""
from mmhuman_dto.fileio.images import read_image, write_image

from .annotations import draw_annotations
from .birdseye import draw_birdseye
from .colors import person_colors
from .contact_sheet import draw_contact_sheet
from .ground import Ground, estimate_ground
from .mesh_render import render_meshes
from .overlay import draw_overlay
from .people_rows import PersonRow, people_rows
from .sample_view import draw_sample
from .scene import Placement, Scene
from .sideview import draw_sideview
from .stick_figures import stick_figures
from .viser_view import load_viser, show

from .camera import (
    centered_intrinsics,
    focal_from_fov,
    fov_from_focal,
    intrinsics_from_fov,
    project,
    resize_intrinsics,
    unproject,
)
from .rasterize import Raster, interpolate, interpolate_seen, rasterize, rasterize_meshes, visible_vertices
from .rotation import axis_angle_to_matrix, geodesic_distance, matrix_to_axis_angle, rotation_6d_to_matrix

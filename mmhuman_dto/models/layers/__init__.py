from .decoder import BoxQueryDecoder
from .mlp import MLP
from .packed_attention import Packing, packed_attention
from .position import box_encoding, inverse_sigmoid, point_encoding, resize_positions, sine_encoding

__all__ = [
    'BoxQueryDecoder', 'MLP', 'Packing', 'packed_attention', 'box_encoding', 'inverse_sigmoid',
    'point_encoding', 'resize_positions', 'sine_encoding'
]

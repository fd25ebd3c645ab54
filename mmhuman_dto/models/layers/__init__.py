from .decoder import BoxQueryDecoder
from .packed_attention import Packing, packed_attention
from .position import inverse_sigmoid

from .movenet_backbone import MoveNetBackbone
from .scale_adaptive_vit import ScaleAdaptiveViT
from .vit import PackedTokens, VisionTransformer

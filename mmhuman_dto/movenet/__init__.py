from .network import FEATURES, MULTIPLE, STRIDE, WEIGHTS, MoveNetMaps, MoveNetMultiPose, published_movenet

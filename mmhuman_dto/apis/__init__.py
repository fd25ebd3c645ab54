"""What programs call: train, try out, infer."""
from .inference import HumanInferencer, HumanScene, init_model

"""What programs call: train, try out, infer."""
from .inference import DTOInferencer, Inference, MetricHMRInferencer, init_model

# The flagship with its parameters, gradients and optimizer state spread over the GPUs (FSDP): 8 GPUs x 4 images.
_base_ = ['./vit-h_dto-humans.py']

# Units are what autocast computes in bfloat16; norms and layer scales stay whole, in float32.
strategy = dict(
    type='mmhuman_dto.FullyShardedStrategy', param_dtype='bfloat16',
    unit_pattern=r'backbone\.(?:additional_)?blocks\.\d+\.(?:attn|mlp)'
    r'|decoder\.layers\.\d+\.(?:self_attn|cross_attn|ffn\d)')

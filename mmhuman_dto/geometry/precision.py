"""Numbers of enough digits to compute with."""
import torch


def at_least_single(values):
    """Half precision (*) as single; single and double stay, so that a network in double has double losses."""
    return values.to(torch.promote_types(values.dtype, torch.float32))

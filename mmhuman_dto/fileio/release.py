"""Weights that MA-HMR and SAT-HMR publish: what the files are called, where they are, how they are recognised."""
import re

import torch

#: The file of published weights that a shipped config is for, and where they are; their licence is CC BY-NC.
RELEASE_FILES = {'vit-b_agora-bedlam-4dhumans-2d': 'mahmr_stage1.bin', 'vit-b_camera': 'mahmr_stage2.bin',
                 'vit-b_dto-humans': 'mahmr_stage3.bin'}
RELEASE_PAGE = 'https://github.com/gouba2333/MA-HMR'
#: What converts them, with the file to read and the file to write.
CONVERTER = 'python tools/model_converters/mahmr2mmhuman.py {} {} --verify'
#: A parameter that only MA-HMR and SAT-HMR call so.
_RELEASE_MARK = 'encoder_pos_embeds'


def unwrap(checkpoint):
    """The name -> tensor map inside a loaded file: bare or under ``model``, ``state_dict``, ``teacher``.

    Raises:
        ValueError: there is none.
    """
    for key in ('model', 'state_dict', 'teacher'):
        if isinstance(checkpoint, dict) and isinstance(checkpoint.get(key), dict):
            checkpoint = checkpoint[key]
    if not isinstance(checkpoint, dict) or not checkpoint or not all(map(torch.is_tensor, checkpoint.values())):
        raise ValueError("no state dict found: expected names and tensors, bare or under 'model' or 'state_dict'")
    return {re.sub(r'^(module\.|_orig_mod\.)+', '', name): value for name, value in checkpoint.items()}


def is_release(checkpoint):
    """Whether a loaded file has weights of MA-HMR or SAT-HMR under their own names."""
    try:
        return _RELEASE_MARK in unwrap(checkpoint)
    except ValueError:
        return False

"""Weights that MA-HMR and SAT-HMR publish: what the files are called, where they are, how they are recognised."""

#: The file of published weights that a shipped config is for, and where they are; their licence is CC BY-NC.
RELEASE_FILES = {'vit-b_agora-bedlam-4dhumans-2d': 'mahmr_stage1.bin', 'vit-b_camera': 'mahmr_stage2.bin',
                 'vit-b_dto-humans': 'mahmr_stage3.bin'}
RELEASE_PAGE = 'https://github.com/gouba2333/MA-HMR'
#: What converts them, with the file to read and the file to write.
CONVERTER = 'python tools/model_converters/mahmr2mmhuman.py {} {} --verify'
#: A parameter that only MA-HMR and SAT-HMR call so.
_RELEASE_MARK = 'encoder_pos_embeds'


def is_release(state):
    """Whether names -> tensors are weights of MA-HMR or SAT-HMR under their own names."""
    return _RELEASE_MARK in state

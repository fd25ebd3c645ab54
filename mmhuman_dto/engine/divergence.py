"""What is said of a training that has gone bad, by all ranks at once."""
from mmengine.dist import all_gather_object

from mmhuman_dto.fileio import not_finite


class DivergedError(RuntimeError):
    """Losses, gradients, weights or the optimizer's state of a training are not finite; the message says which."""


def stop_all_ranks(step, found, img_ids=()):
    """Raise :class:`DivergedError` on every rank; all of them have to call it.

    Args:
        step: the number of the step.
        found: what is not finite on this rank, texts; empty where it is so on others only.
        img_ids: of the images of this rank's part of the step.
    """
    everything = all_gather_object((list(found), list(img_ids)))
    # Where nothing was found on a rank alone, its images are not to blame.
    told = [part for part in everything if part[0]]
    what, images = (list(dict.fromkeys(name for part in told for name in part[i])) for i in (0, 1))
    shown = f', images {", ".join(map(str, images))}' if images else ''
    reason = ', '.join(what) or 'the sum of the losses over the ranks is not finite'
    raise DivergedError(
        f'step {step}{shown}: {reason}. No checkpoint was written since, and --resume goes on from the one before. Look'
        ' at the annotations of these images (tools/misc/browse_dataset.py) and take out what is wrong; if they are '
        'right, a lower learning rate or clip_grad helps')


def check_state(runner, step):
    """:func:`stop_all_ranks` where a checkpoint of the run as it is would hold what is not finite."""
    bad = nonfinite_part(dict(state_dict=runner.model.state_dict(), optimizer=runner.optim_wrapper.state_dict()))
    if any(all_gather_object(bool(bad))):
        stop_all_ranks(step, [f'{bad} in the checkpoint to be written'] if bad else [])


def nonfinite_part(content):
    """Which tensors of a checkpoint's content are not finite, besides figures of the log; '' if none is."""
    if isinstance(content, dict):
        content = {name: value for name, value in content.items() if name != 'message_hub'}
    bad = not_finite(content)
    more = f' and {len(bad) - 1} other tensors' if len(bad) > 1 else ''
    return f'nan or infinity in {bad[0]}{more}' if bad else ''

"""The usual ways to calm joints that were found frame by frame: by the One Euro filter, by a Kalman smoother."""
import itertools

import numpy as np
from _kalman import fit_noise, smooth

#: Numbers of the filter that are tried: the least cutoff, Hz, and what a speed adds to it, Hz / (m/s).
CUTOFFS, BETAS = (.5, 1., 2., 4.), (.3, 1., 3., 10.)
#: Cutoff of the filter's speeds, Hz.
SPEED_CUTOFF = 1.


def one_euro(times, joints, cutoff, beta):
    """Joints (F, J, 3) m filtered forward in time. Casiez, Roussel, Vogel, "1 Euro Filter" (CHI 2012)."""
    filtered, speed = joints.copy(), np.zeros_like(joints[0])
    for frame in range(1, len(joints)):
        step = times[frame] - times[frame - 1]
        speed = speed + _share(SPEED_CUTOFF, step) * ((joints[frame] - filtered[frame - 1]) / step - speed)
        share = _share(cutoff + beta * np.abs(speed), step)
        filtered[frame] = filtered[frame - 1] + share * (joints[frame] - filtered[frame - 1])
    return filtered


def _share(cutoff, step):
    return 1 / (1 + 1 / (2 * np.pi * cutoff * step))


class Smoothers:
    """Both ways, with the numbers that are best on other tracks.

    Args:
        tracks: [(times (F), joints (F, J, 3), true joints)].
    """

    def __init__(self, tracks):
        def error(numbers):
            return np.mean([np.linalg.norm(one_euro(times, joints, *numbers) - true, axis=-1).mean()
                            for times, joints, true in tracks])

        self.numbers = min(itertools.product(CUTOFFS, BETAS), key=error)
        self.noise = fit_noise([(times, joints.swapaxes(0, 1), None) for times, joints, _ in tracks])

    def filter(self, times, joints):
        """Joints (F, J, 3) by the One Euro filter."""
        return one_euro(times, joints, *self.numbers)

    def smooth(self, times, joints):
        """Joints (F, J, 3) by the Kalman smoother."""
        return smooth(times, joints.swapaxes(0, 1), self.noise).swapaxes(0, 1)

"""A stage that ends its process, as a crash, a full memory or a lost machine would."""
import os
import signal
import time
from pathlib import Path

from mmhuman_dto.registry import STAGES
from mmhuman_dto.stages import Stage


@STAGES.register_module()
class DeadlyStage(Stage):
    """Kills its process at one image while a file is there.

    Args:
        file: path; removed by the process that dies, unless ``every_time``.
        image: id of the image.
        seconds: time an image takes.
        every_time: whether the file stays.
    """
    batched = True

    def __init__(self, file, image='', seconds=0., every_time=False):
        self.file, self.image, self.seconds, self.every_time = Path(file), image, seconds, every_time

    def __call__(self, samples):
        time.sleep(self.seconds * len(samples))
        if any(sample.img_id == self.image for sample in samples) and self.file.exists():
            if not self.every_time:
                self.file.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        return samples

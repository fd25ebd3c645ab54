"""What comes of one picture."""
from typing import NamedTuple

import numpy as np

from mmhuman_dto.structures import HumanDataSample
from mmhuman_dto.visualization import Placement, Scene


class Inference(NamedTuple):
    """People of one picture; whatever went wrong with it is said here and does not stop the others."""
    img_id: str  # name of the input, see :class:`~mmhuman_dto.apis.inference.inputs.Photo`
    image: np.ndarray | None  # (H, W, 3) uint8 RGB; None where there is an error
    #: :class:`HumanDataSample` with the network's ``pred_instances`` (nobody is 0 rows) and ``pred_camera``, CPU
    #: tensors, px of ``image`` and m in the camera frame (x right, y down, z forward); None where there is an error
    sample: HumanDataSample | None = None
    #: the same after DTO: those people DTO had evidence of, ``person_index`` their rows in ``sample``; None where DTO
    #: did not run
    placed: HumanDataSample | None = None
    error: str = ''  # why there is no ``sample``; ''
    note: str = ''  # why there is no ``placed`` although DTO was asked for; ''

    @property
    def last(self):
        """The sample that counts: after DTO where it ran."""
        return self.sample if self.placed is None else self.placed

    def scene(self, body_model):
        """The :class:`~mmhuman_dto.visualization.Scene` to be drawn and exported; not where there is an error."""
        before, after = (None if sample is None else Placement.from_sample(sample, body_model)
                         for sample in (self.sample, self.placed))
        return Scene(self.img_id, self.image, body_model.faces.cpu().numpy(), before, after)

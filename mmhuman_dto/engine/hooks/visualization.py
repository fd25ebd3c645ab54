"""Pictures of what the network finds, beside the numbers of each validation."""
import cv2
import numpy as np
from mmengine.hooks import Hook

from mmhuman_dto.registry import BODY_MODELS, HOOKS
from mmhuman_dto.visualization import Placement, draw_overlay


@HOOKS.register_module()
class PredictionVisualizationHook(Hook):
    """Add the first validation images to the visualizer (TensorBoard, files): truth on the left, prediction right.
    """

    def __init__(self, body_model, num_images=4):
        self.body_model = BODY_MODELS.build(body_model)
        self.num_images = num_images
        self._drawn = 0

    def before_val_epoch(self, runner):
        self._drawn = 0

    def after_val_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        for image, sample in zip(data_batch['inputs'], outputs):
            if self._drawn == self.num_images:
                return
            picture = self._draw(image, sample.cpu())
            runner.visualizer.add_image(f'val_{self._drawn}', picture, step=runner.iter)
            self._drawn += 1

    def _draw(self, image, sample):
        """Overlays of one image (3, H, W) 0..255 RGB side by side, (h, n w, 3) uint8, as the network saw it."""
        height, width = sample.input_shape
        image = image.permute(1, 2, 0).cpu().numpy().astype(np.uint8)
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        sides = [source for source in ('gt', 'pred') if f'{source}_camera' in sample]
        return np.hstack([self._overlay(image, sample, side) for side in sides])

    def _overlay(self, image, sample, side):
        people = Placement.from_sample(sample, self.body_model, side)
        # The sample's cameras are those of the original image.
        people = people._replace(intrinsics=sample.input_warp @ people.intrinsics)
        return draw_overlay(image, people, self.body_model.faces.numpy())

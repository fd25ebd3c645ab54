"""From images of any size to what the network takes."""
import torch
from mmengine.model import BaseDataPreprocessor
from torch.nn.functional import interpolate, pad

from mmhuman_dto.registry import MODELS

from .backbones.vit import PAD_MULTIPLE

#: What pixels measure; with any of these the pipeline has to resize, annotations along with the image.
_PIXEL_DATA = ('gt_instances', 'gt_camera', 'gt_maps', 'pred_maps')


@MODELS.register_module()
class HMRDataPreprocessor(BaseDataPreprocessor):
    """Resize to a long side of ``input_size``, pad right and bottom with zeros, normalise; images stay apart.

    Padding comes before normalising, as the public weights were trained. Each sample's ``img_shape`` becomes the size
    without padding, and ``warp`` (3, 3; original -> current px) includes the resize; a sample that does not know its
    ``ori_shape`` is taken to be the original.

    Args:
        input_size: long side, px.
        mean, std: of the channels, RGB, 0..255.
        bgr_to_rgb: reverse the channels first.
        pad_multiple: both sides become multiples of this, px.

    Raises:
        ValueError: an image that comes with annotations has another long side: resize both in the pipeline.
    """

    def __init__(self, input_size, mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375), bgr_to_rgb=False,
                 pad_multiple=PAD_MULTIPLE):
        super().__init__(non_blocking=True)
        self.input_size, self.bgr_to_rgb, self.pad_multiple = input_size, bgr_to_rgb, pad_multiple
        self.register_buffer('mean', torch.tensor(mean)[:, None, None], persistent=False)
        self.register_buffer('std', torch.tensor(std)[:, None, None], persistent=False)

    def forward(self, data, training=False):
        """Prepare a batch: ``inputs`` (3, H, W), uint8 or 0..255, become float, sides multiples of ``pad_multiple``."""
        data = self.cast_data(data)
        data['inputs'] = [self._prepare(image, sample) for image, sample in zip(data['inputs'], data['data_samples'])]
        return data

    def _prepare(self, image, sample):
        image = image.flip(0) if self.bgr_to_rgb else image
        if 'ori_shape' not in sample:
            sample.set_metainfo(dict(ori_shape=tuple(image.shape[1:])))
        image = self._resize(image.float(), sample)
        height, width = image.shape[1:]
        sample.set_metainfo(dict(img_shape=(height, width)))
        image = pad(image, (0, -width % self.pad_multiple, 0, -height % self.pad_multiple))
        return (image - self.mean) / self.std

    def _resize(self, image, sample):
        height, width = image.shape[1:]
        factor = self.input_size / max(height, width)
        if factor == 1:
            return image
        annotated = [name for name in _PIXEL_DATA if name in sample]
        if annotated:
            raise ValueError(
                f'{sample.get("img_path", "image")}: long side {max(height, width)} px, the network takes '
                f'{self.input_size} px; it comes with {", ".join(annotated)}: resize both in the pipeline')
        size = round(height * factor), round(width * factor)
        scale = torch.diag(torch.tensor([size[1] / width, size[0] / height, 1.]))
        warp = torch.as_tensor(sample.get('warp', torch.eye(3)), dtype=torch.float32)
        sample.set_metainfo(dict(warp=(scale @ warp).numpy()))
        return interpolate(image[None], size=size, mode='bilinear', antialias=True)[0].clamp(0, 255)

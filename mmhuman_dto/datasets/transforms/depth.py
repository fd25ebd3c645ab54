"""What a depth network, or a file of its output, says of a picture."""
from mmhuman_dto.registry import SOURCES, TRANSFORMS
from mmhuman_dto.structures import Maps


def maps_of(sample):
    """``pred_maps`` of a sample, which has them from then on."""
    if 'pred_maps' not in sample:
        sample.pred_maps = Maps()
    return sample.pred_maps


def set_disparity(sample, disparity):
    """Set ``pred_maps.disparity`` (H, W), inverse depth up to scale; ValueError where its size is not the image's."""
    if tuple(disparity.shape) != tuple(sample.img_shape):
        raise ValueError(f'{sample.img_id}: a disparity map of {tuple(disparity.shape)} for an image of '
                         f'{tuple(sample.img_shape)}; it belongs before what resizes')
    maps_of(sample).disparity = disparity


@TRANSFORMS.register_module()
class AddDisparity:
    """Set ``pred_maps.disparity`` from a depth source; put it before what resizes, so that the map follows the picture.

    Args:
        source: config of a :class:`~mmhuman_dto.perception.DepthSource`: ``PrecomputedDepth`` for files,
            ``ImitatedDepth`` for rendered crowds.

    Raises:
        SourceError: what the source needs of the image is absent or broken.
        ValueError: a map that has not the size of the image.
    """

    def __init__(self, source):
        self.source = SOURCES.build(source)

    def __call__(self, sample):
        disparity, = self.source([sample])
        set_disparity(sample, disparity)
        return sample

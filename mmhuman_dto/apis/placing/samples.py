"""Pictures of results as samples that the stages of the recipe take: opened, with people and the camera they get."""
import torch

from mmhuman_dto.fileio.images import ImageError
from mmhuman_dto.perception.keypoint_fit import GUESSED_FOCAL_STD
from mmhuman_dto.results import ResultError
from mmhuman_dto.stages.isolation import Outcome
from mmhuman_dto.structures import Camera, HumanDataSample

from .cameras import refocused
from .people import completed

#: Size (height, width), px, of the paper of people without a camera, and of nobody.
_PAPER_SIZE = 720, 1280


class Samples:
    """Makes :class:`~mmhuman_dto.structures.HumanDataSample` of :class:`~mmhuman_dto.results.ImageResult`.

    Args:
        reader, results: of the results. pictures: :class:`~.pictures.Pictures`. cameras: :class:`~.cameras.Cameras`.
        metric: whether depth maps in metres are given.
        device: of the samples.
    """

    def __init__(self, reader, results, pictures, cameras, metric, device):
        self._reader, self._results, self._pictures, self._cameras = reader, results, pictures, cameras
        self._metric, self._device = metric, device

    def opened(self, image, with_picture=True):
        """(sample without people, why its picture could not be read) of an image result."""
        picture, path, size, error = None, '', None, ''
        try:
            if with_picture:
                picture, path = self._pictures.read(image.name, image.frame)
            else:
                size = self._pictures.size(image.name, image.frame)
        except ImageError as wrong:
            error = str(wrong)
        size = size if picture is None else picture.shape[:2]
        size = tuple(size or image.image_size or self._size(image))
        # Maps, ages and focal lengths are of pictures, whose names results shorten, or count.
        name = self._pictures.found(image.name, image.frame) or image.name
        sample = HumanDataSample(metainfo=dict(img_id=name, img_path=path, ori_shape=size, img_shape=size,
                                               body_model=self._results.body))
        if picture is not None:
            sample.image = picture
        return sample.to(self._device), error

    def camera(self, sample, image):
        """(intrinsics (3, 3) float64, what is said of them) that the people of an opened sample are placed for."""
        if isinstance(sample, Outcome):
            raise ResultError(f'{image.name}: its focal length was to come with its depth map: {sample.reason}')
        return self._cameras(sample, image.intrinsics, self._results.focal_is_guess)

    def peopled(self, sample, image, intrinsics, source):
        """The sample with people and the camera that :meth:`camera` gave."""
        people = completed(image.people, self._results.faces, self._results.faces_are_guess)
        if image.intrinsics is not None:
            people = refocused(people, image.intrinsics, intrinsics)
        sample.pred_instances, sample.pred_camera = people, Camera(intrinsics=intrinsics.float())
        if source == 'guess' and self._metric:  # heights and distances in metres tell the focal length
            sample.pred_camera.focal_std = torch.tensor(GUESSED_FOCAL_STD)
        sample.set_metainfo(dict(focal_source=source))
        return sample.to(self._device)

    def _size(self, image):
        """(height, width) px of a picture that nobody has seen."""
        if not self._reader.before_camera or image.intrinsics is None and not len(image.people):
            return _PAPER_SIZE
        if image.intrinsics is None:
            there = self._pictures.root
            raise ResultError(f'{image.name}: the results tell neither its camera nor its size, and ' + (
                f'{there} has no picture of that name' if there else 'there are no pictures; give --images'))
        return _size_of(image)


def _size_of(image):
    """(height, width) px of a picture that nobody has seen: its axis goes through its middle."""
    return tuple(max(1, round(2 * float(centre))) for centre in image.intrinsics[[1, 0], 2])

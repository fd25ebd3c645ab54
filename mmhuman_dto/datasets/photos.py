"""Pictures nobody knows anything about yet."""
from pathlib import Path

from mmhuman_dto.fileio.finding import find_pictures, what_is_in
from mmhuman_dto.fileio.images import ImageError
from mmhuman_dto.fileio.names import printable
from mmhuman_dto.registry import READERS
from mmhuman_dto.structures import HumanDataSample


@READERS.register_module()
class Photos:
    """All pictures below a folder, the generator's ``source`` when meshes are yet to be made.

    What is taken for a picture: :func:`~mmhuman_dto.fileio.finding.find_pictures`.
    A sequence: ``len(photos)``, ``photos.ids[i]`` the path below the folder, ``photos[i]`` a sample with ``img_id`` and
    ``img_path`` alone.

    Args:
        folder: relative to ``data_root``.

    Raises:
        FileNotFoundError: no such folder, or no picture in it.
        ImageError: of a sample whose name is no UTF-8 text.
    """

    #: What samples have that the generator starts from; of sources that do not say it, meshes and cameras.
    gives = ()

    def __init__(self, folder='', data_root=''):
        self.folder = self.img_root = Path(data_root) / folder
        if not self.folder.is_dir():
            raise FileNotFoundError(f'{self.folder}: no such folder')
        self.names = find_pictures(self.folder)
        self.ids = [printable(name) for name in self.names]
        if not self.ids:
            raise FileNotFoundError(f'{self.folder}: no pictures in it ({what_is_in(self.folder)})')

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, index):
        if (img_id := self.ids[index]) != self.names[index]:
            raise ImageError(f'{self.folder / img_id}: its name is no UTF-8 text, by which tables could find it; '
                             'rename it')
        return HumanDataSample(metainfo=dict(img_id=img_id, img_path=str(self.folder / img_id)))

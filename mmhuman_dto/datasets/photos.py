"""Pictures nobody knows anything about yet."""
from pathlib import Path

from mmhuman_dto.registry import READERS
from mmhuman_dto.structures import HumanDataSample

#: File names that are taken for pictures.
SUFFIXES = ('.jpg', '.jpeg', '.png', '.webp', '.bmp', '.tif', '.tiff')


@READERS.register_module()
class Photos:
    """All pictures below a folder, by name; the generator's ``source`` when meshes are yet to be made.

    A sequence: ``len(photos)``, ``photos.ids[i]`` the path below the folder, ``photos[i]`` a sample with ``img_id`` and
    ``img_path`` alone.

    Args:
        folder: relative to ``data_root``.

    Raises:
        FileNotFoundError: no such folder, or no picture in it.
    """

    #: What samples have that the generator starts from; of sources that do not say it, meshes and cameras.
    gives = ()

    def __init__(self, folder='', data_root=''):
        self.folder = Path(data_root) / folder
        self.ids = sorted(path.relative_to(self.folder).as_posix() for path in self.folder.rglob('*')
                          if path.suffix.lower() in SUFFIXES and path.is_file())
        if not self.ids:
            raise FileNotFoundError(f'{self.folder}: no pictures in it ({", ".join(SUFFIXES)})')

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, index):
        img_id = self.ids[index]
        return HumanDataSample(metainfo=dict(img_id=img_id, img_path=str(self.folder / img_id)))

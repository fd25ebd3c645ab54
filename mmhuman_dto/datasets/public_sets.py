"""The public data sets by name: the files each comes as, the reader they need, where recipes look for their tables."""
from pathlib import Path
from typing import NamedTuple


class PublicSet(NamedTuple):
    """One data set; its files are in ``data/NAME`` unless a user says otherwise.

    Attributes:
        title: what it is called.
        reader: type of its reader (``SOURCES``).
        splits: split -> paths of its annotation files below ``data_root``, ``*`` stands for anything.
        images: folder of the images, relative to ``data_root``; ``{split}`` stands for the split.
        body_model: name of the body model of its people; None: it has joints only.
        gendered: whether shapes are of the male and the female model.
        in_world: whether bodies are annotated in a world frame, for which the reader needs the body model's files.
        left_out: fields of the reader that the table does not take over.
        keep_empty: whether the table has images without people too; None: it cannot, as the layout says nothing else of
            them, such as their camera.
    """
    title: str
    reader: str
    splits: dict[str, tuple[str, ...]]
    images: str = ''
    body_model: str | None = 'SMPL'
    gendered: bool = False
    in_world: bool = False
    left_out: tuple[str, ...] = ()
    keep_empty: bool | None = False

    @property
    def num_betas(self):
        """Shape coefficients of a row of the table."""
        return {None: 0, 'SMPL': 10, 'SMPL+A': 11}[self.body_model]

    def find_files(self, split, folder):
        """Paths of a split's annotation files below a folder, sorted.

        Raises:
            FileNotFoundError: one that is not there.
        """
        names = []
        for pattern in self.splits[split]:
            found = sorted(str(path.relative_to(folder)) for path in Path(folder).glob(pattern))
            if not found:
                raise FileNotFoundError(f'{Path(folder) / pattern}: not found; it is the annotation file of '
                                        f'{self.title}, {split}')
            names += found
        return names

    def source(self, split, ann_file, data_root, images=None, smpl='data/smpl'):
        """Config of the reader of one annotation file of a split; ``smpl`` is the folder of the body models."""
        config = dict(type=self.reader, ann_file=str(ann_file), data_root=str(data_root),
                      img_prefix=str(self.images.format(split=split) if images is None else images))
        if self.in_world:
            config['body_model'] = dict(type=self.body_model, model_path=str(smpl))
        if self.gendered:
            config['gendered'] = {gender: dict(type=self.body_model, model_path=str(smpl), gender=gender)
                                  for gender in ('male', 'female')}
        return config


PUBLIC_SETS = {
    '3dpw': PublicSet(
        '3DPW', 'ThreeDPW', dict(train=('annots_smpl_train_genders.npz', ), test=('annots_smpl_test_genders.npz', )),
        gendered=True, in_world=True),
    '4dhumans': PublicSet(
        "CameraHMR's pseudo ground truth of 4D-Humans", 'CameraHMRRelease', dict(train=('*-release.npz', )), 'images',
        # Its 44 joints are of a set of their own; boxes follow from the meshes.
        left_out=('bboxes', 'keypoints_2d', 'keypoints_2d_valid'), keep_empty=None),
    'agora': PublicSet(
        'AGORA', 'AGORA', dict(train=('annots_smpl_train_fit.npz', ), validation=('annots_smpl_validation.npz', )),
        body_model='SMPL+A', in_world=True),
    'bedlam': PublicSet(
        'BEDLAM', 'BEDLAM', dict(train=('bedlam_smpl_train_1fps.npz', ), train_6fps=('bedlam_smpl_train_6fps.npz', ),
                                 validation=('bedlam_smpl_validation_6fps.npz', )), in_world=True),
    # Who is found where nobody is counts against AP.
    'coco': PublicSet(
        'COCO keypoints', 'COCOKeypoints',
        {split: (f'annotations/person_keypoints_{split}2017.json', ) for split in ('train', 'val')}, '{split}2017',
        body_model=None, keep_empty=True),
    'dto-humans': PublicSet(
        'DTO-Humans', 'DTOHumans', dict(train=('*_CHMR_SMPL_OPT.npz', )), '../4dhumans/images', 'SMPL+A',
        keep_empty=None),
    'dto-raw': PublicSet(
        "DTO's raw output, images that were not optimised among it", 'DTORaw', dict(train=('*_opt.npz', )),
        '../4dhumans/images', 'SMPL+A', keep_empty=None),
    'hi4d': PublicSet(
        'Hi4D', 'Hi4D', {split: (f'hi4d_smpl_{split}.npz', ) for split in ('train', 'val', 'test')},
        gendered=True, in_world=True, keep_empty=None),
    'initial-meshes': PublicSet(
        'Meshes of a per-person network, from which DTO starts', 'InitialMeshes',
        dict(train=('initial_meshes.npz', )), 'images', 'SMPL+A', keep_empty=None),
    'mupots': PublicSet('MuPoTS-3D', 'MuPoTS', dict(test=('mupots_annots.npz', )), body_model=None),
    'panoptic': PublicSet('CMU Panoptic', 'Panoptic', dict(test=('annots_test.npz', )), body_model=None),
    'relative-human': PublicSet(
        'Relative Human', 'RelativeHuman', {split: (f'{split}_annots.npz', ) for split in ('train', 'val', 'test')},
        body_model=None),
}


def command_for(table):
    """The command that writes a table where recipes look for it, ``data/NAME/tables/SPLIT``; None for other folders."""
    parts = Path(table).parts[-4:]
    if len(parts) < 4 or parts[2] != 'tables' or parts[3] not in getattr(PUBLIC_SETS.get(parts[1]), 'splits', ()):
        return None
    return f'python tools/dataset_converters/public2table.py {parts[1]} {parts[3]}'

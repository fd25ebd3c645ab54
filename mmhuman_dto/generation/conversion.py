"""Public annotation files into a people table: restartable, every image and person counted, one bad image one line."""
import bisect
import os
import posixpath
from functools import partial
from pathlib import Path

import torch

import mmhuman_dto
from mmhuman_dto.datasets.agreement import as_annotated, other_size
from mmhuman_dto.datasets.image_folders import folder_near, missing_images, spread
from mmhuman_dto.fileio.atomic import sync
from mmhuman_dto.fileio.image_header import image_header
from mmhuman_dto.fileio.images import ImageError, read_image
from mmhuman_dto.registry import READERS
from mmhuman_dto.stages.base import SkipImage, StageError, check_intrinsics
from mmhuman_dto.stages.isolation import attempt, outcome_of
from mmhuman_dto.structures import People
from mmhuman_dto.tables.label_ranges import implausible, implausible_focal
from mmhuman_dto.tables.people_table import PeopleTable, PeopleTableBuilder, root_beside, side_of

from .folder import at_work_in
from .launch import on_first_rank
from .manifest import GenerationError, prepare_folder, write_manifest
from .progress import work_through
from .shards import SHEETS, TABLE, Shards, count, count_left_out, write_shard


class Conversion:
    """Converts annotation files, read one after the other, into one table.

    ::

        OUT/schema.json, *.npy    the table, once it is complete; see tables/people_table.py
        OUT/failures.jsonl        {"image", "stage", "reason"}, a line an image that went wrong
        OUT/skipped.jsonl         the same for images without people
        OUT/left_out.jsonl        {"image", "person", "field", "value", "reason"}, a line a person with an impossible
                                  label (tables/label_ranges.py), who is not in the table
        OUT/manifest.json         what it was made from, and the counts
        OUT/shards/               work done so far, until the table is complete

    Started again with the same arguments it goes on where it was killed, and the files are those of an unbroken run.
    Memory holds one annotation file and one shard.

    Args:
        sources: configs of readers (``READERS``), one a file. An ``img_prefix`` that is a tuple names several folders,
            of which the one that has the images is taken. Where files have images in different folders, ids in the
            table are relative to what these have in common.
        out_dir: folder of the table.
        body_model: name of the body model that the annotations are of, kept in the table; None: as the readers say.
        num_betas: shape coefficients of a row; shorter ones are filled up with zeros (an adult's child coefficient).
            None: as the readers give them.
        left_out: fields of people that the table does not take over.
        read_images: whether to read the headers of images: for the sizes that the annotations do not state, and to
            refuse those of another size than stated. Without it images may be missing, or of another size.
        keep_empty: whether the table has images without people too. Their entries must say all else that others say.
        check_images: whether to decode each image, not its header alone, so that the broken ones fail now.
        strict: stop at the first image that fails.
        limit: only the first images; None for all.
        shard_size: images a shard.

    Raises:
        GenerationError: nothing to convert, not one image is there, or ``out_dir`` is another run's.
        LayoutError, UnsafeFileError, BrokenFileError: an annotation file that cannot be read.
    """

    def __init__(self, sources, out_dir, body_model, num_betas, left_out=(), read_images=True,
                 keep_empty=False, strict=False, limit=None, shard_size=5000, check_images=False):
        self.files = FilesInTurn(sources)
        self.ids = self.files.ids[:limit]
        if not self.ids:
            raise GenerationError(f'{sources[0]["ann_file"]}: no images in it')
        self.out_dir, self.body_model, self.num_betas = Path(out_dir), body_model or self.files.body_model, num_betas
        self.left_out, self.read_images = tuple(left_out), read_images
        self.keep_empty, self.strict, self.check_images = keep_empty, strict, check_images
        self.shards = _TableShards(self.out_dir, len(self.ids), shard_size)
        self.config = dict(sources=self.files.describe(), body_model=self.body_model, num_betas=num_betas,
                           left_out=self.left_out, read_images=read_images, keep_empty=keep_empty,
                           shard_size=shard_size, check_images=check_images)
        if read_images or check_images:
            self._look_for_images()

    def run(self):
        """Convert what is not there yet, merge, and check the table against what was read.

        Returns:
            dict: kept, people, failed, skipped of the whole table, and where people were left out ``left_out``,
            {reason: people}; on every process.
        """
        with at_work_in(self.out_dir, 'start it again'):
            manifest = on_first_rank(prepare_folder, self.out_dir, True, self.config, self.ids)
            if manifest['status'] != 'complete':
                work_through(self.shards, partial(self._convert, manifest['fingerprint']), 'Converting')
            return on_first_rank(self._finish, manifest)

    def _convert(self, fingerprint, shard, progress):
        folder, images = self.shards.begin(shard), self.shards.images(shard)
        about = dict(converter=f'mmhuman_dto {mmhuman_dto.__version__}', sources=self.config['sources'])
        table = PeopleTableBuilder(self.body_model, about, fingerprint,
                                   root_beside(self.files.img_root, self.out_dir))
        outcomes, people, left_out = [], 0, []
        for index in images:
            result = attempt(self._add, index, table, left_out)
            if isinstance(result, Exception):
                outcomes.append(self._outcome(result, self.ids[index]))
                progress.add(**{outcomes[-1].kind: 1})
            else:
                people += result
                progress.add(kept=1)
        write_shard(folder, table, outcomes, left_out)
        _check_shard(folder, len(images), people)
        self.shards.commit(shard, folder)

    def _add(self, index, table, left_out):
        """Read one image and add it to the table, and who has an impossible label to a list; returns its number of
        people."""
        sample = self.files[index]
        side = side_of(sample)
        people = self._rows(sample.get(f'{side}_instances'))
        if len(people) == 0 and not self.keep_empty:
            raise SkipImage('no people')
        if f'{side}_camera' in sample:
            check_intrinsics(sample.get(f'{side}_camera').intrinsics, 'camera')
        if self.read_images:
            _set_size(sample, side)
        if self.check_images:
            _decode(sample.img_path)
        if f'{side}_camera' in sample and 'ori_shape' in sample:
            wrong = implausible_focal(sample.get(f'{side}_camera').intrinsics, sample.ori_shape)
            if wrong:
                raise StageError('camera', wrong)
        people = self._plausible(people, sample.img_id, left_out)
        setattr(sample, f'{side}_instances', people)
        table.add(sample)
        return len(people)

    def _plausible(self, people, img_id, left_out):
        """The people whose labels a person can have; the others are added to a list."""
        wrong = implausible(people)
        if not wrong:
            return people
        if self.strict:
            one = wrong[0]
            raise GenerationError(f'{img_id}: person {one.person}: {one.field} is {one.value:g}, {one.reason}')
        left_out += [dict(image=img_id, **one._asdict()) for one in wrong]
        if len(wrong) == len(people):
            raise SkipImage(f'nobody is left: {wrong[0].field} {wrong[0].reason}')
        keep = torch.ones(len(people), dtype=torch.bool)
        keep[[one.person for one in wrong]] = False
        return people[keep]

    def _rows(self, people):
        """The fields that the table takes over, shapes filled up."""
        rows = People(num_people=len(people),
                      **{name: value for name, value in people.items() if name not in self.left_out})
        if 'betas' in people and self.num_betas is not None:
            if people.betas.shape[1] > self.num_betas:
                raise StageError('shape', f'{people.betas.shape[1]} shape coefficients, {self.body_model} has '
                                          f'{self.num_betas}')
            rows.betas = torch.nn.functional.pad(people.betas, (0, self.num_betas - people.betas.shape[1]))
        return rows

    def _outcome(self, error, img_id):
        outcome = outcome_of(error, img_id, 'convert')
        if self.strict and outcome.kind == 'failed':
            raise GenerationError(f'{img_id}: {outcome.reason}') from error
        return outcome

    def _look_for_images(self):
        ids = [self.ids[index] for index in spread(len(self.ids))]
        if len(missing_images(self.files.img_root, ids)) < len(ids):
            return
        near = folder_near(self.files.img_root, ids[0])
        raise GenerationError(
            f'none of {len(ids)} images looked for is below {" or ".join(self.files.looked_in)}, {ids[0]!r} for one. '
            + (f'It is below {near}: give that as --images' if near else 'Name the folder that the image ids are '
               'relative to (--images), or convert without images (--no-images)'))

    def _finish(self, manifest):
        if manifest['status'] != 'complete':
            counts = [count(self.shards.path(shard)) for shard in range(len(self.shards))]
            total = {name: sum(part[name] for part in counts) for name in ('kept', 'people', 'failed', 'skipped')}
            self.shards.merge()
            _check_table(self.out_dir, self.ids, total)
            if reasons := count_left_out(self.out_dir):
                total['left_out'] = reasons
            manifest.update(status='complete', counts=total)
            write_manifest(self.out_dir, manifest)
        self.shards.clean()
        return manifest['counts']


class FilesInTurn:
    """The annotation files of several readers' configs as one sequence of samples, with one in memory at a time."""

    def __init__(self, sources):
        self.sources, self.starts, ids, body_models = list(sources), [], [], set()
        #: Folders that were tried for the images.
        self.looked_in = []
        for number in range(len(sources)):
            self._open(number)
            self.starts.append(sum(map(len, ids)))
            ids.append(_texts(self.reader.ids, sources[number]['ann_file']))
            body_models.add(self.reader.body_model)
        if len(body_models) > 1:
            raise GenerationError(f'files of {" and ".join(sorted(map(str, body_models)))}; a table is of one')
        #: Name of the body model of all files.
        self.body_model, = body_models
        roots = [Path(source['data_root']) / source['img_prefix'] for source in self.sources]
        self.img_root = roots[0] if len(set(roots)) == 1 else Path(os.path.commonpath(map(os.path.normpath, roots)))
        #: What the ids of each file are relative to, below the folder of all images.
        self.folders = ['' if root == self.img_root else os.path.relpath(root, self.img_root) for root in roots]
        self.ids = [posixpath.join(folder, img_id) for folder, part in zip(self.folders, ids) for img_id in part]
        self.first_of = self._find_repeated()

    def __getitem__(self, index):
        if index in self.first_of:
            first = self.first_of[index]
            file = self.sources[self._file_of(first)]['ann_file']
            raise StageError('read', f'the image is annotated twice, in {file} as {self.ids[first]!r} before')
        number = self._file_of(index)
        if number != self.number:
            self._open(number)
        sample = self.reader[index - self.starts[number]]
        sample.set_metainfo(dict(img_id=self.ids[index]))
        return sample

    def describe(self):
        """The configs with the sizes of their files, by which a changed file is known."""
        return [dict(source, bytes=(Path(source['data_root']) / source['ann_file']).stat().st_size)
                for source in self.sources]

    def _find_repeated(self):
        """Index -> index of the same image before, where there is one."""
        places = {}
        first = [places.setdefault(posixpath.normpath(img_id), index) for index, img_id in enumerate(self.ids)]
        return {index: before for index, before in enumerate(first) if before != index}

    def _file_of(self, index):
        return bisect.bisect_right(self.starts, index) - 1

    def _open(self, number):
        self.reader = None  # frees the memory of the file before
        source = self.sources[number]
        folders = source['img_prefix'] if isinstance(source['img_prefix'], tuple) else (source['img_prefix'], )
        roots = {folder: Path(source['data_root']) / folder for folder in folders}
        self.looked_in += [str(root) for root in roots.values() if str(root) not in self.looked_in]
        self.number, self.reader = number, READERS.build(dict(source, img_prefix=folders[0]))
        ids = [self.reader.ids[index] for index in spread(len(self.reader.ids))] if len(folders) > 1 else []
        found = min(folders, key=lambda folder: len(missing_images(roots[folder], ids)))
        self.sources[number], self.reader.img_root = dict(source, img_prefix=found), roots[found]


class _TableShards(Shards):
    """Shards of one table only, which is merged into the output folder itself."""

    def merge(self):
        super().merge()
        # The schema comes last: without it there is no table.
        for path in sorted((self.out / TABLE).iterdir(), key=lambda path: path.name == 'schema.json'):
            os.replace(path, self.out / path.name)
        sync(self.out)
        (self.out / TABLE).rmdir()
        (self.out / SHEETS).rmdir()


def _texts(ids, file):
    """Image ids, each of which is text that can be written."""
    for img_id in ids:
        if not isinstance(img_id, str) or isinstance(attempt(img_id.encode), Exception):
            raise GenerationError(f'{file}: image id {img_id!r} is no text; ids are paths of images')
    return ids


def _decode(path):
    try:
        read_image(path)
    except ImageError as error:
        raise StageError('image', str(error)) from error


def _set_size(sample, side):
    """Set the size of an image where its annotations do not state it, or check that the picture has it."""
    try:
        header = image_header(sample.img_path)
    except ImageError as error:
        raise StageError('image', str(error)) from error
    # What LoadImage will turn is annotated as it is then.
    turn = -1 if sample.get('quarter_turns', 0) % 2 else 1
    if 'ori_shape' not in sample.metainfo_keys():
        sample.set_metainfo(dict(ori_shape=as_annotated(sample, side, header)[::turn]))
    elif (annotated := tuple(sample.ori_shape)[::turn]) not in (header.size, header.stored):
        raise StageError('image', other_size(sample.img_path, header.size, annotated))


def _check_shard(folder, images, people):
    """Reopen what was written: every image is in it once, and all people of the kept ones."""
    found = count(folder)
    done = found['kept'] + found['skipped'] + found['failed']
    if (done, found['people']) != (images, people):
        raise GenerationError(f'{folder}: {images} images and {people} people read, {done} and {found["people"]} '
                              'written; this is a bug of mmhuman_dto or of its disk')


def _check_table(folder, ids, counts):
    """Reopen the merged table: it holds as many rows as its shards, of the annotations' images in their order."""
    table = PeopleTable(folder)
    have, want = (len(table), table.schema['num_people']), (counts['kept'], counts['people'])
    if have != want:
        raise GenerationError(f'{folder}: (images, people) are {have} in the table, {want} in its shards')
    order = iter(ids)
    for row in range(len(table)):
        if (img_id := table.image_id(row)) not in order:
            raise GenerationError(f'{folder}: row {row}, {img_id!r}, is not where the annotations have it')

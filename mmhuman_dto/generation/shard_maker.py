"""One shard after the other: its images through the pipeline, what is kept and what is not onto disk."""
import copy
import logging
import shutil

import mmhuman_dto
from mmhuman_dto.stages.base import SkipImage
from mmhuman_dto.stages.dto import NOBODY
from mmhuman_dto.stages.isolation import attempt, describe, outcome_of
from mmhuman_dto.tables.people_table import PeopleTableBuilder, root_beside

from .shards import SHEETS, TABLE, write_shard
from .sheets import ContactSheets

_LOGGER = logging.getLogger(__name__)


class ShardMaker:
    """Makes the shards of a run with the pipeline of its config; tables keep the run's fingerprint."""

    def __init__(self, config, pipeline, shards, fingerprint):
        self.config, self.pipeline, self.shards, self.fingerprint = config, pipeline, shards, fingerprint
        self.sheet_model = copy.deepcopy(pipeline.stages.context.body_model).cpu()

    def make(self, shard, progress, attempt_name=''):
        """Write a shard, whole or not at all, and tell ``progress`` of each image.

        By ``attempt_name`` the temporary folders differ where several processes may make the same shard.
        """
        folder = self.shards.begin(shard, attempt_name)
        try:
            self._fill(folder, shard, progress)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def _fill(self, folder, shard, progress):
        about = dict(generator=f'mmhuman_dto {mmhuman_dto.__version__}', source=self.config['source'])
        root = getattr(self.pipeline.source, 'img_root', None)
        table = PeopleTableBuilder(self.config['body_model']['type'], about, self.fingerprint,
                                   root and root_beside(root, self.shards.out / TABLE))
        sheets = ContactSheets(folder / SHEETS, self.sheet_model, **self.config['contact_sheets'])
        images, size, outcomes, left_out = self.shards.images(shard), self.config['batch_size'], [], []
        batches = [images[start:start + size] for start in range(0, len(images), size)]
        for samples, others in self.pipeline.stream(batches):
            done = self._add(samples, others, table, sheets)
            left_out += _left_out(samples, others)
            failed = sum(outcome.kind == 'failed' for outcome in done)
            progress.add(kept=len(samples) + len(others) - len(done), skipped=len(done) - failed, failed=failed)
            outcomes += done
        self._draw(sheets.flush)
        with self.pipeline.clock('write'):
            write_shard(folder, table, outcomes, left_out)
            self.shards.commit(shard, folder)

    def _add(self, samples, outcomes, table, sheets):
        """Add a batch's kept images to the table; returns the outcomes of the others, in order."""
        outcomes = dict(outcomes)
        for index, sample in samples.items():
            with self.pipeline.clock('write'):
                error = attempt(table.add, sample) if _somebody(sample) else SkipImage(NOBODY)
            if error is None:
                self._draw(sheets.add, index, sample)
            else:
                outcomes[index] = outcome_of(error, sample.img_id, 'write', sample.get('left_out', ()))
        return [outcomes[index] for index in sorted(outcomes)]

    def _draw(self, function, *args):
        """A picture that cannot be drawn is no reason to lose the data; a disk that cannot be written is."""
        with self.pipeline.clock('sheets'):
            error = attempt(function, *args)
        if isinstance(error, OSError):
            raise error
        if error is not None:
            _LOGGER.warning('contact sheet left out: %s', describe(error))


def _somebody(sample):
    """Whether anybody of an image has a mesh that DTO could place."""
    people = sample.pred_instances
    return bool(len(people)) and bool('has_mesh' not in people or people.has_mesh.any())


def _left_out(samples, outcomes):
    """A line a person whom DTO left out, in the order of the images of a batch."""
    images = {index: (sample.img_id, sample.get('left_out', ())) for index, sample in samples.items()}
    images |= {index: (outcome.image, outcome.left_out) for index, outcome in outcomes.items()}
    return [dict(image=image, person=row, reason=reason.words)
            for _, (image, people) in sorted(images.items()) for row, reason in people]

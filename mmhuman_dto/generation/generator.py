"""The generator: images through the stages, in shards that appear whole, whatever happens in between."""
import copy
from functools import partial
from pathlib import Path

import torch

import mmhuman_dto
from mmhuman_dto.datasets.people_table import PeopleTable, PeopleTableBuilder
from mmhuman_dto.datasets.public import write_dto_humans, write_dto_raw

from .config import checked_config
from .isolation import attempt, describe, outcome_of
from .launch import on_first_rank
from .manifest import GenerationError, prepare_folder, write_atomically, write_manifest
from .pipeline import Pipeline
from .progress import work_through
from .shards import SHEETS, TABLE, Shards, count, write_shard
from .sheets import ContactSheets


class Generator:
    """Runs a config's stages over the images of its source and writes a people table.

    Args:
        config: dictionary, see :func:`~.config.checked_config`.
        out_dir: output folder.
        limit: only the first images of the source; None for all.
        resume: go on with what ``out_dir`` holds.

    Raises:
        ConfigError, GenerationError: the run cannot start; the message says what to do.
    """

    def __init__(self, config, out_dir, limit=None, resume=False):
        self.config, self.out_dir, self.resume = checked_config(config), Path(out_dir), resume
        torch.set_num_threads(self.config['num_threads'])
        self.pipeline = Pipeline(self.config)
        self.ids = self.pipeline.ids[:limit]
        if not self.ids:
            raise GenerationError('the source has no images')
        self.shards = Shards(self.out_dir, len(self.ids), self.config['shard_size'])
        self.sheet_model = copy.deepcopy(self.pipeline.body_model).cpu()

    def run(self, public_layout=None):
        """Generate what is not there yet, then merge.

        Args:
            public_layout: name of the set (COCO, say) to also write ``{name}_opt.npz`` and
                ``{name}_CHMR_SMPL_OPT.npz`` for, the public layouts of DTO-Humans; None for none.

        Returns:
            dict: kept, people, failed, skipped, skipped_by_reason of the whole run; on every process.
        """
        manifest = on_first_rank(prepare_folder, self.out_dir, self.resume, self.config, self.ids)
        if manifest['status'] != 'complete':
            work_through(self.shards, partial(self._run_shard, manifest['fingerprint']), 'DTO')
        return on_first_rank(self._finish, manifest, public_layout)

    def _run_shard(self, fingerprint, shard, progress):
        folder = self.shards.begin(shard)
        table = PeopleTableBuilder(self.config['body_model']['type'], self._provenance(), fingerprint)
        sheets = ContactSheets(folder / SHEETS, self.sheet_model, **self.config['contact_sheets'])
        images, size, outcomes = self.shards.images(shard), self.config['batch_size'], []
        for start in range(0, len(images), size):
            done = self._run_batch(images[start:start + size], table, sheets)
            failed = sum(outcome.kind == 'failed' for outcome in done)
            progress.add(kept=len(images[start:start + size]) - len(done), skipped=len(done) - failed, failed=failed)
            outcomes += done
        self._draw(sheets.flush)
        with self.pipeline.clock('write'):
            write_shard(folder, table, outcomes)
            self.shards.commit(shard, folder)

    def _run_batch(self, indices, table, sheets):
        """Add the kept images to the table; returns the outcomes of the others, in order."""
        samples, outcomes = self.pipeline.run(indices)
        for index, sample in samples.items():
            with self.pipeline.clock('write'):
                error = attempt(table.add, sample)
            if error is None:
                self._draw(sheets.add, index, sample)
            else:
                outcomes[index] = outcome_of(error, sample.img_id, 'write')
        return [outcomes[index] for index in sorted(outcomes)]

    def _draw(self, function, *args):
        """A picture that cannot be drawn is no reason to lose the data."""
        with self.pipeline.clock('sheets'):
            error = attempt(function, *args)
        if error is not None:
            print(f'contact sheet left out: {describe(error)}', flush=True)

    def _provenance(self):
        return dict(generator=f'mmhuman_dto {mmhuman_dto.__version__}', source=self.config['source'])

    def _finish(self, manifest, public_layout):
        if manifest['status'] != 'complete':
            self.shards.merge()
            manifest.update(status='complete', counts=count(self.out_dir))
            write_manifest(self.out_dir, manifest)
        self.shards.clean()
        if public_layout:
            for suffix, write in (('opt', write_dto_raw), ('CHMR_SMPL_OPT', write_dto_humans)):
                self._write_public(self.out_dir / f'{public_layout}_{suffix}.npz', write)
        return manifest['counts']

    def _write_public(self, path, write):
        table = PeopleTable(self.out_dir / TABLE)
        write_atomically(path, lambda temporary: write(temporary, (table[i] for i in range(len(table)))))

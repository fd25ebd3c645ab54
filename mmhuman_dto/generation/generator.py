"""The generator: images through the stages, in shards that appear whole, whatever happens in between."""
import logging
from pathlib import Path

import torch

from mmhuman_dto.datasets.public import write_dto_humans, write_dto_raw
from mmhuman_dto.fileio.atomic import write_atomically
from mmhuman_dto.registry import READERS
from mmhuman_dto.stages.config import check_needs, checked_config
from mmhuman_dto.stages.isolation import attempt, describe
from mmhuman_dto.tables.people_table import PeopleTable

from .folder import at_work_in
from .input_check import check_inputs
from .launch import on_first_rank
from .manifest import LOCK, GenerationError, prepare_folder, write_manifest
from .pipeline import StagePipeline
from .progress import work_through
from .shard_maker import ShardMaker
from .shards import TABLE, Shards, count

_LOGGER = logging.getLogger(__name__)
#: What most sources give, and what is written.
_MESHES = ('pred_instances', 'pred_camera')


class Generator:
    """Runs a config's stages over the images of its source and writes a people table.

    Args:
        config: dictionary, see :func:`~.config.checked_config`.
        out_dir: output folder.
        limit: only the first images of the source; None for all.
        resume: go on with what ``out_dir`` holds.
        check: whether a few images are tried before a new run (:mod:`~.input_check`).
        stages: keys of the stages that this process runs; None for all.

    Raises:
        ConfigError, GenerationError: the run cannot start or go on; the message says what to do.
    """

    def __init__(self, config, out_dir, limit=None, resume=False, stages=None, check=True):
        self.config, self.out_dir, self.resume = checked_config(config), Path(out_dir), resume
        self.check = check
        given = getattr(READERS.get(self.config['source']['type']), 'gives', _MESHES)
        check_needs(self.config['stages'], given, wanted=_MESHES)
        torch.set_num_threads(self.config['num_threads'])
        self.pipeline = StagePipeline(self.config, stages)
        self.ids = self.pipeline.ids[:limit]
        if not self.ids:
            raise GenerationError('the source has no images')
        self.shards = Shards(self.out_dir, len(self.ids), self.config['shard_size'])

    def run(self, public_layout=None):
        """Generate what is not there yet, then merge.

        Args:
            public_layout: name of the set (COCO, say) to also write ``{name}_opt.npz`` and
                ``{name}_CHMR_SMPL_OPT.npz`` for, the public layouts of DTO-Humans; None for none.

        Returns:
            dict: kept, people, failed, skipped, skipped_by_reason and, people by reason, left_out of the whole run; on
            every process.
        """
        with at_work_in(self.out_dir):
            if self.check:
                on_first_rank(self._check_inputs)
            manifest = on_first_rank(prepare_folder, self.out_dir, self.resume, self.config, self.ids)
            if manifest['status'] != 'complete':
                self._make_shards(manifest['fingerprint'])
            return on_first_rank(self._finish, manifest, public_layout)

    def _check_inputs(self):
        """Say what is odd about a few of the inputs; GenerationError where nothing usable can come of them."""
        if any(path.name != LOCK for path in self.out_dir.iterdir()):
            return  # begun before, or another's
        found = attempt(self._findings)
        if isinstance(found, Exception):
            _LOGGER.warning('the inputs could not be checked: %s', describe(found))
            return
        for one in found:
            if not one.stops:
                _LOGGER.warning('%s', one.text)
        if stopping := [one.text for one in found if one.stops]:
            raise GenerationError(f'{"; ".join(stopping)} (nothing was done; --no-check-inputs goes on all the same)')

    def _findings(self):
        return check_inputs(self.pipeline, len(self.ids))

    def _make_shards(self, fingerprint):
        maker = ShardMaker(self.config, self.pipeline, self.shards, fingerprint)
        work_through(self.shards, maker.make, 'DTO')

    def _finish(self, manifest, public_layout):
        if manifest['status'] != 'complete':
            self.shards.merge()
            manifest.update(status='complete', counts=count(self.out_dir))
            write_manifest(self.out_dir, manifest)
        self.shards.clean()
        if public_layout:
            table = PeopleTable(self.out_dir / TABLE)
            for suffix, write in (('opt', write_dto_raw), ('CHMR_SMPL_OPT', write_dto_humans)):
                write_atomically(self.out_dir / f'{public_layout}_{suffix}.npz', lambda temporary, write=write: write(
                    temporary, (_with_meshes(table[i]) for i in range(len(table)))))
        return manifest['counts']


def _with_meshes(sample):
    """A sample of those who have a mesh: the public layouts hold nobody else, and nothing that says so."""
    people = sample.pred_instances
    if 'has_mesh' in people:
        sample.pred_instances = people[people.has_mesh.bool()]
    return sample

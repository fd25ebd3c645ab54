"""What was found in each image, kept on disk: to be scored again, looked at, or learnt from."""
import shutil
from pathlib import Path

from mmengine.dist import barrier, get_dist_info
from mmengine.evaluator import BaseMetric

from mmhuman_dto.registry import METRICS
from mmhuman_dto.structures import FIELDS, Camera, HumanDataSample, People
from mmhuman_dto.tables.people_table import PeopleTable, PeopleTableBuilder, merge_tables

#: Tables of a dump: the side of a sample each holds.
SIDES = {'predictions': 'pred', 'truth': 'gt'}
#: Metainfo of a sample that goes into the tables, besides the names of joints.
_METAINFO = ('img_id', 'ori_shape', 'quarter_turns')


@METRICS.register_module()
class DumpPeople(BaseMetric):
    """Writes predictions and truth of every image as two people tables, in the order of the data set; no figures.

    ::

        FOLDER/predictions/    people table: poses, betas, transl, scores, boxes, joints, and the predicted cameras
        FOLDER/truth/          people table of the same images, where they are annotated
        FOLDER/.parts/         while the evaluation runs

    Pixels are those of the original images. Of a run only ``chunk`` images are in memory at a time, on each process.
    ``mmhuman_dto.apis.scoring`` reads a folder again; each table is one for :class:`HumanTable` too.

    Args:
        folder: must not exist, or be empty.
        body_model: name of the body model of the predictions.
        joint_set: of the predictions' keypoints.
        chunk: images a process collects before it writes them.

    Raises:
        FileExistsError: there is something in the folder.
    """
    default_prefix = 'dump'

    def __init__(self, folder, body_model, joint_set, chunk=256):
        super().__init__()
        self.folder, self.parts = Path(folder), Path(folder) / '.parts'
        if self.folder.exists() and any(path != self.parts for path in self.folder.iterdir()):
            raise FileExistsError(f'{self.folder} is not empty: name another folder for the dump, or remove this one')
        self.joint_set, self.body_models, self.chunk = joint_set, dict(predictions=body_model), chunk
        self.num_chunks, self.waiting = 0, []

    def process(self, data_batch, data_samples):
        """Keep the samples (dicts) until a chunk of them is full."""
        for sample in data_samples:
            self.waiting.append({name: self._row(sample, name) for name, side in SIDES.items()
                                 if f'{side}_instances' in sample})
            self.body_models.setdefault('truth', sample.get('body_model', ''))
            if len(self.waiting) == self.chunk:
                self._write_chunk()

    def compute_metrics(self, results):
        return {}

    def evaluate(self, size):
        """Write the rest, and put the parts of all processes together.

        Args:
            size: images of the data set; those that a sampler repeats to give each process as many are left out.
        """
        if self.waiting:
            self._write_chunk()
        rank, world_size = get_dist_info()
        barrier()
        if rank == 0:
            for name in self._names():
                self._merge(name, world_size, size)
            shutil.rmtree(self.parts)
        barrier()
        return {}

    def _row(self, sample, name):
        """One image of a table: the fields that a table has, on the CPU."""
        side = SIDES[name]
        people = {field: value for field, value in sample[f'{side}_instances'].items()
                  if field in FIELDS and FIELDS[field].kind != 'mask'}
        row = HumanDataSample(metainfo={key: sample[key] for key in _METAINFO if key in sample})
        row.pred_instances = People(**people).cpu()
        if f'{side}_camera' in sample:
            row.pred_camera = Camera(intrinsics=sample[f'{side}_camera']['intrinsics']).cpu()
        joint_set = self.joint_set if side == 'pred' else sample.get('joint_set')
        if joint_set is not None:
            row.set_metainfo(dict(joint_set=joint_set))
        return row

    def _builder(self, name):
        return PeopleTableBuilder(self.body_models[name], provenance=dict(source='evaluation', side=SIDES[name]))

    def _part(self, chunk, rank):
        return self.parts / f'{chunk:06d}-{rank:04d}'

    def _write_chunk(self):
        """Write what waits as chunk number ``num_chunks`` of this process."""
        folder = self._part(self.num_chunks, get_dist_info()[0])
        for name in self.waiting[0]:
            table = self._builder(name)
            for rows in self.waiting:
                table.add(rows[name])
            table.write(folder / name)
        self.waiting, self.num_chunks = [], self.num_chunks + 1

    def _names(self):
        return [name for name in SIDES if (self._part(0, 0) / name).is_dir()]

    def _merge(self, name, world_size, size):
        """One table of all parts. Image i of the data set is number i // world_size of process i % world_size."""
        ordered, left = [], size
        for chunk in range(self.num_chunks):
            sources = [PeopleTable(self._part(chunk, rank) / name) for rank in range(world_size)]
            table = self._builder(name)
            for row in range(self.chunk):
                for source in sources:
                    if row < len(source) and left:
                        table.add(source[row])
                        left -= 1
            ordered.append(self.parts / f'{chunk:06d}-{name}')
            table.write(ordered[-1])
        merge_tables(ordered, self.folder / name)

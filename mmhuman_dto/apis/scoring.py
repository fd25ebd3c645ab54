"""Figures of predictions that lie on disk (:class:`DumpPeople`): no network, no images."""
import json
import math
from pathlib import Path

from mmengine.evaluator import Evaluator

from mmhuman_dto.evaluation.metrics.dump import SIDES
from mmhuman_dto.registry import METRICS
from mmhuman_dto.structures import HumanDataSample
from mmhuman_dto.tables.people_table import PeopleTable

#: How names of figures begin of which more is better; of all others less is.
_MORE_IS_BETTER = ('precision', 'recall', 'f1', 'mpckh', 'pck', 'pcdr', 'ap', 'ar', 'depth_order')


class DumpError(ValueError):
    """A folder that is no dump, or one without truth."""


class DumpedSamples:
    """A sequence of the samples that an evaluation wrote with :class:`DumpPeople`, as its metrics saw them.

    Raises:
        DumpError: no such dump, or no truth in it.
        TableError: a broken table.
    """

    def __init__(self, folder):
        lacking = [name for name in SIDES if not (Path(folder) / name / 'schema.json').is_file()]
        if lacking:
            raise DumpError(f'{folder}: no {" and no ".join(lacking)} in it; write a dump with tools/test.py --dump')
        self.tables = {name: PeopleTable(Path(folder) / name) for name in SIDES}

    def __len__(self):
        return len(self.tables['truth'])

    def __getitem__(self, index):
        rows = {name: table[index] for name, table in self.tables.items()}
        truth = rows['truth']
        sample = HumanDataSample(metainfo=dict(truth.metainfo, img_shape=truth.ori_shape))
        for name, side in SIDES.items():
            sample.set_field(rows[name].pred_instances, f'{side}_instances')
            if 'pred_camera' in rows[name]:
                sample.set_field(rows[name].pred_camera, f'{side}_camera')
        return sample


def score(folder, metrics):
    """Figures (name -> value) of a dump by one or many metrics' configs: those of the evaluation, to the last digit."""
    configs = metrics if isinstance(metrics, (list, tuple)) else [metrics]
    return Evaluator([METRICS.build(config) for config in configs]).offline_evaluate(DumpedSamples(folder))


def image_figures(folder, metric):
    """Yield each image id of a dump and its figures alone by a metric's config.

    Names are without the metric's prefix; nan where nobody can be compared.
    """
    metric = METRICS.build(metric)
    for sample in DumpedSamples(folder):
        metric.results.clear()
        metric.process(None, [sample.to_dict()])
        yield sample.img_id, metric.compute_metrics(metric.results)


def more_is_better(figure):
    """Whether a figure of this name (without prefix) is a share of what is right, rather than an error."""
    return figure.removeprefix('kid_').startswith(_MORE_IS_BETTER)


def write_figures(path, figures):
    """Figures as json; nan, which json does not have, as null."""
    plain = {name: None if math.isnan(value) else float(value) for name, value in figures.items()}
    Path(path).write_text(json.dumps(plain, indent=2) + '\n')


def figure_line(name, value):
    """A figure as a line of text."""
    return f'{name:36} {value:12.4f}'

"""Refreshed labels on disk: a folder a round, whole or not there, and known by what is in it."""
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np

import mmhuman_dto
from mmhuman_dto.fileio import load_json
from mmhuman_dto.fileio.atomic import publish
from mmhuman_dto.tables.people_table import PeopleTable, write_table_like

FORMAT = 'mmhuman_dto.dto_labels'
_MANIFEST = 'manifest.json'


class LabelVersionError(RuntimeError):
    """Labels that training was going on with are not there as they were; the message says what to do."""


class LabelVersions:
    """The rounds of labels of a training run.

    ::

        FOLDER/step_00002000/manifest.json    format, round, step, fingerprint, digest, counts of each table
        FOLDER/step_00002000/table_0/         people table: transl, betas, heights, depths_std, heights_std, intrinsics
                                              of all people and images of the first table

    ``tables`` are the annotated :class:`PeopleTable`s, ``config`` says by plain values what labels are made by.
    """

    def __init__(self, folder, tables, config):
        self.folder, self.tables = Path(folder), tables
        self.fingerprint = _fingerprint(config, tables)

    def path(self, step):
        """Folder of the labels made after ``step`` training steps."""
        return self.folder / f'step_{step:08d}'

    def write(self, step, number, columns, counts):
        """Write round ``number`` and return its state {step, round, digest}, by which :meth:`open` knows it again.

        ``columns`` and ``counts`` have an entry a table: {column: array}, and plain values for the manifest.
        """
        temporary = self.folder / f'.{self.path(step).name}.tmp'
        if temporary.exists():
            shutil.rmtree(temporary)
        for i, (table, arrays) in enumerate(zip(self.tables, columns)):
            provenance = dict(labels_of=table.schema['provenance'], round=number, step=step)
            write_table_like(table, arrays, temporary / f'table_{i}', provenance, self.fingerprint)
        state = dict(step=step, round=number, digest=_digest(temporary))
        manifest = dict(state, format=FORMAT, fingerprint=self.fingerprint, tables=counts)
        (temporary / _MANIFEST).write_text(json.dumps(manifest, indent=2) + '\n', encoding='utf-8')
        if self.path(step).exists():  # of a run that went on from an earlier checkpoint since
            shutil.rmtree(self.path(step))
        publish(temporary, self.path(step))
        return state

    def open(self, state):
        """A :class:`PeopleTable` of labels for each table.

        Raises:
            LabelVersionError: the round is not there, was changed, or was made by another config or of other tables.
        """
        path = self.path(state['step'])
        advice = 'Resume from an earlier checkpoint, or train anew in another --work-dir.'
        if not path.is_dir():
            raise LabelVersionError(f'{path}: not there, but the checkpoint was trained on these labels. {advice}')
        if load_json(path / _MANIFEST)['fingerprint'] != self.fingerprint:
            raise LabelVersionError(f'{path}: made by another config of DTORefreshHook or of other tables. Resume with '
                                    'the config they were made by.')
        if _digest(path) != state['digest']:
            raise LabelVersionError(f'{path}: not the labels that the checkpoint was trained on. {advice}')
        return [PeopleTable(path / f'table_{i}') for i in range(len(self.tables))]


def _fingerprint(config, tables):
    text = hashlib.sha256(json.dumps([mmhuman_dto.__version__, config], sort_keys=True, default=str).encode())
    for table in tables:
        text.update(json.dumps(table.schema, sort_keys=True).encode())
        text.update(table.id_bytes.tobytes())
        text.update(np.asarray(table.people_offsets).tobytes())
    return text.hexdigest()


def _digest(folder):
    """SHA-256 of names and contents of the tables below a folder."""
    text = hashlib.sha256()
    for path in sorted(folder.glob('table_*/*')):
        text.update(f'{path.relative_to(folder)}\0'.encode() + path.read_bytes())
    return text.hexdigest()

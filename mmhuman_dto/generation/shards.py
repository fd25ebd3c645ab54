"""Shards: fixed runs of images whose results appear on disk whole or not at all, and their merging."""
import errno
import json
import logging
import shutil
import zlib
from collections import Counter
from pathlib import Path

from mmhuman_dto.dto import count_reasons
from mmhuman_dto.fileio.atomic import publish
from mmhuman_dto.tables.people_table import PeopleTable, merge_tables

TABLE, SHEETS = 'people_table', 'contact_sheets'
#: Logs: of images that went wrong, of images left out by a rule, of people who are not in the table.
FAILURES, SKIPPED, LEFT_OUT = 'failures.jsonl', 'skipped.jsonl', 'left_out.jsonl'
_MERGING, _CHECKSUMS = '.merging', 'checksums.json'
#: Bytes read at a time for a checksum.
_BLOCK = 1 << 20
_LOGGER = logging.getLogger(__name__)


class Shards:
    """The shards of a run, in its output folder: shard k holds images k * size up to (k + 1) * size."""
    #: Logs that each shard has.
    logs = (FAILURES, SKIPPED, LEFT_OUT)

    def __init__(self, folder, num_images, size):
        self.out, self.folder = Path(folder), Path(folder) / 'shards'
        self.num_images, self.size = num_images, size

    def __len__(self):
        return -(-self.num_images // self.size)

    def images(self, shard):
        """Indices of a shard's images."""
        return range(shard * self.size, min((shard + 1) * self.size, self.num_images))

    def count_images(self, shards):
        """How many images some shards hold together."""
        return sum(len(self.images(shard)) for shard in shards)

    def path(self, shard):
        return self.folder / f'{shard:06d}'

    def is_done(self, shard):
        """Whether a shard is there as it was written; a damaged one is reported, to be made again."""
        path = self.path(shard)
        if not path.is_dir():
            return False
        damaged = _damaged_files(path)
        if damaged:
            _LOGGER.warning('%s: made again, not as it was written: %s', path, ', '.join(damaged))
        return not damaged

    def of_rank(self, rank, world_size):
        """Shards a process takes: fixed by its rank, so no two processes ever write the same one."""
        return range(rank, len(self), world_size)

    def begin(self, shard, attempt=''):
        """An empty temporary folder to write the shard into; attempts that may run at the same time have names."""
        temporary = self.folder / f'.{shard:06d}{attempt}.tmp'
        if temporary.exists():
            shutil.rmtree(temporary)
        temporary.mkdir(parents=True)
        return temporary

    def commit(self, shard, temporary):
        """Force the temporary folder to disk and give it its final name, unless another attempt did so before."""
        final = self.path(shard)
        (temporary / _CHECKSUMS).write_text(json.dumps(_checksums(temporary)), encoding='utf-8')
        if final.is_dir() and _damaged_files(final):
            shutil.rmtree(final)
        try:
            publish(temporary, final)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            shutil.rmtree(temporary)

    def merge(self):
        """Merge all shards into the run's final files, replacing those of an interrupted merge."""
        merging = self.out / _MERGING
        if merging.exists():
            shutil.rmtree(merging)
        merging.mkdir()
        paths = [self.path(shard) for shard in range(len(self))]
        merge_tables([path / TABLE for path in paths], merging / TABLE)
        for name in self.logs:
            with open(merging / name, 'wb') as file:
                for path in paths:
                    file.write((path / name).read_bytes())
        for path in paths:
            shutil.copytree(path / SHEETS, merging / SHEETS, dirs_exist_ok=True)
        for item in sorted(merging.iterdir()):
            if (final := self.out / item.name).is_dir():
                shutil.rmtree(final)
            publish(item, final)
        merging.rmdir()

    def clean(self):
        """Remove the shards, once their merged files are recorded as complete."""
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.out / _MERGING, ignore_errors=True)


def write_shard(folder, table, outcomes, left_out):
    """Write a shard's table, of the kept images, and logs into a folder begun with :meth:`Shards.begin`.

    ``outcomes`` are those of the other images, in their order, ``left_out`` the lines of people who are not in the
    table; contact sheets are there already.
    """
    table.write(folder / TABLE)
    (folder / SHEETS).mkdir(exist_ok=True)
    for name, kind in ((FAILURES, 'failed'), (SKIPPED, 'skipped')):
        write_lines(folder / name, [_line_of(outcome) for outcome in outcomes if outcome.kind == kind])
    write_lines(folder / LEFT_OUT, left_out)


def _line_of(outcome):
    line = dict(image=outcome.image, stage=outcome.stage, reason=outcome.reason)
    return dict(line, left_out=count_reasons(dict(outcome.left_out).values())) if outcome.left_out else line


def count(folder):
    """Counts of a shard or a merged run: kept images and people, failed images, skipped images and left out people by
    reason."""
    folder = Path(folder)
    table = PeopleTable(folder / TABLE)
    reasons = Counter(line['reason'] for line in read_lines(folder / SKIPPED))
    return dict(kept=len(table), people=table.schema['num_people'],
                failed=sum(1 for _ in read_lines(folder / FAILURES)), skipped=sum(reasons.values()),
                skipped_by_reason=dict(reasons), left_out=count_left_out(folder))


def count_left_out(folder):
    """People who are not in the table of a shard or a merged run, by reason, the most first."""
    return dict(Counter(' '.join(filter(None, (line.get('field'), line['reason'])))
                        for line in read_lines(Path(folder) / LEFT_OUT)).most_common())


def write_lines(path, entries):
    """Write a ``.jsonl`` log."""
    with open(path, 'w', encoding='utf-8') as file:
        file.writelines(json.dumps(entry, ensure_ascii=False) + '\n' for entry in entries)


def read_lines(path):
    """The entries of a ``.jsonl`` log, one at a time."""
    with open(path, encoding='utf-8') as file:
        for line in file:
            yield json.loads(line)


def _checksums(folder):
    """Path below a folder -> CRC-32 of the file, of all files but the checksums' own."""
    return {str(path.relative_to(folder)): _checksum(path) for path in sorted(folder.rglob('*'))
            if path.is_file() and path != folder / _CHECKSUMS}


def _checksum(path):
    checksum = 0
    with open(path, 'rb') as file:
        while block := file.read(_BLOCK):
            checksum = zlib.crc32(block, checksum)
    return checksum


def _damaged_files(folder):
    """Files of a finished shard that are not those whose checksums were written."""
    try:
        want = dict(json.loads((folder / _CHECKSUMS).read_text(encoding='utf-8')))
    except (FileNotFoundError, TypeError, ValueError):
        return [_CHECKSUMS]
    have = _checksums(folder)
    return sorted(name for name in want.keys() | have.keys() if want.get(name) != have.get(name))

"""The people of a picture as a table that prints itself."""
import html
from collections import Counter
from collections.abc import Sequence

import numpy as np

from mmhuman_dto.dto import counted

from .text_table import as_html, as_text, filled

_HEADER = ('person', 'height', 'distance', 'score', 'joints seen', 'note')


class PeopleView(Sequence):
    """Rows (:class:`~mmhuman_dto.visualization.PersonRow`) of one picture, and what is to be known of all of them.

    ``print(people)`` gives a table, as notebooks show it; ``people[0].height`` a number, m.
    """

    def __init__(self, rows, remarks=()):
        self.rows, self.remarks = list(rows), tuple(remarks)

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        return self.rows[index]

    def __repr__(self):
        return '\n'.join([*(as_text(*self._table()) if self.rows else ['nobody found']), *self.remarks])

    def _repr_html_(self):
        table = as_html(*self._table()) if self.rows else '<p>nobody found</p>'
        return table + ''.join(f'<p>{html.escape(remark)}</p>' for remark in self.remarks)

    def _table(self):
        return filled(_HEADER, [
            (str(row.person), row.height_text, row.distance_text,
             '' if np.isnan(row.score) else f'{row.score:.2f}', row.joints_text, row.note) for row in self.rows])

    @property
    def summary(self):
        """One line: how many, how far away and how tall, with standard deviations where they are known."""
        if not self.rows:
            return 'nobody found'
        said = [f'{len(self)} {"person" if len(self) == 1 else "people"}',
                f'{self._range("distance")} away', f'{self._range("height")} tall']
        return '; '.join([', '.join(said), *self._not_placed()])

    def _not_placed(self):
        """How many DTO left out, and why."""
        reasons = Counter(row.note.removeprefix('not placed: ') for row in self.rows if row.note)
        return [f'{reasons.total()} not placed by DTO ({counted(reasons)})'] if reasons else []

    def _range(self, name):
        rows = sorted(self.rows, key=lambda row: getattr(row, name))
        low, high = (getattr(row, f'{name}_text') for row in (rows[0], rows[-1]))
        return low if low == high else f'{low.removesuffix(" m")} to {high}'

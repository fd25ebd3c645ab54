import sys

import pytest

from mmhuman_dto.fileio.packages import require
from mmhuman_dto.visualization import show


def test_what_is_there_is_imported():
    assert require('json', 'ray').dumps([1]) == '[1]'


def test_what_is_not_there_is_named_with_the_command(monkeypatch):
    with pytest.raises(ImportError, match=r'no_such_package cannot be imported .*: pip install "mmhuman_dto\[ray\]", '
                                          r'or pip install -r requirements/ray.txt; see docs/scale.md'):
        require('no_such_package', 'ray', 'docs/scale.md')
    monkeypatch.setitem(sys.modules, 'viser', None)
    with pytest.raises(ImportError, match=r'pip install viser, or pip install "mmhuman_dto\[viewer\]"'):
        show([], block=False)

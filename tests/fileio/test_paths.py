import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmhuman_dto.fileio.paths import UnsafePathError, path_below


def test_paths_below_a_root(tmp_path):
    assert path_below(tmp_path, 'train/ä 1.jpg') == str(tmp_path / 'train/ä 1.jpg')
    assert path_below(tmp_path, './a..b/..c.jpg') == str(tmp_path / 'a..b/..c.jpg')


@pytest.mark.parametrize('name', ['', '.', '/etc/passwd', '//host/share', '../a.jpg', 'a/../../b.jpg', 'a/..', '..',
                                  '\\\\host\\share\\a', 'C:\\a.jpg', 'C:a.jpg', 'a\\..\\..\\b.jpg', 'a\0.jpg'])
def test_paths_that_lead_elsewhere_are_refused(name):
    with pytest.raises(UnsafePathError, match='is no path below data/images: it must be relative'):
        path_below('data/images', name)


@given(st.lists(st.sampled_from(['..', '.', 'a', '/', '\\', '..a', 'b..', '']), max_size=8).map('/'.join))
def test_what_is_accepted_stays_below(name):
    import posixpath
    try:
        path = path_below('/data/images', name)
    except UnsafePathError:
        return
    assert posixpath.normpath(path).startswith('/data/images/')


def test_separators_of_windows(tmp_path):
    """Annotations made there name folders with them; on other systems a file may be called so."""
    (tmp_path / 'train').mkdir()
    (tmp_path / 'train/a.jpg').touch()
    assert path_below(tmp_path, 'train\\a.jpg') == str(tmp_path / 'train/a.jpg')
    (tmp_path / 'train\\a.jpg').touch()
    assert path_below(tmp_path, 'train\\a.jpg') == str(tmp_path / 'train\\a.jpg')

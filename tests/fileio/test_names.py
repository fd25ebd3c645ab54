"""No output overwrites another, whatever pictures are called."""
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmhuman_dto.fileio.names import OutputNames, printable


@pytest.mark.parametrize('ids, names', [
    (['a.jpg', 'deep/a.jpg', 'clip.mp4/000012'], ['a', 'deep/a', 'clip.mp4/000012']),
    (['a.jpg', 'a.png', 'a.jpg', 'a.jpg'], ['a', 'a_png', 'a_jpg', 'a_jpg_2']),
    (['party.jpg', 'party_before.jpg'], ['party', 'party_before_jpg']),
    (['party_before.jpg', 'party.jpg'], ['party_before', 'party_jpg']),
    (['A.jpg', 'a.jpg', 'é.jpg', 'é.png'], ['A', 'a_jpg', 'é', 'é_png']),
    (['a.jpg/b.jpg', 'a.jpg/c.jpg', 'a.png'], ['a.jpg/b', 'a.jpg/c', 'a_png']),
    (['a.png', 'a.jpg/b.jpg'], ['a', 'a_jpg/b_jpg']),
    (['a\\b.jpg', 'c\nd.jpg', '..', '/etc/passwd', ''], ['a_b', 'c_d', '__', 'etc/passwd', '_']),
    (['.jpg', 'v1.2.jpg'], ['.jpg', 'v1.2'])])
def test_names(ids, names):
    taken = OutputNames()
    assert [taken.of(img_id) for img_id in ids] == names


def test_names_as_long_as_disks_take_them(tmp_path):
    taken = OutputNames()
    for img_id in ('x' * 251 + '.jpg', 'x' * 250 + 'y.jpg', 'ä' * 125 + '.jpg', 'x' * 255 + '/' + 'ß' * 120 + '.png'):
        path = tmp_path / f'{taken.of(img_id)}_before.json'
        path.parent.mkdir(exist_ok=True)
        path.touch(exist_ok=False)
    assert len(list(tmp_path.iterdir())) == 4


_PARTS = st.sampled_from(['a', 'A', 'a_before', 'a.jpg', 'a.png', 'a_jpg', 'é', 'é', '..', 'a_before_before'])


@given(st.lists(st.lists(_PARTS, min_size=1, max_size=2).map('/'.join), max_size=8))
def test_no_two_pictures_share_a_file(ids):
    taken = OutputNames()
    names = [taken.of(img_id) for img_id in ids]
    files = [f'{name}{before}{suffix}'.casefold() for name in names for before in ('', '_before')
             for suffix in ('.jpg', '.png', '.json')]
    assert len(set(files)) == len(files)
    folders = {'/'.join(parts) for name in names for parts in itertools.accumulate(
        ([part] for part in name.casefold().split('/')[:-1]), lambda a, b: a + b)}
    assert not folders & set(files) and not any('..' in name.split('/') for name in names)


def test_text_that_can_be_written():
    assert printable('ä.jpg') == 'ä.jpg' and printable('a\udcff') == 'a\\udcff'
    printable('a\udcff').encode()

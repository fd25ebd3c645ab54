import pytest
import torch
from moving_people import walking_clip

from mmhuman_dto.body_models import OpenBody
from mmhuman_dto.structures import Clip
from mmhuman_dto.tables.clip_table import read_clip, write_clip
from mmhuman_dto.tables.people_table import PeopleTable, PeopleTableBuilder, TableError


@pytest.fixture
def clip():
    return walking_clip(OpenBody(), shots=[0, 20])


@pytest.mark.parametrize('moves', [False, True])
def test_a_clip_comes_back(clip, moves, tmp_path):
    if moves:
        clip.camera_poses = torch.rand(len(clip), 4, 4, dtype=torch.float64)
    clip.times[5] += .01
    write_clip(tmp_path / 'a', clip)
    again = read_clip(tmp_path / 'a')
    assert (again.name, again.image_size, again.shots, again.body_model) == ('walk', (480, 640), [0, 20], 'OpenBody')
    assert torch.equal(again.times, clip.times) and torch.equal(again.intrinsics, clip.intrinsics)
    assert again.camera_poses is None if not moves else torch.equal(again.camera_poses, clip.camera_poses)
    assert [track.track_id for track in again.tracks] == [2, 5, 7]
    for track, truth in zip(again.tracks, clip.tracks):
        assert torch.equal(track.frames, truth.frames) and set(track.people.keys()) == set(truth.people.keys())
        for name in set(truth.people.keys()):
            assert torch.equal(track.people[name], truth.people[name]), name


def test_a_frame_is_an_image_and_ids_are_a_column(clip, tmp_path):
    write_clip(tmp_path / 'a', clip)
    table = PeopleTable(tmp_path / 'a')
    assert len(table) == len(clip) and table.image_id(3) == '000003' and table[3].time == pytest.approx(.3)
    assert table[12].pred_instances.track_ids.tolist() == [2, 5]


def test_another_clip_takes_the_place_of_one_but_of_nothing_else(clip, tmp_path):
    write_clip(tmp_path / 'a', clip)
    for track in clip.tracks:
        del track.people.scores
    write_clip(tmp_path / 'a', clip)
    assert 'scores' not in read_clip(tmp_path / 'a').tracks[0].people
    assert not (tmp_path / 'a/people.scores.npy').exists() and list(tmp_path.iterdir()) == [tmp_path / 'a']
    (tmp_path / 'b').mkdir()
    (tmp_path / 'b/mine.txt').write_text('dear')
    with pytest.raises(TableError, match='b: there is something else than a table; move it away'):
        write_clip(tmp_path / 'b', clip)
    assert (tmp_path / 'b/mine.txt').read_text() == 'dear'


def test_nobody_at_all_comes_back(tmp_path):
    clip = Clip('empty', torch.arange(3, dtype=torch.float64), (48, 64), torch.eye(3).repeat(3, 1, 1), [])
    write_clip(tmp_path / 'a', clip)
    again = read_clip(tmp_path / 'a')
    assert again.tracks == [] and len(again) == 3 and again.image_size == (48, 64)


def test_a_table_of_pictures_is_no_clip(clip, tmp_path):
    builder = PeopleTableBuilder('OpenBody')
    builder.add(next(clip.samples()))
    builder.write(tmp_path / 'a')
    with pytest.raises(TableError, match='a: a table without times of its frames'):
        read_clip(tmp_path / 'a')

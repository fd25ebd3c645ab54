"""Videos on the command line: followed, saved, refused, killed and gone on with."""
import hashlib
import shutil
import signal
import subprocess
import sys
import time

import pytest
from known_clip import COUNT, moving_crowd, write_joints, write_video
from scripts import ROOT, load_script

from mmhuman_dto.fileio.images import write_image
from mmhuman_dto.fileio.video import VideoReader
from mmhuman_dto.tables.clip_table import read_clip

demo = load_script('demo/image_demo.py')


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('videos')
    write_joints(folder / 'joints.npz', moving_crowd())
    write_video(folder / 'walk.mp4', COUNT)
    return folder


def options(folder):
    return ['--focal', '200', '--cfg-options', 'stages.detect.source.type=KnownClipJoints',
            f'stages.detect.source.path={folder / "joints.npz"}']


def test_a_video_is_one_file_a_kind_and_nothing_else(folder, tmp_path, capsys):
    assert demo.main([str(folder / 'walk.mp4'), '--out-dir', str(tmp_path), '--save', 'csv', 'params', *options(folder)]
                     ) == 0
    printed = capsys.readouterr().out
    assert f'{COUNT} frames' in printed and '2 people (0: ' in printed and 'csv/walk.csv' in printed
    assert sorted(path.name for path in tmp_path.iterdir()) == ['csv', 'params']
    assert [len(track) for track in read_clip(tmp_path / 'params/walk').tracks] == [COUNT, COUNT]
    lines = (tmp_path / 'csv/walk.csv').read_text().splitlines()
    assert len(lines) == 1 + 2 * COUNT


def test_what_is_no_video_costs_itself_and_the_exit_status(folder, tmp_path, capsys):
    broken = tmp_path / 'broken.mp4'
    broken.write_bytes(b'no video')
    assert demo.main([str(broken), str(folder / 'walk.mp4'), '--out-dir', str(tmp_path / 'out'), '--save', 'csv',
                      *options(folder)]) == 1
    captured = capsys.readouterr()
    assert 'broken.mp4: cannot be read as a video' in captured.err and 'csv/walk.csv' in captured.out


@pytest.mark.parametrize('arguments, said', [
    (['--save', 'overlay'], '--save overlay: there are only mp4'), (['--no-dto'], '--no-dto is of pictures'),
    (['--model', 'x'], '--model is of pictures; --frame-by-frame makes videos such'),
    (['--cameras', 'nowhere.txt'], 'nowhere.txt')])
def test_options_that_videos_have_no_use_for_are_refused(folder, tmp_path, arguments, said):
    with pytest.raises(SystemExit, match=said):
        demo.main([str(folder / 'walk.mp4'), '--out-dir', str(tmp_path), *arguments])


def test_a_camera_is_looked_at_until_it_ends_and_written(folder, tmp_path, capsys, monkeypatch):
    image = moving_crowd().picture(0, _renderer()).image
    monkeypatch.setattr(demo, 'open_camera', lambda number: ((t, t / 10, image) for t in range(4)))
    seen = []
    monkeypatch.setattr(demo, 'shown', lambda picture, title: seen.append(picture.shape) or len(seen) < 3)
    assert demo.main(['0', '--out-dir', str(tmp_path), *options(folder)]) == 0
    assert 'camera0.mp4: 3 frames' in capsys.readouterr().out and len(seen) == 3 and seen[0][1] > seen[0][0]
    assert len(VideoReader(tmp_path / 'camera0.mp4').times) == 3


def test_what_a_camera_saw_until_ctrl_c_is_kept(folder, tmp_path, capsys, monkeypatch):
    image = moving_crowd().picture(0, _renderer()).image

    def frames(number):
        yield from ((t, t / 10, image) for t in range(3))
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, 'open_camera', frames)
    monkeypatch.setattr(demo, 'shown', lambda *_: True)
    assert demo.main(['1', '--out-dir', str(tmp_path / 'new'), *options(folder)]) == 0
    assert 'camera1.mp4: 3 frames' in capsys.readouterr().out
    assert len(VideoReader(tmp_path / 'new/camera1.mp4').times) == 3


def test_folders_have_videos_and_pictures(tmp_path):
    write_image(tmp_path / 'a.png', moving_crowd().picture(0, _renderer()).image)
    write_video(tmp_path / 'b.mp4', 2)
    assert demo.videos_of([tmp_path, '0', 'c.mkv', 'd.jpg']) == [tmp_path / 'b.mp4', '0', 'c.mkv']
    assert not demo.holds_only(tmp_path, [tmp_path / 'b.mp4'])
    (tmp_path / 'a.png').unlink()
    assert demo.holds_only(tmp_path, [tmp_path / 'b.mp4'])


def _renderer():
    from mmhuman_dto.synthetic import Renderer
    return Renderer(moving_crowd().body_model)


def test_who_was_killed_goes_on_to_the_same_bytes(folder, tmp_path):
    """The program killed while it works, and started again."""
    source = 'import sys; sys.path[:0] = [{0!r}, {1!r}]; import known_clip; from mmhuman_dto.apis.video import work; ' \
             'work.PART = 6; from scripts import load_script; ' \
             'sys.exit(load_script("demo/image_demo.py").main(sys.argv[1:]))'
    command = [sys.executable, '-c', source.format(str(ROOT / 'tests'), str(ROOT)), str(folder / 'walk.mp4'), '--save',
               'csv', 'params', *options(folder), '--out-dir']
    process = subprocess.Popen([*command, str(tmp_path / 'killed')], stdout=subprocess.DEVNULL)
    unfinished, deadline = tmp_path / 'killed' / 'unfinished', time.monotonic() + 120
    while not list(unfinished.rglob('bodies/*.safetensors')) and time.monotonic() < deadline:
        assert process.poll() is None or list(unfinished.rglob('*')) == []
        time.sleep(.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    for out in ('killed', 'whole'):
        subprocess.run([*command, str(tmp_path / out)], check=True, stdout=subprocess.DEVNULL)
    found = [{path.relative_to(tmp_path / out): hashlib.sha256(path.read_bytes()).hexdigest()
              for path in sorted((tmp_path / out).rglob('*')) if path.is_file()} for out in ('killed', 'whole')]
    assert found[0] == found[1] and len(found[0]) > 10
    shutil.rmtree(tmp_path)

"""The program place: meshes of any program in, the same files, numbers and pictures out; or a sentence why not."""
import json
import shutil

import numpy as np
import pytest
import torch
from apis.placing.moving import moving
from results import test_phalp as phalp
from scripts import load_script

from mmhuman_dto.__main__ import main as program
from mmhuman_dto.fileio.images import write_image
from mmhuman_dto.fileio.plain_pickle import write_pickle
from mmhuman_dto.fileio.video import VideoReader
from mmhuman_dto.registry import BODY_MODELS

tool = load_script('tools/place.py')
CAMERA = np.array([[800, 0, 480], [0, 800, 320], [0, 0, 1.]])


@pytest.fixture(scope='module')
def party(tmp_path_factory):
    """A picture's two people: an adult at 3.2 m and a child of 1.1 m at 3 m, who came as an adult at 4.6 m."""
    root, body_model = tmp_path_factory.mktemp('party'), BODY_MODELS.build(dict(type='OpenBody'))
    transl = torch.tensor([[-.6, 0., 3.2], [.6, 0., 4.6]])
    pose = torch.tensor([torch.pi, 0, 0] + [0.] * 69).expand(2, -1)
    vertices = body_model(pose, torch.zeros(2, 11), transl).vertices.numpy()
    (root / 'results').mkdir()
    np.savez(root / 'results' / 'party.npz', vertices=vertices, faces=body_model.faces.numpy(), K=CAMERA)
    write_image(root / 'images' / 'party.jpg', np.full((640, 960, 3), 90, np.uint8))
    (root / 'ages.json').write_text(json.dumps({'party': dict(ages=[40, 7], male_probs=[None, None])}))
    return root, vertices


def test_files_numbers_and_pictures(party, tmp_path, capsys):
    root, vertices = party
    assert tool.main([str(root / 'results'), '--images', str(root / 'images'), '--ages', str(root / 'ages.json'),
                      '--out', str(tmp_path), '--save', 'overlay', 'params']) == 0
    out = capsys.readouterr().out
    assert '1 picture of any program' in out and 'party.jpg: 2 people' in out
    report = json.loads((tmp_path / 'placement.json').read_text())
    adult, child = report['images'][0]['people']
    assert .95 < adult['scale'] < 1.1 and .6 < child['scale'] < .8
    assert 1. < child['height'] < 1.4
    with np.load(tmp_path / 'results' / 'party.npz') as written:
        assert set(written) == {'vertices', 'faces', 'K'} and (written['K'] == CAMERA).all()
        np.testing.assert_allclose(written['vertices'][1], child['scale'] * vertices[1], atol=1e-4)
    assert (tmp_path / 'overlay' / 'party.jpg').is_file() and (tmp_path / 'params' / 'party.json').is_file()


def test_reading_alone_gives_the_same_numbers(party, tmp_path):
    root, vertices = party
    assert tool.main([str(root / 'results'), '--no-dto', '--out', str(tmp_path), '--save', 'none']) == 0
    with np.load(tmp_path / 'results' / 'party.npz') as written:
        assert (written['vertices'] == vertices).all()


@pytest.mark.parametrize(('arguments', 'said'), [
    (['nowhere'], 'nowhere: not found'),
    (['{root}/results', '--from', 'prophecy'], '--from prophecy: no such kind'),
    (['{root}/images'], 'no known results'),
    (['{root}/results', '--images', '{root}/none'], 'none: not found'),
    (['{root}/results/party.npz', '--from', 'camerahmr'], 'It looks like meshes: leave out --from'),
    (['{root}/results', '--from', 'phalp'], 'It looks like meshes: leave out --from'),
    (['{root}/images', '--from', 'phalp'], 'images: a folder (there are 1 .jpg); expected results/'),
    (['{root}/results', '--focal', '28mm'], 'focal 28mm: expected px'),
    (['{root}/results', '--ages', '{root}/none.json'], 'none.json'),
])
def test_what_cannot_be_is_said_in_one_line(party, tmp_path, arguments, said):
    with pytest.raises(SystemExit) as ended:
        tool.main([part.format(root=party[0]) for part in arguments] + ['--out', str(tmp_path)])
    assert said in str(ended.value) and '\n' not in str(ended.value)


def test_a_folder_of_this_and_that_names_what_is_in_it(party, tmp_path):
    root, _ = party
    np.savez(tmp_path / 'a.npz', x=0)
    (tmp_path / 'b.npz').write_bytes((root / 'results/party.npz').read_bytes())
    with pytest.raises(SystemExit) as ended:
        tool.main([str(tmp_path), '--out', str(tmp_path / 'out')])
    assert 'no known results; name what is in it: b.npz of meshes' in str(ended.value)


def test_results_without_a_camera_say_whose_picture_is_missing(party, tmp_path):
    root, _ = party
    (tmp_path / 'results').mkdir()
    np.savez(tmp_path / 'results/other.npz', results={
        key: np.zeros((1, *shape), np.float32) for key, shape in dict(
            cam_trans=(3, ), smpl_betas=(10, ), smpl_thetas=(72, )).items()})
    with_images = ['--images', str(root / 'images')], 'images has no picture of that name'
    for images, said in with_images, ([], 'give --images'):
        with pytest.raises(SystemExit) as ended:
            tool.main([str(tmp_path / 'results'), '--out', str(tmp_path / 'out'), *images])
        assert str(ended.value).endswith(said)


def test_nobody_placed_is_no_success(party, tmp_path, capsys):
    root, vertices = party
    (tmp_path / 'results').mkdir()
    np.savez(tmp_path / 'results' / 'party.npz', vertices=vertices[:0], faces=np.zeros((1, 3), int), K=CAMERA)
    assert tool.main([str(tmp_path / 'results'), '--out', str(tmp_path / 'out'), '--save', 'none']) == 1
    said = capsys.readouterr()
    assert 'nobody found' in said.out and 'Nobody was placed' in said.err


def test_a_broken_file_costs_itself_and_the_exit_status(party, tmp_path, capsys):
    root, vertices = party
    folder = tmp_path / 'results'
    shutil.copytree(root / 'results', folder)
    (folder / 'broken.npz').write_bytes((folder / 'party.npz').read_bytes()[:900])
    np.savez(folder / 'zoo.npz', vertices=vertices, faces=np.zeros((1, 3), int), K=CAMERA)
    assert tool.main([str(folder), '--out', str(tmp_path / 'out'), '--save', 'none']) == 1
    said = capsys.readouterr()
    assert 'broken.npz' in said.err and 'party' in said.out
    report = json.loads((tmp_path / 'out' / 'placement.json').read_text())
    assert len(report['images']) == 1 and len(report['failed']) == 2
    assert [path.name for path in (tmp_path / 'out' / 'results').iterdir()] == ['party.npz']


@pytest.fixture(scope='module')
def video(tmp_path_factory):
    """PHALP's file of two people in 8 frames."""
    root, crowd = tmp_path_factory.mktemp('video'), moving(seconds=8 / 30, people=(2, 2))
    write_pickle(root / 'v.pkl', phalp.frames_of(crowd.seen_by(5000 / 256 * max(crowd.size)), 8, crowd.size))
    return root / 'v.pkl', crowd.focal


def test_a_video_is_one_film_one_table_and_a_line_a_person(video, tmp_path, capsys):
    results, focal = video
    assert tool.main([str(results), '--focal', str(focal), '--out', str(tmp_path), '--fps', '10']) == 0
    said = capsys.readouterr().out
    assert '8 frames of 4D-Humans' in said and 'stand still; --cameras' in said and '000001.jpg' not in said
    for number in (0, 1):
        assert any(line.startswith(f'#{number}: ') and line.endswith('m tall, in 8 frames, 0.0 to 0.7 s')
                   for line in said.splitlines())
    film = VideoReader(tmp_path / 'mp4/v.mp4')
    assert (film.num_frames, film.fps, film.size[0]) == (8, 10, 480)
    lines = (tmp_path / 'csv/v.csv').read_text().splitlines()
    report = json.loads((tmp_path / 'placement.json').read_text())
    assert len(lines) == 17 and (tmp_path / 'params/v/schema.json').is_file()
    rows = {tuple(line.split(',')[:3:2]): line.split(',') for line in lines[1:]}
    for frame, image in enumerate(report['images']):
        for person in image['people']:
            row = rows[str(frame), str(person['track_id'])]
            # Of few vertices the middle is the mesh's to a centimetre.
            assert float(row[6]) == pytest.approx(person['distance'], abs=.02)
            assert float(row[8]) == pytest.approx(person['height'], abs=1e-4)


def test_kinds_of_whole_videos_and_of_their_frames(video, party, tmp_path, capsys):
    results, focal = video
    assert tool.main([str(results), '--focal', str(focal), '--out', str(tmp_path), '--save', 'overlay', 'amass',
                      'glb']) == 1  # an animated file needs a body model
    assert 'no glb of v: it needs a body model' in capsys.readouterr().err
    assert len(list((tmp_path / 'overlay').iterdir())) == 8
    with np.load(tmp_path / 'amass/v/person_1.npz') as motion:
        assert len(motion['trans']) == 8
    with pytest.raises(SystemExit) as ended:
        tool.main([str(party[0] / 'results'), '--out', str(tmp_path), '--save', 'mp4', 'overlay', 'csv'])
    assert '--save mp4 csv: of videos only' in str(ended.value)


def test_frames_of_a_video_each_for_itself(video, party, tmp_path):
    results, focal = video
    heights = {}
    for frames in ([], ['--frame-by-frame']):
        assert tool.main([str(results), '--focal', str(focal), '--out', str(tmp_path), '--save', 'none', *frames]) == 0
        report = json.loads((tmp_path / 'placement.json').read_text())
        assert report['through_time'] == (not frames)
        heights[len(frames)] = np.ptp([image['people'][0]['height'] for image in report['images']])
    assert heights[0] < 1e-5 < .002 < heights[1]
    for arguments in ([str(results), '--frame-by-frame', '--cameras', 'still'], [str(party[0] / 'results'), '--cameras',
                                                                                 'still']):
        with pytest.raises(SystemExit) as ended:
            tool.main([*arguments, '--out', str(tmp_path)])
        assert '--cameras' in str(ended.value)


def test_pictures_are_shown_after_all_is_written(party, tmp_path, monkeypatch):
    shown = []
    monkeypatch.setattr(tool, 'load_viser', lambda: None)
    monkeypatch.setattr(tool, 'show', lambda scenes: shown.extend(
        (scene.title, (tmp_path / 'placement.json').is_file()) for scene in scenes))
    assert tool.main([str(party[0] / 'results'), '--out', str(tmp_path), '--save', 'none', '--show']) == 0
    assert shown == [('party', True)]


def test_it_is_one_of_the_programs(monkeypatch, capsys):
    monkeypatch.setattr('sys.argv', ['mmhuman-dto', 'place', '--list'])
    with pytest.raises(SystemExit) as ended:
        program()
    assert ended.value.code == 0 and 'any program' in capsys.readouterr().out

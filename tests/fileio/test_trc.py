import numpy as np

from mmhuman_dto.fileio.trc import write_trc


def read_trc(path):
    """(names, (T, K, 3), header's numbers by name, seconds of each frame)."""
    lines = [line.split('\t') for line in path.read_text().splitlines()]
    assert lines[0] == ['PathFileType', '4', '(X/Y/Z)', path.name]
    about = dict(zip(lines[1], lines[2]))
    assert lines[3][:2] == ['Frame#', 'Time'] and lines[4][:2] == ['', '']
    names = lines[3][2::3]
    assert lines[4][2:] == [f'{axis}{row + 1}' for row in range(len(names)) for axis in 'XYZ']
    assert lines[5] == ['']
    rows = np.array(lines[6:], float)
    assert rows[:, 0].tolist() == list(range(1, len(rows) + 1)) and rows.shape[1] == 2 + 3 * len(names)
    return names, rows[:, 2:].reshape(len(rows), -1, 3), about, rows[:, 1]


def test_points_come_back(tmp_path):
    points = np.random.default_rng(0).normal(size=(3, 2, 3)) * 5
    write_trc(tmp_path / 'a.trc', ('pelvis', 'left_heel'), points, 25)
    names, read, about, seconds = read_trc(tmp_path / 'a.trc')
    assert names == ['pelvis', 'left_heel'] and seconds.tolist() == [0, .04, .08]
    np.testing.assert_allclose(read, points, atol=1e-6)
    assert about == dict(DataRate='25', CameraRate='25', NumFrames='3', NumMarkers='2', Units='m', OrigDataRate='25',
                         OrigDataStartFrame='1', OrigNumFrames='3')

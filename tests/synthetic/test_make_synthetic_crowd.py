import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from mmhuman_dto.tables.people_table import PeopleTable

ROOT = Path(__file__).parents[2]


def test_tool_writes_the_scenes_asked_for(tmp_path):
    command = [sys.executable, 'tools/misc/make_synthetic_crowd.py', tmp_path, '--indices', '4', '1', '--seed', '3',
               '--size', '96', '144', '--people', '2', '3', '--child-share', '1', '--no-errors',
               '--fov', '30', '60', '--first-row', '.5', '.6', '--depth-range', '1.2', '1.5', '--far-share', '0']
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    about = json.loads((tmp_path / 'crowd.json').read_text())
    assert about['indices'] == [4, 1] and about['seed'] == 3 and about['config']['size'] == [96, 144]
    assert about['config']['fov'] == [30, 60] and about['config']['far_share'] == 0
    assert about['config']['first_row'] == [.5, .6] and about['config']['depth_range'] == [1.2, 1.5]
    truth = PeopleTable(tmp_path / 'truth')
    initial = np.load(tmp_path / 'initial_meshes.npz', allow_pickle=True)['annots'].item()
    assert list(initial) == ['0000.jpg', '0001.jpg']
    for i, record in enumerate(initial.values()):
        people = truth[i].pred_instances
        assert 2 <= len(people) <= 3 and (people.ages < 15).all()
        assert np.allclose(record['trans_cam'], people.transl, atol=1e-3)

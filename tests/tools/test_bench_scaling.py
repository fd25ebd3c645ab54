import json
import time
from contextlib import contextmanager

import pytest
from scripts import load_script

bench = load_script('tools/benchmark/bench_scaling.py')


def work(seconds):
    """Keep the processor busy."""
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


class Model:
    """A step takes .1 s of processor and .2 s of wall time, .05 s less of both without averaging."""
    averages = True

    def train_step(self, batch, wrapper):
        work(.1 if self.averages else .05)
        time.sleep(.1)

    @contextmanager
    def no_sync(self):
        self.averages = False
        yield


def test_a_step_is_timed_apart_from_its_loading():
    batches = iter(lambda: work(.05), 0)
    for averaged, training in ((True, .1), (False, .05)):
        row = bench.step(Model(), None, batches, averaged)
        assert (row['loading'], row['training']) == (pytest.approx(.05, abs=.02), pytest.approx(training, abs=.02))
        assert row['wall'] >= training + .1


def test_images_are_shared_evenly():
    with pytest.raises(SystemExit, match='--images 3'):
        bench.main(['--images', '3'])


@pytest.mark.slow
def test_every_case_trains(tmp_path):
    bench.main(['--images', '2', '--steps', '2', '--json', str(tmp_path / 'figures.json')])
    results = json.loads((tmp_path / 'figures.json').read_text())['results']
    assert [(r['case'], r['processes']) for r in results] == [('one process', 1), ('DDP', 2), ('FSDP', 2)]
    assert all(r['seconds'] > 0 and r['processor'] > 0 and 0 < r['loader'] < 1 for r in results)

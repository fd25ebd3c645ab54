"""tools/generate_dto.py: arguments, exit status and what it prints."""
import json

import pytest


def test_plain_lines_when_not_a_terminal(tool, crowd):
    status, out, _ = tool(crowd.config, '--out-dir', crowd.out, '--limit', 6)
    assert status == 0
    assert 'DTO: 6/6 images' in out and 'kept 6, skipped 0, failed 0' in out and '\x1b' not in out
    assert json.loads((crowd.out / 'manifest.json').read_text())['counts']['kept'] == 6


def test_status_follows_max_failures(tool, crowd):
    for name in ('0001', '0004'):
        (crowd.data / 'images' / f'{name}.jpg').unlink()
    assert tool(crowd.config, '--out-dir', crowd.out, '--max-failures', 1)[0] == 1
    status, out, _ = tool(crowd.config, '--out-dir', crowd.out, '--resume', '--max-failures', 2)
    assert status == 0 and 'failed 2' in out and 'failures.jsonl' in out
    assert tool(crowd.config, '--out-dir', crowd.out, '--resume')[0] == 0


def test_status_is_not_zero_when_nothing_survives(tool, crowd):
    (crowd.data / 'images' / '0000.jpg').unlink()
    assert tool(crowd.config, '--out-dir', crowd.out, '--limit', 1)[0] == 1


def test_a_kind_of_depth_maps_is_said_on_the_command_line(tool, crowd, caplog):
    """The source and the terms of the solver follow: what is disparity cannot be metres, which is told."""
    posterior = crowd.config.parent / 'posterior.py'
    posterior.write_text(f"_base_ = ['{crowd.config}']\n"
                         "stages = dict(dto=dict(solver=dict(_delete_=True, type='PosteriorDTO', terms=dict())))\n")
    arguments = [posterior, '--out-dir', crowd.out, '--limit', 4, '--depth-kind']
    assert tool(*arguments, 'metres')[0] == 0
    assert 'Do the files hold disparity, not metres? stages.depth.source.kind=disparity' in caplog.text
    config = json.loads((crowd.out / 'manifest.json').read_text())['config']
    assert config['stages']['depth']['source']['kind'] == 'metres'
    terms = config['stages']['dto']['solver']['terms']
    assert (terms['depth']['scale_std'], terms['depth']['domain'], terms['relief']['domain']) == (.1, 'log', 'log')
    assert tool(*arguments, 'feet')[0] == 2


def test_refusals_are_one_line_and_status_2(tool, crowd):
    tool(crowd.config, '--out-dir', crowd.out, '--limit', 1)
    for arguments, message in (
        (['--out-dir', crowd.out], 'is not empty: go on with --resume'),
        (['--out-dir', crowd.out, '--resume'], 'made from another config: 1 images then, 23 now'),
        (['--out-dir', crowd.out / 'x', '--cfg-options', 'stages.depth.source.knd=depth'],
         "stages.depth.source (PrecomputedDepth) has no option 'knd' (did you mean 'kind'?)"),
        (['--out-dir', crowd.out / 'x', '--cfg-options', 'stages.dto.solver.type=PapreDTO'],
         "no dto solver is called 'PapreDTO' (did you mean 'PaperDTO'?)"),
        (['--out-dir', crowd.out / 'x', '--cfg-options', 'stages.depth=None'],
         'stages.dto (OptimiseTranslations) needs pred_maps.disparity, which no stage before sets'),
        (['--out-dir', crowd.out / 'x', '--cfg-options', 'batchsize=3'],
         "no option 'batchsize' (did you mean 'batch_size'?)"),
        (['--out-dir', crowd.out / 'x', '--cfg-options', 'source.ann_file=gone.npz'], 'gone.npz'),
        (['--out-dir', crowd.out / 'x', '--cfg-options', 'batch_size=0'], 'batch_size must be at least 1'),
    ):
        status, _, err = tool(crowd.config, *arguments)
        assert status == 2 and message in err and len(err.strip().splitlines()) == 1, err
    assert not (crowd.out / 'x').exists()


@pytest.mark.parametrize('arguments, message', [
    (['--outdir', 'x'], 'unrecognized arguments: --outdir'),
    (['--res'], 'unrecognized arguments: --res'),
    (['--limit', '0'], 'must be at least 1'),
    (['--launcher', 'mpi'], 'invalid choice'),
])
def test_unknown_arguments_fail(tool, arguments, message):
    status, _, err = tool('config.py', *arguments)
    assert status == 2 and message in err

"""The benchmark of conversions goes there and back, and prints what people are off by."""
import re

from scripts import load_script

from mmhuman_dto.synthetic.writers.smpl import write_synthetic_smpl


def test_there_and_back(tmp_path, capsys):
    folder = write_synthetic_smpl(tmp_path)
    load_script('tools/benchmark/bench_conversion.py').main(
        ['--people', '2', '--bodies', 'SMPL', '--model-path', str(folder)])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split('joints')[0].strip() for line in lines] == [
        'OpenBody -> OpenBody', 'OpenBody -> SMPL', 'SMPL -> OpenBody']
    joints, surface = map(float, re.findall(r'(?:joints|surface) +([\d.]+) mm', lines[0]))
    assert 0 < joints < 3 and 0 < surface < 2

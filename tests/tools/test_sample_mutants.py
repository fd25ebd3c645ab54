import json
import sys

from scripts import load_script


def test_the_same_mutants_each_time_and_what_became_of_them(tmp_path, monkeypatch, capsys):
    codes = {f'dto.{i}': code for i, code in enumerate([1] * 6 + [0, 33] + [None] * 2)}
    (tmp_path / 'mmhuman_dto/dto').mkdir(parents=True)
    (tmp_path / 'mmhuman_dto/dto/prior.py.meta').write_text(json.dumps(dict(exit_code_by_key=codes)))

    def said(*args):
        monkeypatch.setattr(sys, 'argv', ['', '--mutants', str(tmp_path), *args])
        load_script('tools/misc/sample_mutants.py').main()
        return capsys.readouterr().out.split()

    assert len(said('--count', '4')) == 4 and set(said()) == set(codes)
    assert said('--count', '4') == said('--count', '4') != said('--count', '4', '--seed', '1')
    assert said('--results')[:7] == ['dto:', '6', 'of', '8', 'noticed', *sorted(['dto.6', 'dto.7'], key=said().index)]

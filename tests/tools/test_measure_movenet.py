"""Statistics of features are those of the pictures drawn, for every channel of every feature."""
import torch
from scripts import load_script

from mmhuman_dto.movenet import FEATURES


def test_statistics_of_all_features(monkeypatch):
    script = load_script('tools/benchmark/measure_movenet.py')
    monkeypatch.setattr(script, 'SIZES', ((64, 96), ))
    monkeypatch.setattr(script, 'PICTURES', 2)
    seen, look = [], script.published_movenet().look
    monkeypatch.setattr(script, 'published_movenet', lambda: type('', (), dict(
        look=lambda self, images: seen.append(look(images)) or seen[-1]))())
    found = script.statistics()
    assert len(seen) == 2
    for name, (channels, _) in FEATURES.items():
        values = torch.cat([features[name][0].flatten(1) for _, features in seen], 1)
        assert found[f'{name}.mean'].shape == (channels, )
        torch.testing.assert_close(found[f'{name}.mean'], values.mean(1), rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(found[f'{name}.std'], values.std(1).clamp(min=script.LEAST), rtol=1e-3, atol=1e-4)

"""Packages and weights that are not there, or not safe, end in one clear message."""
import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from scripts import ROOT

from mmhuman_dto.perception import (
    MiVOLOAges,
    MMDetPeople,
    MMPoseKeypoints,
    TransformersAges,
    TransformersBoxes,
    TransformersDepth,
    TransformersKeypoints,
    TransformersPeople,
    WeightsError,
)
from mmhuman_dto.perception.optional import by_shape, class_index


def without(monkeypatch, package):
    """Make a package impossible to import."""
    monkeypatch.setitem(sys.modules, package, None)


@pytest.mark.parametrize('source', [TransformersAges, TransformersBoxes, TransformersDepth, TransformersKeypoints,
                                    TransformersPeople, MiVOLOAges])
def test_without_transformers_the_message_says_what_to_install(monkeypatch, source):
    without(monkeypatch, 'transformers')
    with pytest.raises(ImportError, match=r'transformers cannot be .*pip install "mmhuman_dto\[transformers\]"'):
        source('some/model')


@pytest.mark.parametrize('source, package', [(MMDetPeople, 'mmdet'), (MMPoseKeypoints, 'mmpose')])
def test_without_openmmlab_the_message_says_what_to_install(monkeypatch, tmp_path, source, package):
    monkeypatch.delitem(sys.modules, 'mmcv._ext', raising=False)
    without(monkeypatch, f'{package}.apis')
    without(monkeypatch, package)
    with pytest.raises(ImportError, match=rf'{package}.* cannot be .*pip install "mmhuman_dto\[openmmlab\]"'):
        source('config.py', 'weights.pth')


def test_importing_the_adapters_imports_none_of_their_packages():
    code = ('import sys, mmhuman_dto.perception, mmhuman_dto.generation;'
            'print([m for m in ("transformers", "mmdet", "mmpose", "torchvision") if m in sys.modules])')
    out = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == '[]'


def test_groups_are_of_one_shape_and_complete():
    shapes = [(2, 3), (3, 2), (2, 3), (2, 3), (2, 3), (1, 1)]
    groups = by_shape([torch.zeros(shape) for shape in shapes], 3)
    assert groups == [[0, 2, 3], [4], [1], [5]]


@pytest.mark.usefixtures('transformers')
def test_classes_are_found_by_name():
    assert class_index({0: 'N/A', 1: 'Person', 2: 'bicycle'}, ['person'], 'm') == 1
    with pytest.raises(WeightsError, match='some/model: none of its classes is called person: wall, sky'):
        class_index({0: 'wall', 1: 'sky'}, ['person', 'people'], 'some/model')


class TestTransformersWeights:
    def test_what_is_no_network_is_said(self, tmp_path, save_classifier):
        for model, message in (('https://example.com/model', 'URLs are not fetched'),
                               (str(tmp_path / 'gone'), 'no such folder, and no name of a model'),
                               (str(tmp_path), str(tmp_path)), (save_classifier(['a', 'b']), 'ViT')):
            with pytest.raises(WeightsError, match=message):
                TransformersDepth(model)

    def test_only_local_files_means_no_network(self, monkeypatch, tmp_path):
        monkeypatch.setattr('socket.socket.connect', lambda *args: pytest.fail('went to the network'))
        with pytest.raises(WeightsError, match='not downloaded before, and local_files_only is set.*hf download'):
            TransformersDepth('nobody/such-model-4711', local_files_only=True)

    def test_a_hub_that_cannot_be_reached(self, monkeypatch):
        import huggingface_hub

        def refuse(name, **options):
            raise huggingface_hub.errors.LocalEntryNotFoundError('Name or service not known')

        monkeypatch.setattr(huggingface_hub, 'snapshot_download', refuse)
        with pytest.raises(WeightsError, match=r'nobody/model: no such folder, .*hub did not give it \(Name or service '
                                               r'not known\)\. Where there is a network: hf download nobody/model'):
            TransformersDepth('nobody/model')

    @pytest.mark.parametrize('shard_size', ['1GB', '8KB'])
    def test_of_a_hubs_model_only_what_is_loaded_is_fetched(self, monkeypatch, save_depth, tmp_path, shard_size):
        """No pickles, no code, no other precisions, and nothing of folders such as a training's checkpoints."""
        import huggingface_hub
        import transformers
        source, repository, fetched = Path(save_depth()), tmp_path / 'repository', tmp_path / 'fetched'
        network = transformers.AutoModelForDepthEstimation.from_pretrained(source)
        network.save_pretrained(repository, max_shard_size=shard_size)
        shutil.copy(source / 'preprocessor_config.json', repository)
        wanted = {path.name for path in repository.iterdir()}
        assert (len(wanted) > 4) == (shard_size == '8KB')
        for name in ('checkpoint-10/config.json', 'checkpoint-10/model.safetensors', 'onnx/deeper/model.json',
                     'code.py', 'model.fp16.safetensors', 'model.fp16-00001-of-00002.safetensors', 'pytorch_model.bin'):
            (repository / name).parent.mkdir(parents=True, exist_ok=True)
            (repository / name).touch()

        def download(name, local_files_only, **patterns):
            files = [str(path.relative_to(repository)) for path in repository.rglob('*') if path.is_file()]
            for file in huggingface_hub.utils.filter_repo_objects(files, **patterns):
                (fetched / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(repository / file, fetched / file)
            return str(fetched)

        monkeypatch.setattr(huggingface_hub, 'snapshot_download', download)
        loaded = TransformersDepth('some/model', device='cpu').network
        assert {str(path.relative_to(fetched)) for path in fetched.rglob('*') if path.is_file()} == wanted
        for name, value in network.state_dict().items():
            assert torch.equal(value, loaded.state_dict()[name])

    def test_pickled_code_in_weights_is_not_run(self, save_depth, tmp_path):
        folder = Path(save_depth())

        class Bomb:
            def __reduce__(self):
                return open, (str(tmp_path / 'exploded'), 'w')

        (folder / 'model.safetensors').unlink()
        with open(folder / 'pytorch_model.bin', 'wb') as file:
            pickle.dump(Bomb(), file)
        with pytest.raises(WeightsError):
            TransformersDepth(str(folder))
        torch.save({'weight': Bomb()}, folder / 'pytorch_model.bin')
        with pytest.raises(WeightsError):
            TransformersDepth(str(folder))
        assert not (tmp_path / 'exploded').exists()

    def test_code_that_comes_with_a_model_is_refused(self, save_depth, tmp_path):
        folder = Path(save_depth())
        config = json.loads((folder / 'config.json').read_text())
        config.update(model_type='foreign', auto_map={'AutoConfig': 'code.Config', 'AutoModelForDepthEstimation':
                                                      'code.Network'})
        (folder / 'config.json').write_text(json.dumps(config))
        (folder / 'code.py').write_text(f'open({str(tmp_path / "ran")!r}, "w")\n')
        with pytest.raises(WeightsError, match='Python code of its own, which is not run'):
            TransformersDepth(str(folder))
        assert not (tmp_path / 'ran').exists()


@pytest.mark.parametrize('file, has', [('transformers', {'transformers'}), ('openmmlab', {'mmdet', 'mmpose'}),
                                       ('runtime', set())])
def test_optional_packages_are_in_the_requirements_of_their_extra_alone(file, has):
    lines = (ROOT / f'requirements/{file}.txt').read_text().splitlines()
    assert {name for name in ('transformers', 'mmdet', 'mmpose', 'torchvision')
            if any(line.startswith(name) for line in lines)} == has

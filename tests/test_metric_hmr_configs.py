"""Every recipe of the network: keys are options of what they configure, sizes agree, and it trains on tables."""
import copy
import re
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner.checkpoint import load_state_dict
from PIL import Image

from mmhuman_dto.apis.dry_run import dry_run, with_stand_ins
from mmhuman_dto.apis.scoring import score
from mmhuman_dto.apis.training import build_runner, evaluate, metrics_of
from mmhuman_dto.body_models import OpenBody
from mmhuman_dto.datasets import SyntheticCrowd
from mmhuman_dto.engine.config import check_config, entries_of_runners
from mmhuman_dto.engine.optim import LayerDecayConstructor
from mmhuman_dto.fileio.config import ConfigFileError
from mmhuman_dto.models.backbones.vit import ARCHITECTURES
from mmhuman_dto.models.heads import PeopleHead
from mmhuman_dto.registry import METRICS, MODELS
from mmhuman_dto.structures import People
from mmhuman_dto.tables.people_table import PeopleTableBuilder

CONFIGS = Path(__file__).parents[1] / 'configs/metric_hmr'
ALL = sorted(CONFIGS.rglob('*.py'))
#: What trains on rendered crowds, or on labels made with them.
OF_CROWDS = ('tiny', 'crowd')
ON_TABLES = [path for path in ALL if not any(word in path.stem for word in OF_CROWDS)]
TRAINED = [path for path in ON_TABLES if path.parent == CONFIGS]
PARTS = ('backbone', 'decoder', 'head', 'camera_head')
#: Metrics with one protocol.
EXACT = {'CameraSpaceMetric', 'CrowdMetric', 'KeypointAPMetric'}


def by_name(paths):
    return pytest.mark.parametrize('path', paths, ids=lambda path: path.stem)


def typed(config, place=()):
    """Places of all dictionaries with a type."""
    children = config.items() if isinstance(config, dict) else enumerate(config)
    if isinstance(config, dict) and 'type' in config:
        yield place
    for key, value in children:
        if isinstance(value, (dict, list, tuple)):
            yield from typed(value, (*place, key))


def at(config, place):
    for key in place:
        config = config[key]
    return config


#: Entries of a recipe: those of the Runner, a variable of the small network's, and the DTO that its photos share.
ENTRIES = {'body_model', 'stages', *entries_of_runners()}


@by_name(ALL)
def test_recipe_is_short_and_every_key_is_known(path):
    assert len(path.read_text().splitlines()) <= 40
    config = Config.fromfile(path).to_dict()
    assert len(list(typed(config))) > 25
    assert config.keys() <= ENTRIES
    check_config(config)


def test_a_typo_anywhere_is_found():
    original = Config.fromfile(CONFIGS / 'vit-h_dto-humans_fsdp.py').to_dict()
    for place in (place for place in typed(original) if place[-1:] != ('init_cfg', )):
        config = copy.deepcopy(original)
        at(config, place)['typo_'] = 1
        with pytest.raises(ConfigFileError, match="no option 'typo_'"):
            check_config(config)


def parts_of(config):
    """The parts with weights, without memory for them."""
    config, _ = with_stand_ins(config.model.to_dict())
    with torch.device('meta'):
        return {part: MODELS.build(config[part]) for part in PARTS}


@by_name(ALL)
def test_sizes_agree(path):
    """Bases repeat sizes because they derive nothing; recipes have to change all of them."""
    config = Config.fromfile(path)
    entries = [at(config, place) for place in typed(config.to_dict())]
    backbone, decoder, head, camera_head = (config.model[part] for part in PARTS)
    width = backbone.dims if 'dims' in backbone else ARCHITECTURES[backbone.arch][0]
    betas = head.num_betas
    assert decoder.in_dims == width == camera_head.get('in_dims', width)
    assert (decoder.dims, decoder.num_layers) == (head.dims, head.num_layers)
    if config.model.get('denoising'):
        assert (config.model.denoising.dims, config.model.denoising.num_betas) == (decoder.dims, betas)
    assert {entry.input_size for entry in entries if 'input_size' in entry} == {backbone.input_size}
    body, = {at(config, place).type for place in typed(config.to_dict()) if place[-1] == 'body_model'}
    assert betas == {'SMPL': 10, 'SMPL+A': 11, 'OpenBody': 11}[body]
    tables = [entry for entry in entries if entry.type == 'HumanTable']
    assert {table.num_betas for table in tables if 'num_betas' in table} <= {betas}
    if 'train_cfg' in config:
        *_, scheduler = np.atleast_1d(config.param_scheduler)
        assert scheduler.end == config.train_cfg.max_iters
        joint_set = config.model.get('joint_set', 'smpl45')
        assert all(table.get('joint_set', 'smpl45') == joint_set for table in tables)
        assert all('num_betas' in table for table in tables) or joint_set == 'crowdpose14'
        assert config.model.targets.get('joint_set', 'smpl45') == joint_set


@by_name(ALL)
def test_figures_are_the_public_ones_too_and_those_of_any_number_of_processes(path):
    """Public sets are tested by the public protocol beside ours; with one image a batch processes do not matter."""
    config = Config.fromfile(path)
    protocols = defaultdict(set)
    for metric in metrics_of(config):
        protocols[metric.type].add(metric.get('parity', False))
    assert all(protocols[name] == {False, True} for name in protocols.keys() - EXACT)
    assert path not in ON_TABLES or config.test_dataloader.batch_size == 1


def test_flagship():
    """Learning rates fall layer by layer; but for a tenth its weights are spread, none of them a norm's: under autocast
    these are float32."""
    config = Config.fromfile(CONFIGS / 'vit-h_dto-humans_fsdp.py')
    parts = torch.nn.ModuleDict(parts_of(config))
    assert sum(p.numel() for p in parts['backbone'].parameters()) > 630e6 and parts['backbone'].with_cp
    depth = {name: LayerDecayConstructor._depth(name, config.optim_wrapper.paramwise_cfg)
             for name, _ in parts.named_parameters()}
    assert depth['backbone.blocks.0.attn.qkv.weight'] == depth['backbone.additional_blocks.0.attn.qkv.weight'] == 32
    assert depth['backbone.blocks.31.mlp.fc1.weight'] == 1
    assert depth['backbone.pos_embed'] == depth['backbone.camera_token'] == 33
    assert depth['backbone.patch_embed.0.proj.weight'] == 33
    assert depth['backbone.norm.weight'] == depth['decoder.query_box.weight'] == 0
    units = [module for name, module in parts.named_modules() if re.fullmatch(config.strategy.unit_pattern, name)]
    assert len(units) == 2 * (32 + 3) + 4 * 6
    assert not any(isinstance(module, torch.nn.LayerNorm) for unit in units for module in unit.modules())
    inside, whole = (sum(p.numel() for module in modules for p in module.parameters()) for modules in (units, [parts]))
    assert inside > .9 * whole


def test_shape_head_of_ten_coefficients_loads_into_eleven():
    """From stage 2 to 3 all weights go on but the last layers of the shape heads, which start afresh."""
    small, large = (PeopleHead(dims=16, num_layers=2, num_betas=count) for count in (10, 11))
    before = large.state_dict()['shape_heads.0.layers.4.weight'].clone()
    load_state_dict(large, small.state_dict(), strict=False)
    same = {name for name, value in large.state_dict().items()
            if value.shape == small.state_dict()[name].shape and torch.equal(value, small.state_dict()[name])}
    assert set(large.state_dict()) - same == {
        'mean_shape', *(f'shape_heads.{i}.layers.4.{kind}' for i in range(2) for kind in ('weight', 'bias'))}
    assert torch.equal(large.state_dict()['shape_heads.0.layers.4.weight'], before)


SIZE = 112


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """Rendered crowds as tables: with meshes, with 14 joints and depth layers, with Human3.6M's 17 and COCO's."""
    root = tmp_path_factory.mktemp('data')
    crowd = SyntheticCrowd(scenes=dict(size=(84, 112), people=(2, 3)), seed=5, num_scenes=3)
    body = OpenBody()
    tables = {name: PeopleTableBuilder('OpenBody') for name in ('meshes', 'joints', 'h36m', 'coco')}
    for i in range(len(crowd)):
        sample = crowd[i]
        Image.fromarray(sample.image).save(root / f'{i}.png')
        people, camera = sample.gt_instances, sample.gt_camera
        sample.set_metainfo(dict(img_id=f'{i}.png'))
        names = ('global_orient', 'body_pose', 'betas', 'transl', 'male_probs')
        sample.pred_instances = People(**{name: people[name] for name in names})
        sample.pred_camera = camera
        tables['meshes'].add(sample)
        del sample.pred_camera
        posed = body(people.pose, people.betas, people.transl)
        for name, joint_set in (('joints', 'crowdpose14'), ('h36m', 'h36m17'), ('coco', 'coco17')):
            joints = body.select_joints(posed, joint_set)
            pixels = joints @ camera.intrinsics.T
            seen = torch.ones(joints.shape[:2], dtype=torch.bool)
            sample.set_metainfo(dict(joint_set=joint_set))
            sample.pred_instances = People(
                bboxes=people.bboxes, depth_layers=people.depth_layers, ages=people.ages, keypoints_2d_valid=seen,
                keypoints_2d=pixels[..., :2] / pixels[..., 2:])
            if name == 'h36m':
                sample.pred_instances.keypoints_3d, sample.pred_instances.keypoints_3d_valid = joints, .5 * seen
            tables[name].add(sample)
    for name, table in tables.items():
        table.write(root / name)
    return root


def small(path):
    """A recipe with a small network at a small size."""
    config = Config.fromfile(path)
    config.merge_from_dict({
        'model.backbone': dict(arch='nano', num_additional_blocks=2), 'model.decoder': dict(
            in_dims=128, num_queries=6, num_layers=2, dims=64, ffn_dims=64), 'model.head': dict(dims=64, num_layers=2)})
    if 'in_dims' in config.model.camera_head:
        config.model.camera_head.in_dims = 128
    if 'denoising' in config.model:
        config.model.denoising.dims = 64
    for place in typed(config.to_dict()):
        if 'input_size' in at(config, place):
            at(config, place).input_size = SIZE
    return config


def test_dry_run(tmp_path, monkeypatch):
    """The first stage, which has every part, at a small size; its files are not there."""
    monkeypatch.chdir(tmp_path)
    config = small(CONFIGS / 'vit-b_agora-bedlam-4dhumans-2d.py')
    report = dry_run(config)
    assert 'all gradients finite' in report and f'(3, {SIZE}, {SIZE}) with' in report
    assert 'data/smpl not there: OpenBody' in report
    count = float(re.search(r'([\d.]+) M parameters', report)[1])
    expected = sum(p.numel() for part in parts_of(config).values() for p in part.parameters()) / 1e6
    assert count == pytest.approx(expected, abs=.1)


def shrunk(path, data, work_dir):
    """A recipe with a small network at a small size on the tables of ``data``, for two steps."""
    config = small(path)
    config.model = with_stand_ins(config.model.to_dict())[0]
    for part in ('head', 'denoising'):
        if part in config.model:
            config.model[part].num_betas = 11
    for place in typed(config.to_dict()):
        entry = at(config, place)
        if entry.type == 'HumanTable':
            kind = 'coco' if 'coco' in path.stem else 'joints' if 'joint_set' in entry else (
                'meshes' if 'num_betas' in entry else 'h36m')
            entry.update(data_root=str(data), table=str(data / kind))
            if 'num_betas' in entry:
                entry.num_betas = 11
        if place[-1] == 'body_model' or 'gendered' in place:
            entry.clear()
            entry.type = 'OpenBody'
        if entry.type == 'SyntheticCrowd':
            entry.update(scenes=dict(size=(84, 112), people=(1, 3)), num_scenes=2, cache_dir=None)
        entry.pop('body_vertices', None)
    config.merge_from_dict(dict(load_from=None, work_dir=str(work_dir)))
    if 'train_cfg' in config:
        config.merge_from_dict(dict(
            train_cfg=dict(max_iters=2, val_interval=2), train_dataloader=dict(batch_size=2)))
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        if name in config:
            config[name].update(num_workers=0, persistent_workers=False)
    config.visualizer = None
    config.experiment_name = work_dir.name
    return config


@by_name(TRAINED)
def test_recipe_trains_and_validates_on_tables(path, data, tmp_path):
    runner = build_runner(shrunk(path, data, tmp_path))
    before = copy.deepcopy(runner.model.head.conf_head.weight)
    runner.train()
    assert runner.iter == 2
    assert not torch.equal(runner.model.head.conf_head.weight, before)
    assert all(torch.isfinite(p).all() for p in runner.model.parameters())
    losses = [value for name, value in runner.message_hub.log_scalars.items() if 'loss' in name]
    assert losses and all(np.isfinite(loss.current()) for loss in losses)
    metric, = runner.val_loop.evaluator.metrics
    assert any(f'{metric.prefix}/' in name for name in runner.message_hub.log_scalars)


@by_name(ON_TABLES)
def test_recipe_is_tested_on_tables(path, data, tmp_path):
    """Every figure of every metric, again from the dump alone; a network that has learnt nothing says little else."""
    config = shrunk(path, data, tmp_path)
    config.model.threshold = 0.
    torch.manual_seed(0)
    torch.save(MODELS.build(config.model).state_dict(), tmp_path / 'weights.pth')
    figures = evaluate(config, tmp_path / 'weights.pth', tmp_path / 'dump')
    again = score(tmp_path / 'dump', metrics_of(config))
    assert {name.split('/')[0] for name in figures} == {
        metric.get('prefix') or METRICS.get(metric.type).default_prefix for metric in metrics_of(config)}
    assert figures.keys() == again.keys()
    np.testing.assert_array_equal(list(figures.values()), list(again.values()))

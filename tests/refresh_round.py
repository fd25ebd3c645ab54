"""A round of DTORefreshHook without a Runner; in a file of its own, so that another process can import it."""
from types import SimpleNamespace

import torch
from evidence_table import IMAGES
from mmengine.logging import MMLogger
from torch.utils.data import DataLoader

from mmhuman_dto.datasets import HumanTable
from mmhuman_dto.engine.hooks.dto_refresh import DTORefreshHook
from mmhuman_dto.engine.model import init_model

SOLVER = dict(type='PosteriorDTO', terms=dict(initial=dict(type='InitialTerm', share=.5, std=.12)))


def run_round(folder, work_dir):
    """One round with the shipped network, without a Runner; its labels are in ``work_dir``."""
    dataset = HumanTable(IMAGES, folder)
    restarts = []
    runner = SimpleNamespace(
        iter=0, work_dir=work_dir, model=init_model('vit-tiny_synthetic-crowd', device='cpu'),
        logger=MMLogger.get_instance('refresh'), train_dataloader=DataLoader(dataset, batch_size=1),
        train_loop=SimpleNamespace(restart_loading=restarts.append))
    runner.model.train()
    hook = DTORefreshHook(interval=3, solver=SOLVER, min_iou=.1)
    hook.before_train(runner)
    torch.manual_seed(0)
    for runner.iter in range(3):
        hook.after_train_iter(runner, runner.iter)
    assert restarts == [3] and runner.model.training
    return dataset, hook


def one_rank(rank, folder, work_dir):
    torch.set_num_threads(1)
    torch.distributed.init_process_group('gloo', f'file://{work_dir}/store', rank=rank, world_size=2)
    dataset, hook = run_round(folder, work_dir)
    (work_dir / f'seen_{rank}').write_text(f'{dataset.labels.folder} {hook.state}')
    torch.distributed.destroy_process_group()

"""How fast Metric-Aware HMR runs and trains, and how much of that is owed to doing it otherwise than the plain way.

    python tools/benchmark/bench_model.py [--sizes 672 1288] [--splits 0 25 100 mixed] [--device cuda] [--json FILE]
    python tools/benchmark/bench_model.py --config configs/metric_hmr/vit-tiny_synthetic-crowd.py --sizes 224

A batch of rendered crowds (4:3, 16:9 and upright pictures) runs through the network and, in turns with it, through the
same network written the plain way (``plain_hmr.py``), whose outputs are checked to be the same. The scale map's choice
is forced, so that the share of cells that are split is known. Weights are random: they do not change what is computed.
A training step is the optimiser step of MMEngine's loop, gradients clipped, losses logged. Seconds are those of one
processor core (of the clock on CUDA), medians of turns taken in one run.
"""
import argparse
import copy
import os
import tempfile
import time
from contextlib import ExitStack, nullcontext
from functools import partial
from pathlib import Path

os.environ.setdefault('OMP_NUM_THREADS', '1')

import torch  # noqa: E402
from _common import report, take_turns  # noqa: E402
from _model_cases import SPLITS, ForcedSplit, batch_of, build, build_plain, crowds, model_config  # noqa: E402
from _model_measures import Stopwatch, clock, cost, finish  # noqa: E402
from _waits import count_waits  # noqa: E402
from mmengine.logging import MessageHub  # noqa: E402
from mmengine.optim import OptimWrapper  # noqa: E402
from plain_hmr import LAYOUTS  # noqa: E402

from mmhuman_dto.engine.device import pick_device  # noqa: E402
from mmhuman_dto.engine.optim import AutocastOptimWrapper  # noqa: E402
from mmhuman_dto.geometry import axis_angle_to_matrix  # noqa: E402
from mmhuman_dto.programs import output_file, program  # noqa: E402

ROOT = Path(__file__).parents[2]
#: As in the recipes, without the random view, which would change the size.
TRAIN_PIPELINE = [dict(type='KeepVisiblePeople'), dict(type='OccludeWithNoise'), dict(type='ColorJitter'),
                  dict(type='PackHumanInputs')]


class Case:
    """One network with its optimiser: what is timed.

    Args:
        model: the network.
        device: ``'cpu'`` or ``'cuda'``.
        half: bfloat16 autocast.
    """

    def __init__(self, model, device, half=False):
        self.model, self.device, self.half = model.to(device), device, half
        wrapper = AutocastOptimWrapper if half else OptimWrapper
        self.optimiser = wrapper(torch.optim.AdamW(model.parameters(), lr=1e-5), clip_grad=dict(max_norm=1.))
        self.hub = MessageHub.get_instance(f'bench_{id(self)}')

    def forward(self, batch):
        """Predictions for all queries."""
        self.model.eval()
        half = torch.autocast(self.device, torch.bfloat16) if self.half else nullcontext()
        with torch.no_grad(), half:
            outputs = self.model(**self.model.data_preprocessor(batch), mode='tensor')
        finish(self.device)
        return outputs

    def train(self, batch):
        """One training step, as MMEngine's loop makes it."""
        self.model.train()
        for name, value in self.model.train_step(batch, self.optimiser).items():
            self.hub.update_scalar(f'train/{name}', value)
        finish(self.device)


def compiled(model):
    """A copy of a network whose encoder blocks are compiled for any number of tokens."""
    model = copy.deepcopy(model)
    for block in (*model.backbone.blocks, *model.backbone.additional_blocks):
        block.compile(dynamic=True)
    return model


def make_cases(args, config):
    """{name: :class:`Case`}, ours first, all with the same weights."""
    ours = build(config)
    cases = {'ours': ours, **{name: build_plain(config, ours, name) for name in args.plain}}
    if 'compile' in args.variants:
        cases['compile'] = compiled(ours)
    cases = {name: Case(model, args.device) for name, model in cases.items()}
    if 'bf16' in args.variants:
        cases['bf16'] = Case(copy.deepcopy(ours), args.device, half=True)
    return cases


def largest_difference(wanted, found):
    """Largest difference of two networks' outputs, each relative to how far the output varies between queries."""
    def comparable(outputs):
        # Half a turn, which an upright person makes in the camera's frame, has two axes.
        return dict(outputs, pred_poses=axis_angle_to_matrix(outputs['pred_poses'].unflatten(-1, (-1, 3))))

    def relative(value, other):
        among_queries = value.shape[1] > 1
        spread = value - value.mean((0, 1)) if among_queries else value - value.mean()
        return ((value - other).abs().max() / spread.abs().max()).item()

    wanted, found = comparable(wanted), comparable(found)
    return max(relative(wanted[name], found[name]) for name in wanted if name.startswith('pred_'))


def measure(args, cases, batch, shares):
    """All figures of a batch with forced splits."""
    compared = {name: cases[name] for name in ('ours', *args.plain)}
    with ExitStack() as stack:
        splits = [stack.enter_context(ForcedSplit(case.model, batch, shares)) for case in cases.values()]
        figures = {'tokens': splits[0].tokens, **costs(args, compared, batch)}
        if 'train' in args.passes:
            figures['parts'] = {name: step_parts(case, batch) for name, case in compared.items()}
        figures['seconds'] = {mode: times(args, cases, mode, batch) for mode in args.passes}
    figures['ratio_to_plain'] = {mode: {name: seconds['ours'] / seconds[name] for name in args.plain}
                                 for mode, seconds in figures['seconds'].items()}
    return figures


def costs(args, compared, batch):
    """FLOPs and memory, and whether the plain way gave the same answers."""
    found, answers = {name: {} for name in compared}, {}
    for name, case in compared.items():
        for mode in args.passes:
            with cost(case.model, args.device) as found[name][mode]:
                answers[mode, name] = getattr(case, mode)(batch)
    if 'forward' not in args.passes:
        return {'cost': found}
    ours = answers['forward', 'ours']
    return {'cost': found, 'largest_difference': {
        name: largest_difference(ours, answers['forward', name]) for name in args.plain}}


def times(args, cases, mode, batch):
    """Seconds of each case, in turns."""
    runs = {name: partial(getattr(case, mode), batch) for name, case in cases.items()}
    # Its FLOPs counted, a case has run before; the first run of another one is not timed.
    for name in runs.keys() - {'ours', *args.plain}:
        runs[name]()
    return take_turns(runs, args.rounds, warm_up=False, clock=clock(args.device))


def step_parts(case, batch):
    """Shares of one training step: its forward passes, those within, body models with their backward passes, the rest.
    """
    with Stopwatch(case.model, case.device) as watch:
        start = watch.clock()
        case.train(batch)
        total = watch.clock() - start
    backward = total - watch.seconds['forward'] - watch.seconds['preprocess']
    parts = dict(watch.seconds, backward_and_optimiser=backward, body_model=watch.body_seconds())
    return {name: seconds / total for name, seconds in parts.items()}


def waits_of(case, batch, shares):
    """How often a step, up to its losses, makes the host wait for the device, and where."""
    inside = []
    with ForcedSplit(case.model, batch, shares) as split, count_waits(
            case.device, case.model, split.logits) as waits, ExitStack() as stack:
        for register in (case.model.criterion.register_forward_pre_hook, case.model.criterion.register_forward_hook):
            stack.enter_context(register(lambda *_: inside.append(waits.total())))
        case.model(**case.model.data_preprocessor(batch, True), mode='loss')
    return {'step': waits.total(), 'matcher_and_losses': inside[1] - inside[0], 'where': dict(waits.most_common())}


def loader_seconds(size, images):
    """Processor time in which a batch of cached pictures is read and augmented, and in which it is drawn."""
    with tempfile.TemporaryDirectory() as folder:
        datasets = crowds(size, images, folder, TRAIN_PIPELINE)
        seconds = []
        for _ in range(2):
            start = time.process_time()
            batch_of(datasets, images)
            seconds.append(time.process_time() - start)
    return {'drawn': seconds[0], 'cached': seconds[1]}


def rows_of(size, split, figures):
    """The table's lines of a batch."""
    for mode, seconds in figures['seconds'].items():
        ratios = figures['ratio_to_plain'][mode]
        spent = figures['cost']['ours'][mode]
        yield [size, split, f'{sum(figures["tokens"]) / len(figures["tokens"]):.0f}', mode, f'{seconds["ours"]:.3g}',
               ', '.join(f'{ratio:.2f} of {name}' for name, ratio in ratios.items()) or '-',
               ', '.join(f'{seconds["ours"] / time:.2f} x {name}' for name, time in seconds.items()
                         if name != 'ours' and name not in ratios) or '-',
               f'{spent["gflop"]:.0f}', f'{spent["kept_mb"]:.0f}']


def print_waits(waits):
    """What was counted before anything is timed."""
    for name, found in waits.items():
        print(f'{name}: {found["step"]} waits for the device in a step up to its losses, '
              f'{found["matcher_and_losses"]} of them in matcher and losses: {found["where"]}')


def print_parts(size, split, figures):
    """Where the time of a step goes."""
    for name, shares in figures['parts'].items():
        print(f'{size} px, split {split}, {name}, shares of a step: '
              + ', '.join(f'{part} {share:.1%}' for part, share in shares.items()))


def parse_args(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--config', default=str(ROOT / 'configs/_base_/models/metric_hmr.py'), help='of the network')
    parser.add_argument('--arch', help="another encoder than the config's: nano, tiny, small, base, large or huge")
    parser.add_argument('--sizes', nargs='+', type=int, default=[672, 1288], help='long sides of the pictures, px')
    parser.add_argument('--splits', nargs='+', choices=SPLITS, default=list(SPLITS), help='per cent of cells split')
    parser.add_argument('--passes', nargs='+', choices=['forward', 'train'], default=['forward', 'train'])
    parser.add_argument('--images', type=int, default=4, help='pictures a batch')
    parser.add_argument('--rounds', type=int, default=3, help='timed runs of each case')
    parser.add_argument('--plain', nargs='*', choices=LAYOUTS, default=['padded'], help='what to compare with')
    parser.add_argument('--variants', nargs='*', choices=['bf16', 'compile'], default=[], help='what else to time')
    parser.add_argument('--device', default=pick_device().type, choices=['cpu', 'cuda'])
    parser.add_argument('--json', type=output_file, help='file to write the figures to')
    return parser.parse_args(argv)


@program
def main(argv=None):
    args = parse_args(argv)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    rows, results = [], {}
    for size in args.sizes:
        config = model_config(args.config, size, args.arch)
        cases = make_cases(args, config)
        batch = batch_of(crowds(size, args.images), args.images)
        waits = {name: waits_of(cases[name], batch, SPLITS['mixed']) for name in ['ours', *args.plain]}
        print_waits(waits)
        results[size] = {'waits': waits, 'loader_seconds': loader_seconds(size, args.images), 'splits': {}}
        for split in args.splits:
            found = measure(args, cases, batch, SPLITS[split])
            if 'train' in args.passes:
                step = found['seconds']['train']['ours']
                found['parts']['ours']['loader'] = results[size]['loader_seconds']['cached'] / step
                print_parts(size, split, found)
            results[size]['splits'][split] = found
            rows.extend(rows_of(size, split, found))
    figures = {'sizes': results, 'images': args.images, 'device': args.device, 'arch': config['backbone']['arch'],
               'rounds': args.rounds}
    report(f'{args.images} images a batch on {args.device}, encoder {figures["arch"]}',
           ['px', 'split, %', 'tokens', 'pass', 's', 'time to the plain way', 'variants', 'GFLOP', 'MiB kept'], rows,
           figures, args.json)


if __name__ == '__main__':
    main()

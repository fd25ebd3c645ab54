"""Evaluate a checkpoint on a config's test set: one line a figure.

    python tools/test.py configs/metric_hmr/vit-tiny_synthetic-crowd.py CHECKPOINT [--out metrics.json] [--dump FOLDER]
    bash tools/dist_test.sh CONFIG CHECKPOINT 8     # on 8 GPUs

What --dump keeps, tools/analysis_tools/score_results.py and worst_images.py read again.
"""
import argparse

from train import add_common_arguments, load_config

from mmhuman_dto.programs import output_file, output_folder, program


def parse_args(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config file, or the name of a shipped one')
    parser.add_argument('checkpoint', help='checkpoint of tools/train.py, or a state dict')
    parser.add_argument('--out', type=output_file, help='write the figures to this json file')
    parser.add_argument('--dump', type=output_folder,
                        help='write predictions and truth of every image to this folder, as people tables')
    add_common_arguments(parser)
    return parser.parse_args(argv)


@program
def main(argv=None):
    args = parse_args(argv)
    cfg = load_config(args)
    from mmengine.dist import is_main_process

    from mmhuman_dto.apis.scoring import figure_line, write_figures
    from mmhuman_dto.apis.training import evaluate
    output_folder(cfg.work_dir)
    metrics = evaluate(cfg, args.checkpoint, args.dump)
    if not is_main_process():
        return
    for name, value in metrics.items():
        print(figure_line(name, value))
    if args.out:
        write_figures(args.out, metrics)


if __name__ == '__main__':
    main()

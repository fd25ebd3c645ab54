"""Figures of predictions that tools/test.py --dump kept: without the network, the images or a GPU.

    python tools/analysis_tools/score_results.py DUMP CONFIG [--out metrics.json]
    python tools/analysis_tools/score_results.py DUMP --metric AGORAMetric --options body_model.type=OpenBody

With the config of the evaluation, exactly its figures come out.
"""
import argparse
import sys

from _dumps import add_dump_arguments, metric_configs

from mmhuman_dto.programs import output_file, program


@program
def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_dump_arguments(parser)
    parser.add_argument('--out', type=output_file, help='write the figures to this json file')
    args = parser.parse_args(argv)
    from mmhuman_dto.apis.scoring import figure_line, score, write_figures
    try:
        figures = score(args.dump, metric_configs(args))
    except (ValueError, KeyError, FileNotFoundError) as error:
        sys.exit(f'{args.dump}: {error}')
    for name, value in figures.items():
        print(figure_line(name, value))
    if args.out:
        write_figures(args.out, figures)


if __name__ == '__main__':
    main()

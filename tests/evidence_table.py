"""A table of the demo's crowd that keeps its evidence, as the generator writes it."""
from mmengine.config import Config
from scripts import ROOT

from mmhuman_dto.generation import Generator

IMAGES = ROOT / 'demo/resources/crowd/images'
TRUTH = ROOT / 'demo/resources/crowd/truth'


def write_evidence_table(folder, limit, solver):
    """Path of the table of the first ``limit`` pictures, placed by the 'posterior' or the 'paper' solver.

    The posterior one says how sure it is, the paper's does not.
    """
    config = Config.fromfile(ROOT / f'configs/dto/{solver}_synthetic-crowd.py').to_dict()
    config.update(data_root=str(IMAGES.parent), contact_sheets=dict(every=0))
    config['stages']['dto'].update(keep_evidence=True)
    del config['stages']['keep']
    Generator(config, folder, limit=limit).run()
    return folder / 'people_table'

"""A table of the demo's crowd that keeps its evidence, as the generator writes it."""
from mmengine.config import Config
from scripts import ROOT

from mmhuman_dto.generation import Generator

IMAGES = ROOT / 'demo/resources/crowd/images'
TRUTH = ROOT / 'demo/resources/crowd/truth'


def write_evidence_table(folder, limit, **dto):
    """Path of the table of the first ``limit`` pictures, placed as ``configs/dto/paper_synthetic-crowd.py`` does.

    ``dto`` changes the stage's options: the paper's solver does not say how sure it is, ``PosteriorDTO`` does.
    """
    config = Config.fromfile(ROOT / 'configs/dto/paper_synthetic-crowd.py').to_dict()
    config.update(data_root=str(IMAGES.parent), contact_sheets=dict(every=0))
    config['stages']['dto'].update(keep_evidence=True, **dto)
    del config['stages']['keep']
    Generator(config, folder, limit=limit).run()
    return folder / 'people_table'
